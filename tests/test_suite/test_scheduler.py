import threading
import time

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite import scheduler
from lwdna_mm.suite.config import load_suite
from lwdna_mm.suite.matrix import expand
from lwdna_mm.suite.records import Key, merge, read_records, write_records
from lwdna_mm.suite.scheduler import Scheduler, check_data, done_records
from tests.suite_runs import CONFIG, SUITE, pretend, write_suite

from .made import make


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


def test_two_suites_may_share_a_file_of_records(suite, tmp_path, monkeypatch):
    """Each in a work_dir of its own."""

    def slowly(kept, new):
        time.sleep(0.05)
        return merge(kept, new)

    monkeypatch.setattr(scheduler, "merge", slowly)
    path, runs = tmp_path / "records.jsonl", expand(suite)
    halves = [[run for run in runs if run.task.name == name] for name in ("small", "large")]
    barrier, states = threading.Barrier(2, timeout=20), []

    def execute(order):
        if order.key.seed == 0 and order.key.arm in ("baseline", "uniform"):
            barrier.wait()  # both write now
        return pretend(order)

    workers = []
    for half in halves:
        states.append(Scheduler(suite, half, path, execute, 1, lambda line: None))
        workers.append(threading.Thread(target=states[-1].run))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {record.key for record in read_records(path)} == {run.key for run in runs}
    assert [file.name for file in tmp_path.iterdir() if "lock" in file.name] == []


def test_size_is_what_the_suite_says_now(suite, tmp_path):
    """It is in no specification."""
    path = tmp_path / "records.jsonl"
    schedule(suite, path)
    changed = load_suite(write_suite(tmp_path, SUITE.replace("size=10", "size=20")))
    assert {record.size for record in done_records(changed, expand(changed), path).values()} == {20, None}


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


def test_a_file_of_records_that_breaks_on_the_way_loses_nothing(suite, tmp_path):
    path = tmp_path / "records.jsonl"

    def execute(order):
        path.write_text("<<<<<<< HEAD\n")
        return pretend(order)

    good, said = schedule(suite, path, execute, slots=1)
    assert not good
    assert f"  small/baseline seed 0: failed: {path}, line 1: Expecting value: line 1 column 1 (char 0)" in said
    assert path.read_text() == "<<<<<<< HEAD\n"


def test_records_that_cannot_be_used_are_told_before_anything_is_run(suite, tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text("{}\n")
    with pytest.raises(UserError, match=r"records.jsonl, line 1"):
        schedule(suite, path, None)
    write_records([make()], path)
    with pytest.raises(UserError, match=r"records.jsonl: has the records of suite 'tiny'; give another --work-dir"):
        schedule(suite, path, None)


def test_an_interrupt_does_not_wait_for_the_runs(suite, tmp_path):
    begun, release = threading.Event(), threading.Event()

    def execute(order):
        if order.key.arm == "baseline":
            begun.wait()
            raise KeyboardInterrupt  # what the main thread gets, here by the future
        begun.set()
        release.wait()

    with pytest.raises(KeyboardInterrupt):
        schedule(suite, tmp_path / "records.jsonl", execute)
    release.set()


def test_images_are_looked_for_first(tmp_path):
    text = SUITE.replace(f'config="{CONFIG}",', f'config="{CONFIG}", data="pictures",', 1)
    runs = expand(load_suite(write_suite(tmp_path, text)))
    with pytest.raises(UserError, match=r"task 'small' needs images: give the folder of 'pictures' by --data"):
        check_data(runs, None)
    with pytest.raises(UserError, match=r"task 'small' needs images: there is no folder .*pictures; mend --data"):
        check_data(runs, tmp_path)
    (tmp_path / "pictures").mkdir()
    check_data(runs, tmp_path)
    check_data([run for run in runs if run.task.name == "large"], None)
