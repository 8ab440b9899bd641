"""The network of a config, built, traced, planned and rebuilt once for all the configs that share it."""

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.engine import load_config, parse_section
from lwdna_mm.engine.planned import resized_model
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.engine.section import LwdnaSection
from lwdna_mm.models.builders import resize_fresh
from lwdna_mm.models.trace import trace
from lwdna_mm.runs.plan_file import describe_plan
from lwdna_mm.shrink import CRITERIA, search

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
PATHS = {path.stem: path for path in sorted(CONFIGS.glob("[!_]*/*.py")) if path.parent.name != "suites"}
TWINS = {name: path for name, path in PATHS.items() if "_lwdna_" in name}
# Bicubic interpolation and the noisy image itself are references without parameters.
REFERENCES = [name for name in PATHS if name.startswith(("bicubic_", "noisy_"))]

GOLDEN = Path(__file__).with_name("golden_complexity.json")

_kept: dict[tuple[str, str], Any] = {}


def read_config(name: str) -> Config:
    """A config of the repository, as its file has it: building a model changes its config."""
    return copy.deepcopy(_read(name))


@cache
def _read(name: str) -> Config:
    return load_config(PATHS[name])


def read_section(name: str) -> LwdnaSection:
    """The parsed lwdna section of a twin."""
    return parse_section(read_config(name).lwdna)


def traced(name: str) -> ChannelGraph:
    """The graph of a twin's baseline, at the config's own input shape."""
    return _once(name, "graph", lambda: trace(build_model(read_config(name)), read_section(name).trace_options))


def random_plan(name: str) -> dict[str, Any]:
    """A plan of a twin by random scores, found as a run finds it: content of its plan.json."""

    def find() -> dict[str, Any]:
        section, graph = read_section(name), traced(name)
        wide = resize_fresh(build_model(read_config(name)), graph, graph.scaled(section.widen))
        wide_graph = trace(wide, section.trace_options)
        criterion = dict(type="RandomCriterion", seed=0)
        shrink = section.shrink
        plan = search(
            wide_graph,
            CRITERIA.build(criterion).scores(wide_graph),
            max_flops=section.budget.flops,
            min_ratio=shrink.min_ratio,
            divisor=shrink.divisor,
            policy=shrink.policy,
            relative_to=graph,
        )
        described = describe_plan(plan, wide_graph, graph, section.plan_options, criterion, seed=0)
        return json.loads(json.dumps({**described.meta, "widths": described.widths}))

    return _once(name, "plan", find)


def rebuilt(name: str, plan: dict[str, Any]) -> nn.Module:
    """The network of a twin, resized to a plan."""
    cfg = read_config(name)
    cfg.model = resized_model(cfg, plan)
    return build_model(cfg)


def _once(name: str, what: str, make: Callable[[], Any]) -> Any:
    cfg = read_config(name)
    network = json.dumps([cfg.model.to_dict(), cfg.lwdna.to_dict()], sort_keys=True, default=str)
    if (what, network) not in _kept:
        _kept[what, network] = make()
    return _kept[what, network]
