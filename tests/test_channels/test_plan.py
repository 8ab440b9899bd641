"""ChannelPlan and its file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lwdna_mm.channels import ChannelPlan, PlanError


def test_widths_and_indices() -> None:
    plan = ChannelPlan({"a": 24, "stem": [0, 2, 3]})
    assert plan.widths == {"a": 24, "stem": 3}
    assert plan.kept == {"stem": [0, 2, 3]}
    assert plan == ChannelPlan({"stem": [0, 2, 3], "a": 24})
    assert plan != ChannelPlan({"stem": 3, "a": 24})


def test_file_is_sorted_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "plan.json"
    ChannelPlan({"b": 3, "a": 2}, {"seed": 1, "flops": 10}).to_json(path)
    assert list(json.loads(path.read_text())) == ["flops", "seed", "widths"]
    assert path.read_text().index('"a"') < path.read_text().index('"b"')
    back = ChannelPlan.from_json(path)
    assert back.widths == {"a": 2, "b": 3}
    assert back.meta == {"seed": 1, "flops": 10}
    assert [p.name for p in path.parent.iterdir()] == ["plan.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such plan file"),
        ("{", "not a plan in JSON"),
        ("[1]", "needs the key 'widths'"),
        ('{"widths": {"a": "x"}}', "needs the key 'widths'"),
        ('{"widths": {"a": 0}}', "group 'a'"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "plan.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PlanError, match=message):
        ChannelPlan.from_json(path)


@pytest.mark.parametrize(
    "entry",
    [
        [True, False, True],
        np.array([True, False]),
        torch.tensor([True, False]),
        "12",
        [1.7, 2.2],
        4.0,
        None,
        {"a": 1},
        [],
        0,
        -3,
        [-1, 2],
        True,
    ],
)
def test_what_is_neither_a_width_nor_indices(entry: object) -> None:
    with pytest.raises(PlanError, match=r"group 'a': .* is neither a width of at least 1 nor a list of indices"):
        ChannelPlan({"a": entry})


def test_numpys_and_torchs_whole_numbers() -> None:
    plan = ChannelPlan({"a": np.int64(4), "b": np.array([2, 0]), "c": torch.tensor([1, 3])})
    assert plan.widths == {"a": 4, "b": 2, "c": 2}
    assert plan.kept == {"b": [2, 0], "c": [1, 3]}
    assert all(type(width) is int for width in plan.widths.values())
