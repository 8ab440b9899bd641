"""Kill a suite at random moments and compare what it ends with to one left alone: ``python -m tests.kill_suite``.

With ``--ray`` the suite runs on a Ray cluster of two nodes on this machine, and what is killed is in turn a Ray worker
and a node, under it.
"""

import argparse
import json
import operator
import random
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from lwdna_mm.suite.records import Record, read_records
from tests.suite_processes import ROOT, Moment, command, report, wait_for, workers

TIMES = {"training time", "search s", "training s"}
JOBS = ("--jobs", "2")


def untimed(records: Sequence[Record]) -> list[Record]:
    """Records without what differs from one repetition to the next."""
    return [replace(record, training_seconds=0.0, search_seconds=None, date="", code="") for record in records]


def without_times(markdown: str) -> str:
    """A report without its columns of seconds, and without its last section, which has nothing else."""
    lines, kept = [], None
    for line in markdown.partition("## What it has cost")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            kept = None
        elif kept is None:
            kept = [index for index, cell in enumerate(cells) if cell not in TIMES]
        lines.append(line if kept is None else "|".join(cells[index] for index in kept))
    return "\n".join(lines)


def leave_alone(suite: Path, work_dir: Path) -> float:
    """Run a suite to its end; the seconds it took."""
    began = time.monotonic()
    subprocess.run(command("run", suite, work_dir, *JOBS), check=True)
    return time.monotonic() - began


def draw_moments(kills: int, seconds: float, seed: int) -> list[Moment]:
    """Random ones, such that so many kills fit into a suite that takes ``seconds`` alone."""
    rng = random.Random(seed)
    drawn = [rng.uniform(0, 2 * seconds / (kills + 1)) for _ in range(kills)]
    return [partial(operator.le, least) for least in drawn]


def kill(suite: Path, work_dir: Path, moments: Sequence[Moment]) -> tuple[int, float]:
    """Begin a suite again and again, kill it each time when the moment has come, and at last let it end.

    Returns:
        How often it was killed before it was done, and the longest that a run's process has outlived it, in seconds.
    """
    kills, longest = 0, 0.0
    for moment in moments:
        process = subprocess.Popen(command("run", suite, work_dir, *JOBS))
        if not wait_for(moment, process):
            break
        process.kill()
        process.wait()
        kills += 1
        longest = max(longest, wait_for_workers(work_dir))
        for line in read_lines(work_dir / "records.jsonl"):
            json.loads(line)
    subprocess.run(command("run", suite, work_dir, *JOBS), check=True)
    return kills, longest


def wait_for_workers(work_dir: Path, seconds: float = 120) -> float:
    """Seconds until no run is being done below a folder."""
    began = time.monotonic()
    while workers(work_dir):
        assert time.monotonic() - began < seconds, f"{workers(work_dir)} outlive the suite"
        time.sleep(0.05)
    return time.monotonic() - began


def read_lines(path: Path) -> list[str]:
    """The lines of a file, none where there is none."""
    return path.read_text().splitlines() if path.exists() else []


def check_equal(suite: Path, one: Path, other: Path) -> int:
    """Compare the records and reports of two folders; how many records there are."""
    records = [read_records(folder / "records.jsonl") for folder in (one, other)]
    assert untimed(records[0]) == untimed(records[1])
    reports = [without_times(report(suite, folder)) for folder in (one, other)]
    assert reports[0] == reports[1]
    return len(records[0])


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--suite", type=Path, default=ROOT / "configs" / "suites" / "smoke.py")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--ray", action="store_true", help="kill workers and nodes of a Ray cluster under the suite")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder, "alone"), Path(folder, "killed")
        moments = draw_moments(args.kills, leave_alone(args.suite, alone), args.seed)
        if args.ray:
            from tests.ray_cluster import kill_under

            said = kill_under(args.suite, killed, moments)
        else:
            kills, longest = kill(args.suite, killed, moments)
            said = f"killed {kills} times, no run's process outlived it by more than {longest:.1f} s"
        count = check_equal(args.suite, alone, killed)
        print(f"{said}; all {count} records and the report's tables are those of a suite left alone")


if __name__ == "__main__":
    main()
