"""The executor of one machine: every run in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import UserError
from ..files import write_atomically
from .matrix import Order
from .records import Record
from .worker import ORDER, RECORD

LOG = "suite.log"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def local_executor(folder: Path, data: Path | None, threads: int) -> Callable[[Order], Record]:
    """An executor that gives every run a process and a folder below ``folder``.

    Args:
        data: the folder of all images.
        threads: of each process.
    """

    def execute(order: Order) -> Record:
        return run_process(order, folder / order.folder, data, threads)

    return execute


def run_process(order: Order, work_dir: Path, data: Path | None, threads: int) -> Record:
    """Do an order in a process of its own, which goes on with what a killed one has left in ``work_dir``.

    The process ends when this one does.

    Raises:
        UserError: it has failed; the message ends with its own last line.
    """
    kept = _finished(work_dir)
    if kept is not None:
        return kept
    write_atomically((json.dumps(order.to_dict(), indent=2) + "\n").encode(), work_dir / ORDER)
    command = [sys.executable, "-m", "lwdna_mm.suite.worker", str(work_dir), *([str(data)] if data else [])]
    environment = {**os.environ, **dict.fromkeys(_THREADS, str(threads))}
    log = work_dir / LOG
    with log.open("ab") as output:
        before = output.tell()
        # The pipe that nobody writes into closes when this process ends, however it ends.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment)
        with process:
            code = process.wait()
    if code:
        raise UserError(f"{_reason(code, log.read_bytes()[before:])} (see {log})")
    return _finished(work_dir)


def _reason(code: int, output: bytes) -> str:
    """Why a process has failed: what killed it, or the last that it said."""
    if code == -signal.SIGKILL:
        return "killed by SIGKILL; is the memory enough?"
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else f"exit status {code}"


def _finished(work_dir: Path) -> Record | None:
    path = work_dir / RECORD
    try:
        return Record.from_dict(json.loads(path.read_text())) if path.is_file() else None
    except ValueError as error:  # a UserError is one
        raise UserError(f"{path}: {error}; delete it to do the run again") from error
