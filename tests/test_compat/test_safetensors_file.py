import pytest
import torch

from lwdna_mm.compat.mmengine_io import load_weights_only
from lwdna_mm.compat.safetensors_file import to_safetensors
from lwdna_mm.errors import UserError

PLAN = {"widths": {"stem": 3}, "input_shape": [[3, 8, 8]]}


def write(path, **options) -> dict:
    weight = torch.randn(4, 3)
    state = dict(weight=weight, tied=weight, count=torch.tensor(70_000))
    path.write_bytes(to_safetensors(state, "classification/x.py", PLAN, **options))
    return state


def test_weights_and_plan_come_back(tmp_path):
    state = write(tmp_path / "net.safetensors")
    read = load_weights_only(tmp_path / "net.safetensors", map_location="cpu")
    assert read["meta"] == {"lwdna_plan": PLAN, "config": "classification/x.py"}
    assert set(read["state_dict"]) == set(state)
    assert all(torch.equal(read["state_dict"][name], value) for name, value in state.items())


def test_half_precision_comes_back_as_float32_and_leaves_integers_alone(tmp_path):
    state = write(tmp_path / "net.safetensors", half=True)
    read = load_weights_only(tmp_path / "net.safetensors")["state_dict"]
    assert torch.equal(read["weight"], state["weight"].half().float())
    assert read["count"] == 70_000
    with pytest.raises(UserError, match="w does not fit half precision"):
        to_safetensors(dict(w=torch.tensor([1e6])), "x.py", None, half=True)


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: b"\xff" + data[1:], lambda data: b""])
def test_damaged_files_are_one_line(tmp_path, damage):
    path = tmp_path / "net.safetensors"
    write(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"net\.safetensors: cannot be read as safetensors") as error:
        load_weights_only(path)
    assert "\n" not in str(error.value)
