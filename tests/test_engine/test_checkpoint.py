import pickle
from pathlib import Path

import pytest
import torch
from mmengine.fileio import LocalBackend

from lwdna_mm.compat.mmengine_io import AtomicLocalBackend, load_weights_only
from lwdna_mm.engine import run
from lwdna_mm.engine.checkpoint import check_fits, find_last_checkpoint, load_checkpoint_file
from lwdna_mm.errors import UserError
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


def test_damaged_and_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match="no such checkpoint"):
        load_checkpoint_file(tmp_path / "none.pth")
    whole = pickle.dumps(1)
    torch.save(dict(state_dict={}), tmp_path / "cut.pth")
    for content in (b"", (tmp_path / "cut.pth").read_bytes()[:100], b"no checkpoint", whole[:3]):
        (tmp_path / "cut.pth").write_bytes(content)
        with pytest.raises(UserError, match=r"cut\.pth"):
            load_checkpoint_file(tmp_path / "cut.pth")
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(UserError, match="no 'state_dict'"):
        load_checkpoint_file(tmp_path / "list.pth")


def test_check_fits_names_the_tensor():
    wanted = dict(a=torch.zeros(2, 3), n=torch.tensor(0))
    check_fits(dict(wanted), "x.pth", wanted)
    with pytest.raises(UserError, match=r"x.pth is of another network: a is of shape \(3, 3\) there"):
        check_fits(dict(wanted, a=torch.zeros(3, 3)), "x.pth", wanted)
    with pytest.raises(UserError, match=r"n is absent there and of shape \(\) here"):
        check_fits(dict(a=wanted["a"]), "x.pth", wanted)
    with pytest.raises(UserError, match="b is of shape"):
        check_fits(dict(wanted, b=wanted["a"]), "x.pth", wanted)


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
    run(tiny_config(tmp_path, lwdna=False, train_cfg__val_interval=1))
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


def test_last_checkpoint_of_a_moved_folder(tmp_path):
    assert find_last_checkpoint(tmp_path) is None
    (tmp_path / "last_checkpoint").write_text("/gone/epoch_2.pth")
    assert find_last_checkpoint(tmp_path) == tmp_path / "epoch_2.pth"
