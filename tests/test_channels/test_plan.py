"""ChannelPlan and its file."""

import json
from pathlib import Path

import pytest

from lwdna_mm.channels import ChannelPlan, PlanError


def test_widths_and_indices() -> None:
    plan = ChannelPlan({"a": 24, "stem": [0, 2, 3]})
    assert plan.widths == {"a": 24, "stem": 3}
    assert plan.kept == {"stem": [0, 2, 3]}
    assert plan == ChannelPlan({"stem": [0, 2, 3], "a": 24})
    assert plan != ChannelPlan({"stem": 3, "a": 24})


@pytest.mark.parametrize("entry", [0, -1, True, [], [-1, 2]])
def test_impossible_entries(entry: object) -> None:
    with pytest.raises(PlanError, match="group 'a'"):
        ChannelPlan({"a": entry})


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
