import json
import struct

import pytest
import torch

from lwdna_mm.compat.mmengine_io import load_weights_only
from lwdna_mm.compat.safetensors_file import MOST_LISTED, to_safetensors
from lwdna_mm.errors import UserError
from tests.memory import at_most

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


def packed(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(shape: list, end: int, begin: int = 0, kind: str = "F32") -> dict:
    return {"w": {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}}


HOSTILE = {
    "a header longer than the file": packed({}, length=2**20),
    "a header longer than any": packed({}, length=2**63 - 1),
    "a header that is too long": packed(b"{}" + b" " * (MOST_LISTED + 1)),
    "a thousand million numbers of four": packed(one([10**9], 16), bytes(16)),
    "more numbers than there are": packed(one([2**40, 2**40], 16), bytes(16)),
    "a shape below nothing": packed(one([-4], 16), bytes(16)),
    "a shape that is none": packed(one(["4"], 16), bytes(16)),
    "data beyond the file": packed(one([4], 2**40, 2**40 - 16), bytes(16)),
    "data that ends before it begins": packed(one([4], 0, 16), bytes(16)),
    "data twice": packed({**one([4], 16), "v": one([4], 16)["w"]}, bytes(16)),
    "data for nothing": packed(one([4], 16), bytes(2**20)),
    "an object": packed(one([1], 8, kind="O"), bytes(8)),
    "no header": packed(b"[]"),
    "no text": packed(b"\xff\xff"),
    "lists in lists": packed(b'{"w":' + b"[" * 10**6),
    "a plan of lists in lists": packed({"__metadata__": {"lwdna_plan": "[" * 10**6}}),
    "a plan that is no JSON": packed({"__metadata__": {"lwdna_plan": "widths"}}),
    "a pickle": b"\x80\x02cposix\nsystem\n(X\x09\0\0\0touch rantR.",
}


@pytest.mark.parametrize("about", HOSTILE)
def test_hostile_files_are_one_line_in_little_memory(tmp_path, monkeypatch, about):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.safetensors"
    path.write_bytes(HOSTILE[about])
    with at_most(2**28), pytest.raises(UserError, match=r"net\.safetensors: cannot be read as safetensors") as error:
        load_weights_only(path)
    assert "\n" not in str(error.value)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.full
def test_many_tensors_of_nothing_take_little_memory(tmp_path):
    nothing = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = json.dumps({f"{i:x}": nothing for i in range(MOST_LISTED // 70)}, separators=(",", ":")).encode()
    assert MOST_LISTED // 2 < len(header) <= MOST_LISTED
    (tmp_path / "net.safetensors").write_bytes(packed(header))
    with at_most(2**29):
        load_weights_only(tmp_path / "net.safetensors")


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: b"\xff" + data[1:], lambda data: b""])
def test_damaged_files_are_one_line(tmp_path, damage):
    path = tmp_path / "net.safetensors"
    write(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"net\.safetensors: cannot be read as safetensors") as error:
        load_weights_only(path)
    assert "\n" not in str(error.value)
