"""Every tracking config builds, can be searched, and costs what it did when it was written."""

from pathlib import Path

import pytest

from lwdna_mm.engine import load_config, parse_section
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.trace import trace

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "tracking"

# FLOPs of the search branch (multiply-adds at 255 pixels), parameters, channel groups free to change.
COMPLEXITY = {
    "siamfc_alexnet-half_1xb8-200_dragonbaby": (813061008, 593696, 4),
    "siamfc_alexnet_1xb8-50e_got10k": (2722365216, 2336320, 4),
    "siamfc_ciresnet22_1xb8-50e_got10k": (2632380928, 1444928, 16),
    "siamrpn_alexnet-half_1xb8-200_dragonbaby": (941457552, 1221694, 7),
    "siamrpn_alexnet_1xb8-50e_got10k": (3234027808, 4837470, 7),
}


def test_every_config_is_listed_and_has_a_twin():
    names = {file.stem for file in CONFIGS.glob("*.py")}
    assert names == {name + end for name in COMPLEXITY for end in ("", "_lwdna")}


@pytest.mark.parametrize("name", COMPLEXITY)
def test_complexity(name):
    twin = load_config(CONFIGS / f"{name}_lwdna.py")
    graph = trace(build_model(twin), parse_section(twin.lwdna).trace_options)
    assert (graph.flops(), graph.params(), len(graph.free)) == COMPLEXITY[name]


@pytest.mark.parametrize("name", COMPLEXITY)
def test_twin_is_the_baseline_but_for_one_section(name):
    baseline, twin = (load_config(CONFIGS / f"{name}{end}.py").to_dict() for end in ("", "_lwdna"))
    section = twin.pop("lwdna")
    assert twin == baseline
    assert section["input_shape"] == baseline["input_shape"]
    assert section["amortized"] == baseline["amortized"]
