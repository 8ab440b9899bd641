import pytest

from tests.bad_input import check


@pytest.fixture
def refused(good, tmp_path, monkeypatch, capfd):
    """Checks a row in a copy of the file's folder of good input."""
    return lambda bad: check(bad, good, tmp_path / "work", monkeypatch, capfd)
