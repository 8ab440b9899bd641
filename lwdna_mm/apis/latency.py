"""The time of a config's network and of its plans: measured, modelled, and by layer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from torch import nn

from ..channels import ChannelGraph
from ..engine.channels_last import is_channels_last
from ..engine.planned import naming_plan, own_plan, resized_model
from ..engine.protocol import build_model
from ..engine.section import parse_section
from ..errors import UserError
from ..latency import Profile, Setting, Workload, ratios, time_in_turns
from ..latency.layers import time_by_layer
from ..latency.steps import make_step
from ..latency.survey import survey
from ..models.builders import as_plan, plan_options
from ..models.trace import parse_shapes, trace
from ..tables import Row

# Networks and their graphs, by name.
Networks = Mapping[str, tuple[nn.Module, ChannelGraph]]

# Of the table by layer: title, cost, scale.
COLUMNS = (("MFLOPs", "flops", 1e-6), ("k acts", "acts", 1e-3), ("k params", "params", 1e-3))


def input_options(cfg: Config) -> dict[str, Any]:
    """How the network of a config is traced, with or without an ``lwdna`` section.

    Raises:
        UserError: the config does not say what the inputs are.
    """
    if cfg.get("lwdna") is not None:
        return parse_section(cfg.lwdna).trace_options
    carried = own_plan(cfg)
    if carried is not None:
        return plan_options(as_plan(carried), None)
    if cfg.get("input_shape") is None:
        raise UserError(f"{cfg.filename}: no input_shape; add one, such as input_shape = (3, 32, 32)")
    shapes = [list(shape) for shape in parse_shapes(cfg.input_shape)]
    return dict(input_shape=shapes, amortized=list(cfg.get("amortized", ())))


class Timed:
    """The network of a config, and how it is traced and run.

    Args:
        cfg: from :func:`lwdna_mm.engine.load_config`.

    Attributes:
        network: the baseline.
        shapes: (C, H, W) of its inputs.
        graph: its graph.
        channels_last: whether the config lays its networks out so.

    Raises:
        UserError: the config does not say what the inputs are.
    """

    def __init__(self, cfg: Config) -> None:
        self.cfg = cfg
        self.options = input_options(cfg)
        self.shapes = parse_shapes(self.options["input_shape"])
        self.network = build_model(cfg)
        self.graph = trace(self.network, self.options)
        self.channels_last = is_channels_last(cfg)

    def of_plan(self, plan: str | Path) -> tuple[nn.Module, ChannelGraph]:
        """The network of a plan, and its graph."""
        cfg = self.cfg.copy()
        cfg.model = resized_model(cfg, str(plan))
        with naming_plan(plan):
            network = build_model(cfg)
        return network, trace(network, self.options)


def profile_latency(
    timed: Timed,
    workloads: Sequence[Workload],
    setting: Setting,
    tell: Callable[[str], object],
    divisor: int = 1,
    **how: Any,
) -> Profile:
    """Time the network and random plans of it, and model its time.

    Args:
        divisor: of the plans' widths.
        how: ``plans, held_out, seconds, turns``, see :func:`lwdna_mm.latency.survey.survey`.
    """
    graph = timed.graph
    fitted = survey(timed.network, graph, timed.shapes, workloads, setting, divisor, tell=tell, **how)
    about = dict(date=date.today().isoformat(), versions=_versions(), trace=timed.options)
    widths = {name: group.width for name, group in graph.free.items()}
    config = Path(timed.cfg.filename).stem
    return Profile(config, graph.fingerprint, setting, about, divisor, widths, graph.complexity, fitted)


def cost_rows(
    networks: Networks,
    timed: Timed,
    workloads: Sequence[Workload],
    setting: Setting,
    tell: Callable[[str], object],
    **how: Any,
) -> list[Row]:
    """The costs of networks that are timed in turns: a row for each with FLOPs, parameters, activations, milliseconds,
    and multiples of the first network's time in the same turn (median, and the quartiles in brackets).

    Args:
        how: ``turns, seconds``, see :func:`lwdna_mm.latency.time_in_turns`.
    """
    rows: list[Row] = []
    for name, (_, graph) in networks.items():
        counted = {"MFLOPs": graph.flops() / 1e6, "M params": graph.params() / 1e6, "M acts": graph.acts() / 1e6}
        rows.append({"network": name, **counted})
    for workload in workloads:
        steps = [make_step(network, timed.shapes, workload, setting) for network, _ in networks.values()]
        times = time_in_turns(steps, setting, tell=lambda line, of=workload: tell(f"{of}: {line}"), **how)
        low, middle, high = np.percentile(ratios(times), (25, 50, 75), axis=0)
        for index, row in enumerate(rows):
            row[f"{workload} (ms)"] = 1e3 * float(np.median(times[:, index]))
            row[f"{workload}, ratio"] = f"{middle[index]:.3f} [{low[index]:.3f}, {high[index]:.3f}]"
    return rows


def layer_rows(networks: Networks, timed: Timed, workload: Workload, setting: Setting) -> list[Row]:
    """FLOPs, activations, parameters and milliseconds of every layer of every network, side by side.

    The time is that of the forward pass in torch, under its profiler; the last row holds what is in no layer.
    """
    layers = list(timed.graph.complexity.layers)
    rows: list[Row] = [{"layer": name} for name in [*layers, "all else"]]
    for name, (network, graph) in networks.items():
        step = make_step(network, timed.shapes, Workload(workload.batch), replace(setting, backend="torch"))
        times = time_by_layer(network, step, layers, setting.cuda)
        for row, layer in zip(rows, [*layers, ""], strict=True):
            costs = graph.complexity.layers.get(layer) if layer else None
            for title, kind, scale in COLUMNS:
                row[f"{name} {title}"] = scale * float(getattr(costs, kind)(graph.vector())) if costs else ""
            row[f"{name} ms"] = 1e3 * times[layer]
    return rows


def _versions() -> dict[str, str]:
    versions = {}
    for package in ("torch", "onnxruntime"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
