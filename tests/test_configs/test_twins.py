"""Every config that trains has an LW-DNA twin: the same config with one section more."""

from pathlib import Path

import pytest

from lwdna_mm.engine import load_config, parse_section

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
PATHS = {path.stem: path for path in sorted(CONFIGS.glob("[!_]*/*.py")) if path.parent.name != "suites"}
TWINS = [name for name in PATHS if "_lwdna_" in name]
# Bicubic interpolation and the noisy image itself are references without parameters.
REFERENCES = [name for name in PATHS if name.startswith(("bicubic_", "noisy_"))]


def test_every_config_that_trains_has_a_twin():
    baselines = [name.replace("_lwdna_", "_") for name in TWINS]
    assert sorted(PATHS) == sorted([*baselines, *TWINS, *REFERENCES])


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_adds_its_section_and_nothing_else(name: str):
    baseline, twin = (load_config(PATHS[stem]).to_dict() for stem in (name.replace("_lwdna_", "_"), name))
    section = parse_section(twin.pop("lwdna"))
    assert twin == baseline
    shapes = baseline["input_shape"]
    assert section.input_shapes == (tuple(map(tuple, shapes)) if isinstance(shapes, list) else (tuple(shapes),))
    assert section.amortized == tuple(baseline.get("amortized", ()))
    assert section.budget.flops == 1.0
