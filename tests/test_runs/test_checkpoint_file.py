import pickle

import pytest
import torch

from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import (
    check_fits,
    check_resumable,
    find_intact_checkpoint,
    find_last_checkpoint,
    load_checkpoint_file,
)


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


def test_last_checkpoint_of_a_moved_folder(tmp_path):
    assert find_last_checkpoint(tmp_path) is None
    (tmp_path / "last_checkpoint").write_text("/gone/epoch_2.pth")
    assert find_last_checkpoint(tmp_path) == tmp_path / "epoch_2.pth"


DAMAGES = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "emptied": lambda path: path.write_bytes(b""),
    "flipped": lambda path: path.write_bytes(
        bytes(byte ^ (index == 1500) for index, byte in enumerate(path.read_bytes()))
    ),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_newest_checkpoint_that_is_whole(tmp_path, damage):
    assert find_intact_checkpoint(tmp_path) == (None, "")
    for name in ("iter_9.pth", "iter_10.pth", "iter_200.pth", "best_psnr_iter_150.pth", "iter_7.txt", "x_iter_9.pth"):
        torch.save(dict(state_dict=dict(weight=torch.arange(500.0))), tmp_path / name)
    (tmp_path / "last_checkpoint").write_text("iter_10.pth")
    assert find_intact_checkpoint(tmp_path) == (tmp_path / "iter_10.pth", "")
    DAMAGES[damage](tmp_path / "iter_10.pth")
    found, told = find_intact_checkpoint(tmp_path)
    assert found == tmp_path / "iter_9.pth"
    assert told.startswith(f"{tmp_path / 'iter_10.pth'} ")
    assert told.endswith("; going on from iter_9.pth")
    assert "\n" not in told
    (tmp_path / "iter_9.pth").write_bytes(b"")
    with pytest.raises(UserError, match=r"iter_10\.pth .*iter_9\.pth .*no checkpoint before it"):
        find_intact_checkpoint(tmp_path)


def test_what_cannot_be_resumed_is_told():
    meta = dict(epoch=1, iter=4)
    hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    check_resumable(dict(meta=meta, message_hub=hub), "x.pth")
    broken = [dict(meta=meta), dict(message_hub=hub), dict(meta=dict(meta, iter=-1), message_hub=hub)]
    for other in (*broken, dict(meta=meta, message_hub={})):
        with pytest.raises(UserError, match=r"x\.pth: cannot be resumed"):
            check_resumable(other, "x.pth")
