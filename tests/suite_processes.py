"""Suites in processes of their own, and a look at which of these live."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Is told the seconds since the beginning, and says whether it has come.
Moment = Callable[[float], bool]
# Two runs of two epochs, and one that waits for the other one's result.
SHORT = f"""
_base_ = "{ROOT}/configs/suites/_base_/arms.py"
metric = "accuracy/top1"
options = {{"train_cfg.max_epochs": 2, "train_cfg.val_interval": 2, "lwdna.shrink.iters": 3, "log_level": "WARNING"}}
tasks = dict(
    digits=dict(
        config="{ROOT}/configs/classification/resnet8_lwdna_1xb32_digits.py",
        arms=dict(baseline=1, lwdna=1, narrow=1),
    )
)
"""


def command(name: str, suite: Path, work_dir: Path, *options: str) -> list[str]:
    """The command line of tools/suite.py."""
    return [sys.executable, str(ROOT / "tools" / "suite.py"), name, str(suite), "--work-dir", str(work_dir), *options]


def wait_for(moment: Moment, process: subprocess.Popen) -> bool:
    """Wait for a moment; False where a process ends, and well, before it comes."""
    began = time.monotonic()
    while not moment(time.monotonic() - began):
        if process.poll() is not None:
            assert process.returncode == 0
            return False
        time.sleep(0.02)
    return process.poll() is None


def workers(work_dir: Path) -> list[int]:
    """The processes that now do a run below a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().split(b"\0")
        except OSError:  # it has just ended
            continue
        if b"lwdna_mm.suite.worker" in line and any(part.startswith(str(work_dir).encode()) for part in line):
            found.append(int(path.parent.name))
    return found


def parent(pid: int) -> int:
    """The process that has started another one."""
    status = Path("/proc", str(pid), "status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))


def report(suite: Path, work_dir: Path) -> str:
    """The Markdown of a suite's report."""
    subprocess.run(command("report", suite, work_dir), check=True, stdout=subprocess.DEVNULL)
    return (work_dir / "report" / "report.md").read_text()
