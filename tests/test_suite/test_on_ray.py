import sys
from pathlib import Path

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite.on_ray import ray_executor
from tests.kill_suite import check_equal, leave_alone
from tests.suite_processes import SHORT


def test_without_ray_its_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'lwdna_mm\[ray\]'"):
        ray_executor(tmp_path, None, 1, 1)


def test_a_cluster_that_is_not_there(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(UserError, match=r"RAY_ADDRESS is '127.0.0.1:9', but nothing answers there"):
        ray_executor(tmp_path, None, 1, 1)


def test_a_killed_worker_and_a_killed_node_change_nothing(tmp_path):
    pytest.importorskip("ray")
    from tests.ray_cluster import kill_under

    suite = tmp_path / "short.py"
    suite.write_text(SHORT)
    leave_alone(suite, tmp_path / "alone")
    in_training = [lambda _: any(Path(tmp_path, "ray").rglob("last_checkpoint"))] * 2
    assert kill_under(suite, tmp_path / "ray", in_training) == "killed 1 Ray workers and 1 nodes"
    assert check_equal(suite, tmp_path / "alone", tmp_path / "ray") == 3
