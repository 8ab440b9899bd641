import threading

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite.lock import locked


def test_one_at_a_time_in_a_folder(tmp_path):
    with locked(tmp_path), pytest.raises(UserError, match="another process runs a suite there"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_waiting_for_the_other_one(tmp_path):
    inside = threading.Event()

    def work() -> None:
        with locked(tmp_path, wait=True):
            inside.set()

    thread = threading.Thread(target=work)
    with locked(tmp_path):
        thread.start()
        assert not inside.wait(0.2)
    thread.join(20)
    assert inside.is_set()
