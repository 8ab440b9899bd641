"""Every config that trains has an LW-DNA twin: the same config with one section more."""

import pytest

from tests.test_configs.networks import PATHS, REFERENCES, TWINS, read_config, read_section


def test_every_config_that_trains_has_a_twin():
    baselines = [name.replace("_lwdna_", "_") for name in TWINS]
    assert sorted(PATHS) == sorted([*baselines, *TWINS, *REFERENCES])


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_adds_its_section_and_nothing_else(name: str):
    baseline, twin = (read_config(stem).to_dict() for stem in (name.replace("_lwdna_", "_"), name))
    section = read_section(name)
    del twin["lwdna"]
    assert twin == baseline
    shapes = baseline["input_shape"]
    assert section.input_shapes == (tuple(map(tuple, shapes)) if isinstance(shapes, list) else (tuple(shapes),))
    assert section.amortized == tuple(baseline.get("amortized", ()))
    assert section.budget.flops == 1.0
