import signal
import subprocess
import time

import pytest

from tests.kill_suite import check_equal, kill, leave_alone, wait_for_workers, without_times
from tests.suite_processes import SHORT, command, workers


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "short.py"
    path.write_text(SHORT)
    return path


@pytest.mark.full
def test_a_killed_suite_ends_with_the_table_of_one_left_alone(suite, tmp_path):
    leave_alone(suite, tmp_path / "alone")
    killed = tmp_path / "killed"
    in_training = [lambda _: any(killed.rglob("last_checkpoint")), lambda _: any(killed.glob("digits/narrow/*/*/*"))]
    kills, _ = kill(suite, killed, in_training)
    assert kills == 2
    assert check_equal(suite, tmp_path / "alone", tmp_path / "killed") == 3


@pytest.mark.full
def test_an_interrupt_is_one_line_and_leaves_nothing_running(suite, tmp_path):
    given = command("run", suite, tmp_path / "run", "--jobs", "2")
    process = subprocess.Popen(
        given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell has its background processes ignore interrupts, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(workers(tmp_path / "run")) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1].strip() == "interrupted; the same command goes on"
    assert process.returncode == 130
    wait_for_workers(tmp_path / "run")


def test_times_are_not_compared():
    text = "\n".join(
        [
            "# Suite a",
            "",
            "| arm | FLOPs | training time | search s | training s |",
            "| --- | --- | --- | --- | --- |",
            "| lwdna | 1.00 | 1.02 | 3.1 | 60 |",
            "",
            "| part | seeds |",
            "| --- | --- |",
            "| start | 2 |",
            "",
            "## What it has cost",
            "Hours.",
        ]
    )
    assert without_times(text).splitlines() == [
        *["# Suite a", "", "arm|FLOPs", "---|---", "lwdna|1.00"],
        *["", "part|seeds", "---|---", "start|2"],
    ]
