import pickle

import pytest
import torch

from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import check_fits, find_last_checkpoint, load_checkpoint_file


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
