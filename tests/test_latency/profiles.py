"""Latency models written by hand, for the digits network."""

import functools

import numpy as np
from torch import nn

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.engine import load_config, parse_section
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.latency import LatencyModel, Profile, Setting, Workload
from lwdna_mm.latency.fit import Error
from lwdna_mm.latency.profile import Fitted
from lwdna_mm.models.trace import trace
from tests.digits_runs import CONFIGS

CONFIG = CONFIGS / "resnet8_lwdna_1xb32_digits.py"


@functools.cache
def digits() -> tuple[nn.Module, ChannelGraph]:
    """The digits network and its graph; not to be changed."""
    cfg = load_config(CONFIG)
    model = build_model(cfg)
    return model, trace(model, parse_section(cfg.lwdna).trace_options)


def model_of(graph: ChannelGraph, constant: float = 0.2, lanes: int = 1) -> LatencyModel:
    """A fifth is constant, four fifths go with the FLOPs; of the first layer half of that with its activations, of the
    last with its FLOPs in whole vectors.
    """
    flops = {name: float(one.flops(graph.vector())) for name, one in graph.complexity.layers.items()}
    shares = {name: dict(flops=(1 - constant) * value / sum(flops.values())) for name, value in flops.items()}
    first = next(iter(shares))
    shares[first] = dict(flops=shares[first]["flops"] / 2, acts=shares[first]["flops"] / 2)
    last = list(shares)[-1]
    shares[last] = dict(vectors=shares[last]["flops"])
    return LatencyModel(constant, lanes, shares)


def profile_of(graph: ChannelGraph, workloads: tuple[Workload, ...] = (Workload(1),), **setting) -> Profile:
    """A profile of this process's setting, with the model above for every workload."""
    about = dict(date="2026-01-01", versions=dict(torch="2"), trace=dict(input_shape=[[1, 8, 8]]))
    widths = {name: group.width for name, group in graph.free.items()}
    fitted = tuple(Fitted(one, 0.001, model_of(graph), Error(0.01, 0.02, 0.99, 12)) for one in workloads)
    return Profile("digits", graph.fingerprint, Setting.here(**setting), about, 1, widths, graph.complexity, fitted)


def random_widths(graph: ChannelGraph, count: int, seed: int = 0) -> np.ndarray:
    """Any widths between 1 and twice the network's."""
    return np.random.default_rng(seed).integers(1, 2 * graph.vector() + 1, (count, len(graph.free)))
