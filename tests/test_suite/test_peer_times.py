"""The comparison with Torch-Pruning times what it says, and names the extra that it needs."""

import sys

import pytest
import torch
from torch import nn

from lwdna_mm.errors import UserError
from lwdna_mm.suite.peer_times import compare_engines


def small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
    )


def test_every_side_is_timed():
    pytest.importorskip("torch_pruning")
    model, image = small(), torch.rand(1, 3, 8, 8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    row = compare_engines(model, image, repeats=1)
    assert list(row) == [
        "forward (s)", "analysis (s)", "their graph (s)", "ours / theirs",
        "analysis, resizing, proof (s)", "their pruning (s)", "together / theirs",
    ]  # fmt: skip
    assert all(value > 0 for value in row.values())
    assert row["ours / theirs"] == row["analysis (s)"] / row["their graph (s)"]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(UserError, match=r"not installed: pip install 'lwdna_mm\[peers\]'"):
        compare_engines(small(), torch.rand(1, 3, 8, 8), repeats=1)
