from pathlib import Path

import pytest
import torch
from mmengine.fileio import LocalBackend

from lwdna_mm.compat.mmengine_io import AtomicLocalBackend, load_weights_only
from lwdna_mm.engine import run
from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
from tests.digits_runs import tiny_config


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return open, (str(self.trace), "w")


@pytest.fixture
def hostile(tmp_path):
    path = tmp_path / "hostile.pth"
    torch.save(dict(state_dict={}, meta=dict(epoch=0, iter=0), payload=Hostile(tmp_path / "ran")), path)
    return path


def test_a_checkpoint_cannot_run_code(hostile, tmp_path):
    with pytest.raises(UserError, match="not a checkpoint of tensors and plain values"):
        load_weights_only(hostile)
    with pytest.raises(UserError, match="hostile"):
        run(tiny_config(tmp_path / "run", lwdna=False, load_from=str(hostile)))
    with pytest.raises(UserError, match="hostile"):
        run(tiny_config(tmp_path / "run", lwdna=False), resume=hostile)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(UserError, match="without weights_only"):
        load_weights_only(hostile, weights_only=False)


def test_the_config_text_of_a_checkpoint_is_not_executed(tmp_path):
    run(tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=1))
    checkpoint = load_checkpoint_file(tmp_path / "epoch_1.pth")
    checkpoint["meta"]["config"] = f"open({str(tmp_path / 'ran')!r}, 'w')"
    torch.save(checkpoint, tmp_path / "epoch_1.pth")
    run(tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=2), resume=True)
    assert load_checkpoint_file(tmp_path / "epoch_2.pth")["meta"]["epoch"] == 2
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def events(monkeypatch):
    seen = []
    put, remove = AtomicLocalBackend.put, LocalBackend.remove

    def noted_put(self, obj, path):
        put(self, obj, path)
        seen.append(f"save {Path(path).name}")

    def noted_remove(self, path):
        remove(self, path)
        seen.append(f"remove {Path(path).name}")

    monkeypatch.setattr(AtomicLocalBackend, "put", noted_put)
    monkeypatch.setattr(LocalBackend, "remove", noted_remove)
    return seen


def test_old_checkpoints_go_after_the_new_one_is_there(tmp_path, events):
    run(tiny_config(tmp_path, lwdna=False, train_cfg__val_interval=1, default_hooks__checkpoint__max_keep_ckpts=1))
    assert events.index("remove epoch_1.pth") > events.index("save epoch_2.pth")
    best = [event for event in events if "best" in event]
    assert best[0].startswith("save")
    for i, event in enumerate(best):
        if event.startswith("remove"):
            assert best[i - 1].startswith("save")
    files = {path.name for path in tmp_path.glob("*.pth")}
    assert len([name for name in files if name.startswith("best")]) == 1
    assert {name for name in files if not name.startswith("best")} == {"epoch_3.pth"}
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_kill_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    AtomicLocalBackend().put(b"old", path)

    def killed(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        AtomicLocalBackend().put(b"new", path)
    assert path.read_bytes() == b"old"
