"""Doing the runs of a suite: what is ready, several at once, whatever becomes of the others."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from statistics import mean

from ..engine import load_config, parse_section
from ..errors import UserError
from ..files import locked
from .config import Suite
from .matrix import Order, Run, resolve
from .records import Key, Record, merge, read_records, write_records

Execute = Callable[[Order], Record]
Say = Callable[[str], None]


class Scheduler:
    """The state of a suite that is being run.

    Args:
        suite: from :func:`~.config.load_suite`.
        runs: those of :func:`~.matrix.expand` that are to be done.
        path: the file of its records; a run whose record is there, of the same spec, is done.
        execute: does one order, anywhere, and returns its record; raises UserError where it fails. It is called from
            several threads at once.
        slots: how many at once.
        say: gets one line for everything that happens.

    Raises:
        UserError: the file of records is damaged, or holds those of another suite.
    """

    def __init__(
        self,
        suite: Suite,
        runs: Sequence[Run],
        path: Path,
        execute: Execute,
        slots: int,
        say: Say,
    ) -> None:
        self.suite, self.runs, self.path = suite, runs, path
        self.execute, self.slots, self.say = execute, slots, say
        self.done = done_records(suite, runs, path)
        self.failed: dict[Key, str] = {}
        self.seconds: list[float] = []  # of the runs done here

    def to_do(self) -> list[Run]:
        """The runs that are not done."""
        return [run for run in self.runs if run.key not in self.done]

    def run(self) -> bool:
        """Do all that is not done; whether nothing has failed."""
        self.say(f"{self.suite.name}: {len(self.done)} of {len(self.runs)} runs are done; records in {self.path}")
        waiting = self.to_do()
        working: dict[Future, tuple[Run, float]] = {}
        pool = ThreadPoolExecutor(self.slots)
        try:
            while waiting or working:
                for run in self._ready(waiting)[: self.slots - len(working)]:
                    waiting.remove(run)
                    working[pool.submit(self._do, run)] = (run, time.monotonic())
                if not working:
                    break
                finished, _ = wait(working, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._finish(*working.pop(future), future, len(waiting) + len(working))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an interrupt does not wait for the runs
        for run in waiting:
            missing = next(need for need in run.needs if need not in self.done)
            self.say(f"  {run.key}: not begun, it needs {missing}")
        return not self.failed

    def _ready(self, waiting: Iterable[Run]) -> list[Run]:
        return [run for run in waiting if all(need in self.done for need in run.needs)]

    def _do(self, run: Run) -> Record:
        return self.execute(resolve(self.suite, run, self.done))

    def _finish(self, run: Run, started: float, future: Future, left: int) -> None:
        took = time.monotonic() - started
        try:
            record = future.result()
            # Where the file cannot be used any more, the run's own folder keeps its record.
            with locked(self.path.parent, wait=True, name=f".{self.path.name}.lock", stays=False):
                write_records(merge(read_records(self.path), [record]), self.path)
        except (UserError, OSError) as error:
            self.failed[run.key] = str(error)
            self.say(f"  {run.key}: failed: {error}")
            return
        self.done[run.key] = record
        self.seconds.append(took)
        rest = mean(self.seconds) * left / self.slots
        reached = "diverged" if record.value is None else f"{record.metric} {record.value:.4g}"
        self.say(
            f"[{len(self.done)}/{len(self.runs)}] {run.key}: {reached} in {_clock(took)}; about {_clock(rest)} left"
        )


def done_records(suite: Suite, runs: Sequence[Run], path: Path) -> dict[Key, Record]:
    """The records of a suite's runs, by key, that were obtained as the suite now says.

    Raises:
        UserError: the file of records is damaged, or holds those of another suite.
    """
    kept = {record.key: record for record in read_records(path)}
    other = next((record.suite for record in kept.values() if record.suite != suite.name), None)
    if other is not None:
        raise UserError(f"{path}: has the records of suite {other!r}; give another --work-dir or --records")
    done: dict[Key, Record] = {}
    for run in runs:  # what a run needs comes before it
        record = kept.get(run.key)
        if record is None or any(need not in done for need in run.needs):
            continue
        if resolve(suite, run, done).spec == record.spec:
            done[run.key] = replace(record, size=run.task.size)  # which is in no spec
    return done


def check_configs(runs: Iterable[Run]) -> None:
    """Check that the configs of some runs take the runs' options.

    Raises:
        UserError: naming the first task and arm whose options do not fit.
    """
    seen = set()
    for run in runs:
        if (said := (run.task.config, str(run.options))) not in seen:
            seen.add(said)
            try:
                cfg = load_config(run.task.config, run.options)
                if cfg.get("lwdna") is not None:
                    parse_section(cfg.lwdna)
            except UserError as error:
                raise UserError(f"tasks[{run.task.name!r}], arms[{run.arm.name!r}]: {error}") from error


def check_data(runs: Iterable[Run], data: Path | None) -> None:
    """Check that the images of some runs are there.

    Args:
        data: the folder of all data.

    Raises:
        UserError: a task's folder is missing.
    """
    for task in {run.task.name: run.task for run in runs if run.task.data is not None}.values():
        if data is None:
            raise UserError(f"task {task.name!r} needs images: give the folder of {task.data!r} by --data")
        if not (data / task.data).is_dir():
            raise UserError(f"task {task.name!r} needs images: there is no folder {data / task.data}; mend --data")


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60:02d} min" if hours else f"{rest // 60} min {rest % 60:02d} s"
