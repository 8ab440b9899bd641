"""A disk that is full, or that cannot be written to: one line, and what was there before is there still."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from lwdna_mm.engine import run
from lwdna_mm.runs.checkpoint_file import find_last_checkpoint, load_checkpoint_file
from tests.digits_runs import tiny_config
from tests.test_tools.test_command_line import BASELINE, TWIN, call, options
from tests.tracking_data import make_got10k

FILLER = "filler"


def fill(folder: Path) -> None:
    """Take all the space that is left."""
    with (folder / FILLER).open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


@HOOKS.register_module(force=True)
class FillHook(Hook):
    """Fills the disk of the work_dir after an iteration."""

    def __init__(self, after: int) -> None:
        self.after = after

    def after_train_iter(self, runner, **kwargs) -> None:
        if runner.iter + 1 == self.after:
            fill(Path(runner.work_dir))


@pytest.fixture
def disk(tmp_path):
    """A disk of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def one_line(capfd, path: Path, reason: str, *command) -> None:
    """A tool ends with one line about a file in or at ``path``."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        call(*command)
    assert ended.value.code == 2
    told = capfd.readouterr().err.splitlines()
    errors = [line for line in told if line.startswith("error: ")]
    assert len(errors) == 1, told
    assert errors[0].startswith(f"error: {path}")
    assert errors[0].endswith(reason)
    assert not [line for line in told if "Traceback" in line or "Logging error" in line]


def no_space(capfd, path: Path, *command) -> None:
    one_line(capfd, path, ": No space left on device", *command)
    assert not [*path.rglob("*.tmp")]


def test_a_checkpoint(disk, tmp_path, capfd):
    run(tiny_config(tmp_path / "whole", lwdna=False))
    given = ["train", BASELINE, "--work-dir", disk, *options(False)]
    filling = tmp_path / "filling.py"
    filling.write_text(f"_base_ = {BASELINE!r}\ncustom_hooks = [dict(type='FillHook', after=6)]\n")
    no_space(capfd, disk, "train", filling, *given[2:])
    assert find_last_checkpoint(disk).name == "epoch_1.pth"
    load_checkpoint_file(find_last_checkpoint(disk))
    no_space(capfd, disk, *given[:4], "--resume", *given[4:])
    (disk / FILLER).unlink()
    call(*given[:4], "--resume", *given[4:])
    whole, again = (load_checkpoint_file(folder / "epoch_3.pth")["state_dict"] for folder in (tmp_path / "whole", disk))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_plan(disk, tmp_path, capfd):
    given = ["shrink", TWIN, "--out", disk / "plan.json", "--work-dir", tmp_path / "search", *options()]
    call(*given)
    before = {path.name: path.read_bytes() for path in disk.iterdir()}
    assert set(before) == {"plan.json", "plan.pth"}
    fill(disk)
    no_space(capfd, disk, *given)
    (disk / FILLER).unlink()
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == before


def test_a_report_and_results(disk, tmp_path, capfd):
    work_dir = tmp_path / "run"
    run(tiny_config(work_dir, lwdna=False, train_cfg__max_epochs=1))
    make_got10k(tmp_path / "got10k")
    track = ["eval_got10k", "--tracker", "groundtruth", "--root", tmp_path / "got10k", "--out", disk / "tracks"]
    call(*track)
    reported = next(disk.rglob("performance.json"))
    before = json.loads(reported.read_text())
    fill(disk)
    no_space(capfd, disk, "report", work_dir, "--out", disk / "report")
    assert not [*(disk / "report").glob("*")]
    no_space(capfd, disk, *track)
    assert json.loads(reported.read_text()) == before
    assert not [path for path in disk.rglob("*.txt") if not path.stat().st_size]


def test_a_work_dir_that_cannot_be_written_to(disk, capfd):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    one_line(capfd, disk, ": Read-only file system", "train", BASELINE, "--work-dir", disk / "run", *options(False))
