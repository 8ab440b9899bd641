import threading

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite.config import load_suite
from lwdna_mm.suite.matrix import expand
from lwdna_mm.suite.records import Key, read_records
from lwdna_mm.suite.scheduler import Scheduler, locked
from tests.suite_runs import SUITE, pretend, write_suite


@pytest.fixture
def suite(tmp_path):
    return load_suite(write_suite(tmp_path))


def schedule(suite, path, execute=pretend, slots=2):
    said = []
    good = Scheduler(suite, expand(suite), path, execute, slots, said.append).run()
    return good, said


def test_all_runs_are_done_once(suite, tmp_path):
    path, seen = tmp_path / "records.jsonl", []

    def execute(order):
        seen.append(order.key)
        return pretend(order)

    good, said = schedule(suite, path, execute)
    assert good
    assert sorted(seen) == sorted(run.key for run in expand(suite))
    assert "12/12" in said[-1]
    content = path.read_bytes()
    good, said = schedule(suite, path, execute)
    assert good
    assert len(seen) == 12
    assert "12 of 12 runs are done" in said[0]
    assert path.read_bytes() == content


def test_a_failure_stops_only_what_needs_it(suite, tmp_path):
    path = tmp_path / "records.jsonl"

    def execute(order):
        if order.key == Key("small", "lwdna", 0):
            raise UserError("out of paper")
        return pretend(order)

    good, said = schedule(suite, path, execute)
    assert not good
    assert "  small/lwdna seed 0: failed: out of paper" in said
    assert "  small/narrow seed 0: not begun, it needs small/lwdna seed 0" in said
    assert len(read_records(path)) == 10
    assert schedule(suite, path)[0]
    assert len(read_records(path)) == 12


def test_a_suite_that_says_otherwise_runs_again(suite, tmp_path):
    path, seen = tmp_path / "records.jsonl", []
    schedule(suite, path)
    changed = load_suite(write_suite(tmp_path, SUITE.replace('"lwdna": dict()', '"lwdna": dict(options={"x": 1})')))

    def execute(order):
        seen.append(str(order.key))
        return pretend(order)

    schedule(changed, path, execute)
    assert sorted(seen) == ["small/lwdna seed 0", "small/lwdna seed 1", "small/narrow seed 0"]


def test_several_at_once_but_not_more(suite, tmp_path):
    lock, now, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2, timeout=20)

    def execute(order):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        if order.key.arm == "baseline":
            both.wait()
        with lock:
            now[0] -= 1
        return pretend(order)

    text = SUITE.replace('"lwdna-tuned": 2, "narrow": 1, "lwdna": 2, "landscape": 2', "")
    schedule(load_suite(write_suite(tmp_path, text)), tmp_path / "records.jsonl", execute)
    assert most == [2]


def test_one_at_a_time_in_a_folder(tmp_path):
    with locked(tmp_path), pytest.raises(UserError, match="another process runs a suite there"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
