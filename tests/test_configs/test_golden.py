"""FLOPs, parameters, activations and channel groups of the network of every config, pinned in golden_complexity.json.

After a change that is meant: ``python -m tests.test_configs.test_golden`` writes the file anew.
"""

import json

import pytest

from tests.test_configs.networks import GOLDEN, TWINS, traced


def measure(name: str) -> dict[str, int]:
    """Multiply-adds of one sample, parameters, activations and channel groups of the baseline of a twin."""
    graph = traced(name)
    return {"flops": graph.flops(), "params": graph.params(), "acts": graph.acts(), "groups": len(graph.groups)}


@pytest.mark.parametrize("name", TWINS)
def test_complexity_is_pinned(name: str) -> None:
    assert measure(name) == json.loads(GOLDEN.read_text())[name]


def test_no_config_is_missing() -> None:
    assert sorted(json.loads(GOLDEN.read_text())) == sorted(TWINS)


if __name__ == "__main__":
    rows = [f'  "{name}": {json.dumps(measure(name))}' for name in TWINS]
    GOLDEN.write_text("{\n" + ",\n".join(rows) + "\n}\n")
