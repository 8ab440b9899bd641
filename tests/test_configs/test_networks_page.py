"""docs/networks.md: published figures as their sources have them, and ours as they are."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import torchvision

from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.trace import trace
from tests.test_configs.networks import GOLDEN, PATHS, REFERENCES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "networks.md").read_text()
NONE = "no published figure"
# What turns a config's network into the one that the figures are of; nothing where they are of the config itself.
LARGE = {"model.head.num_classes": 1000, "input_shape": (3, 224, 224)}
STRIDES = {"model.backbone.modules": []}
CHANGES = {
    "RegNetX-400MF": {**LARGE, **STRIDES},
    "MobileNetV1": LARGE,
    "MobileNetV3-large": {**LARGE, **STRIDES},
    "MNASNet": LARGE,
}


def cells(section: str) -> list[list[str]]:
    """The table of a section of the page, without its head."""
    lines = [line for line in PAGE.split(f"## {section}", 1)[1].split("\n## ", 1)[0].splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


ROWS = {name: rest for name, *rest in cells("Figures")}


def number(cell: str) -> float | None:
    """From ``4.089 G`` or ``25,557,032`` to a number."""
    if cell == NONE:
        return None
    value, _, unit = cell.replace(",", "").partition(" ")
    return float(value) * {"": 1, "G": 1e9, "M": 1e6}[unit]


def measured(name: str) -> tuple[int, int]:
    """FLOPs and parameters of the network of a row."""
    stem = re.fullmatch("`(.+)`", ROWS[name][0])[1]
    if not CHANGES.get(name):
        costs = json.loads(GOLDEN.read_text())[stem.replace("_", "_lwdna_", 1)]
        return costs["flops"], costs["params"]
    cfg = load_config(PATHS[stem], CHANGES[name])
    graph = trace(build_model(cfg), dict(input_shape=[cfg.input_shape]))
    return graph.flops(), graph.params()


@pytest.mark.parametrize("name", ROWS)
def test_figures_agree(name: str):
    _, flops, our_flops, params, our_params, source = ROWS[name]
    ours = measured(name)
    assert (our_flops, our_params) == (f"{ours[0] / 1e9:.4f} G", f"{ours[1]:,}")
    assert (number(flops) is None and number(params) is None) == (source == "-")
    for published, own in zip((flops, params), ours, strict=True):
        value = number(published)
        if value is not None:
            digits = re.sub(r"\D", "", published.split()[0]).lstrip("0")
            rounding = 0.5 * 10.0 ** (1 - len(digits)) * 10 ** int(f"{value:e}".split("e")[1])
            assert abs(own - value) <= max(rounding, 0.01 * value)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row[-1].startswith("torchvision")])
def test_torchvision_says_so(name: str):
    weights = getattr(torchvision.models, re.search(r"`(\w+)`", ROWS[name][-1])[1]).DEFAULT.meta
    assert (number(ROWS[name][1]), number(ROWS[name][3])) == (
        pytest.approx(weights["_ops"] * 1e9),
        weights["num_params"],
    )


def test_every_baseline_has_its_figures_and_its_schedule():
    patterns = {pattern: figures for cell, figures, _ in cells("Baselines") for pattern in re.findall("`(.+?)`", cell)}
    for stem in PATHS:
        if "_lwdna_" not in stem and stem not in REFERENCES:
            fitting = [figures for pattern, figures in patterns.items() if fnmatchcase(stem, pattern)]
            assert len(fitting) == 1, stem
            assert fitting[0] == NONE or set(fitting[0].split(", ")) <= set(ROWS)
    for pattern in patterns:
        assert any(fnmatchcase(stem, pattern) for stem in PATHS), pattern
