"""Doing the runs of a suite: what is ready, several at once, whatever becomes of the others."""

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

from ..errors import UserError
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
    """

    def __init__(
        self,
        suite: Suite,
        runs: Sequence[Run],
        path: Path,
        execute: Execute,
        slots: int,
        say: Callable[[str], None] = print,
    ) -> None:
        self.suite, self.runs, self.path = suite, runs, path
        self.execute, self.slots, self.say = execute, slots, say
        self.done = done_records(suite, runs, read_records(path))
        self.failed: dict[Key, str] = {}
        self.seconds: list[float] = []  # of the runs done here

    def run(self) -> bool:
        """Do all that is not done; whether nothing has failed."""
        self.say(f"{self.suite.name}: {len(self.done)} of {len(self.runs)} runs are done; records in {self.path}")
        waiting = [run for run in self.runs if run.key not in self.done]
        working: dict[Future, tuple[Run, float]] = {}
        with ThreadPoolExecutor(self.slots) as pool:
            while waiting or working:
                for run in self._ready(waiting)[: self.slots - len(working)]:
                    waiting.remove(run)
                    working[pool.submit(self._do, run)] = (run, time.monotonic())
                if not working:
                    break
                finished, _ = wait(working, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._finish(*working.pop(future), future, len(waiting) + len(working))
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
        except UserError as error:
            self.failed[run.key] = str(error)
            self.say(f"  {run.key}: failed: {error}")
            return
        self.done[run.key] = record
        write_records(merge(read_records(self.path), [record]), self.path)
        self.seconds.append(took)
        rest = mean(self.seconds) * left / self.slots
        self.say(
            f"[{len(self.done)}/{len(self.runs)}] {run.key}: {record.metric} {record.value:.4g} in {_clock(took)}; "
            f"about {_clock(rest)} left"
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others from running a suite in the same folder; the lock ends with its process.

    Raises:
        UserError: somebody else runs one there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"{folder}: another process runs a suite there") from error
        yield


def done_records(suite: Suite, runs: Sequence[Run], records: Iterable[Record]) -> dict[Key, Record]:
    """The records of a suite's runs, by key, that were obtained as the suite now says."""
    kept = {record.key: record for record in records}
    done: dict[Key, Record] = {}
    for run in runs:  # what a run needs comes before it
        record = kept.get(run.key)
        if record is None or any(need not in done for need in run.needs):
            continue
        if resolve(suite, run, done).spec == record.spec:
            done[run.key] = record
    return done


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60:02d} min" if hours else f"{rest // 60} min {rest % 60:02d} s"
