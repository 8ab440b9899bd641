"""One run at a time in a work_dir; what killed runs and damaged files cost."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lwdna_mm.engine import run
from lwdna_mm.errors import UserError
from lwdna_mm.files import locked
from lwdna_mm.runs.checkpoint_file import find_last_checkpoint, load_checkpoint_file
from tests.digits_runs import tiny_config

CHECKPOINTS = dict(default_hooks__checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=2, _delete_=True))


def test_the_second_run_in_a_folder_is_refused_and_costs_nothing(tmp_path):
    (tmp_path / "last_checkpoint").write_text("epoch_9.pth")
    (tmp_path / ".epoch_9.pth.77.tmp").touch()
    with locked(tmp_path, name="run.lock"):
        for resume in (False, True):
            with pytest.raises(UserError, match=f"^{tmp_path}: another process works there"):
                run(tiny_config(tmp_path), resume=resume)
        assert {path.name for path in tmp_path.iterdir()} == {"last_checkpoint", ".epoch_9.pth.77.tmp", "run.lock"}
    run(tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=1))
    assert not (tmp_path / ".epoch_9.pth.77.tmp").exists()


def test_a_link_in_a_work_dir_is_not_followed(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").write_text("kept")
    for name in ("resnet8_1xb32_digits.py", "epoch_1.pth", "last_checkpoint", "summary.json"):
        (tmp_path / "run" / name).symlink_to(tmp_path / "secret")
    run(tiny_config(tmp_path / "run", lwdna=False, train_cfg__max_epochs=1))
    assert (tmp_path / "secret").read_text() == "kept"
    assert not any(path.is_symlink() for path in (tmp_path / "run").iterdir())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of three epochs."""
    folder = tmp_path_factory.mktemp("finished")
    run(tiny_config(folder, lwdna=False, **CHECKPOINTS))
    assert sorted(path.name for path in folder.glob("*.pth")) == ["epoch_2.pth", "epoch_3.pth"]
    return folder


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "emptied": lambda path: path.write_bytes(b""),
    "flipped": flip,
    "gone": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_taken(finished, tmp_path, capfd, damage):
    work_dir = tmp_path / "run"
    work_dir.mkdir()
    for path in [*finished.glob("*.pth"), finished / "last_checkpoint"]:
        (work_dir / path.name).write_bytes(path.read_bytes())
    DAMAGES[damage](work_dir / "epoch_3.pth")
    run(tiny_config(work_dir, lwdna=False, **CHECKPOINTS), resume=True)
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert len(told) == 1
    assert told[0].startswith(f"warning: {work_dir / 'epoch_3.pth'} ")
    assert told[0].endswith("; going on from epoch_2.pth")
    whole, again = (load_checkpoint_file(find_last_checkpoint(one))["state_dict"] for one in (finished, work_dir))
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    for path in work_dir.glob("epoch_*.pth"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"epoch_3\.pth .*epoch_2\.pth .*no checkpoint before it"):
        run(tiny_config(work_dir, lwdna=False, **CHECKPOINTS), resume=True)


def test_two_checkpoints_are_kept_by_the_configs(tmp_path):
    run(tiny_config(tmp_path, lwdna=False, default_hooks__checkpoint__save_best=None))
    assert sorted(path.name for path in tmp_path.glob("*.pth")) == ["epoch_2.pth", "epoch_3.pth"]


def test_a_run_that_is_killed_with_its_workers_alive_can_be_resumed_at_once(tmp_path):
    """Workers of a killed process live for some seconds, and must not hold its lock."""
    program = f"""
import os, signal
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from lwdna_mm.engine import run
from tests.digits_runs import tiny_config

@HOOKS.register_module()
class DieHook(Hook):
    def after_train_iter(self, runner, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

hooks = [dict(type="DieHook")]
run(tiny_config({str(tmp_path)!r}, lwdna=False, train_dataloader__num_workers=1, custom_hooks=hooks))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode == -9
    with locked(tmp_path, name="run.lock"):
        pass
