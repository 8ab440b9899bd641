"""FLOPs, parameters, activations and channel groups of the network of every config, pinned in golden_complexity.json.

After a change that is meant: ``python -m tests.test_configs.test_golden`` writes the file anew.
"""

import json
from pathlib import Path

import pytest

from lwdna_mm.engine import load_config, parse_section
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.trace import trace

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("golden_complexity.json")
# Every config that can become an LW-DNA network has a twin with an lwdna section.
TWINS = {p.stem: p for p in sorted((ROOT / "configs").glob("[!_]*/*_lwdna_*.py"))}


def measure(path: Path) -> dict[str, int]:
    """Multiply-adds of one sample, parameters, activations and channel groups of the config's baseline."""
    cfg = load_config(path)
    section = parse_section(cfg.lwdna)
    graph = trace(build_model(cfg), section.trace_options)
    return {"flops": graph.flops(), "params": graph.params(), "acts": graph.acts(), "groups": len(graph.groups)}


@pytest.mark.parametrize("name", TWINS)
def test_complexity_is_pinned(name: str) -> None:
    assert measure(TWINS[name]) == json.loads(GOLDEN.read_text())[name]


def test_no_config_is_missing() -> None:
    assert sorted(json.loads(GOLDEN.read_text())) == sorted(TWINS)


if __name__ == "__main__":
    rows = [f'  "{name}": {json.dumps(measure(path))}' for name, path in TWINS.items()]
    GOLDEN.write_text("{\n" + ",\n".join(rows) + "\n}\n")
