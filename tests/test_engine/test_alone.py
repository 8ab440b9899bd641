"""One run at a time in a work_dir; what killed runs and damaged files cost."""

import pytest
import torch

from lwdna_mm.engine import run, shrink
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
        with pytest.raises(UserError, match=f"^{tmp_path}: another process works there"):
            shrink(tiny_config(tmp_path), tmp_path / "plan.json")
        assert {path.name for path in tmp_path.iterdir()} == {"last_checkpoint", ".epoch_9.pth.77.tmp", "run.lock"}
    (tmp_path / "visuals" / "baby").mkdir(parents=True)
    (tmp_path / "visuals" / "baby" / ".output.png.77.tmp").touch()
    run(tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=1))
    assert not [*tmp_path.rglob(".*.tmp")]


def test_a_link_in_a_work_dir_is_not_followed(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").write_text("kept")
    for name in ("resnet8_1xb32_digits.py", "epoch_1.pth", "last_checkpoint", "summary.json"):
        (tmp_path / "run" / name).symlink_to(tmp_path / "secret")
    run(tiny_config(tmp_path / "run", lwdna=False, train_cfg__max_epochs=1))
    assert (tmp_path / "secret").read_text() == "kept"
    assert not any(path.is_symlink() for path in (tmp_path / "run").iterdir())


def test_a_linked_folder_in_a_work_dir_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "search").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=f"^{tmp_path}/run/search is a link to a folder"):
        run(tiny_config(tmp_path / "run"))
    with pytest.raises(UserError, match=f"^{tmp_path}/run/search is a link to a folder"):
        shrink(tiny_config(tmp_path / "run"), tmp_path / "plan.json")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["search"]
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_taken(tmp_path, capfd):
    run(tiny_config(tmp_path, lwdna=False, **CHECKPOINTS))
    assert sorted(path.name for path in tmp_path.glob("*.pth")) == ["epoch_2.pth", "epoch_3.pth"]
    whole = load_checkpoint_file(tmp_path / "epoch_3.pth")["state_dict"]
    content = bytearray((tmp_path / "epoch_3.pth").read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / "epoch_3.pth").write_bytes(content)
    run(tiny_config(tmp_path, lwdna=False, **CHECKPOINTS), resume=True)
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert len(told) == 1
    assert told[0].startswith(f"warning: {tmp_path / 'epoch_3.pth'} cannot be used: ")
    assert told[0].endswith("; going on from epoch_2.pth")
    again = load_checkpoint_file(find_last_checkpoint(tmp_path))["state_dict"]
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_two_checkpoints_are_kept_by_the_configs(tmp_path):
    run(tiny_config(tmp_path, lwdna=False, default_hooks__checkpoint__save_best=None))
    assert sorted(path.name for path in tmp_path.glob("*.pth")) == ["epoch_2.pth", "epoch_3.pth"]
