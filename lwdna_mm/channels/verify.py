"""Proof that a resized network is what its plan says."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from lwdna_mm.channels.build import trace_graph
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.labels import Site
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.resize import ResizeError, Sources, build_resized
from lwdna_mm.channels.trace import evaluating

# float32 sums in another order; a misplaced channel changes a random network's output by far more.
TOLERANCE = 1e-3


def check(model: nn.Module, graph: ChannelGraph, sources: Sources, resized: nn.Module) -> None:
    """Raise ResizeError unless ``resized`` has the planned cost and computes the masked original."""
    plan = ChannelPlan({name: len(kept) for name, kept in sources.items()})
    measured, _ = trace_graph(resized, graph.tracing)
    for what in ("flops", "params"):
        planned, real = getattr(graph, what)(plan), getattr(measured, what)()
        if planned != real:
            raise ResizeError(f"the resized network has {real} {what}, its plan says {planned}")
    if mismatch(model, graph, sources) > TOLERANCE:
        for name, kept in sources.items():
            if mismatch(model, graph, {name: kept}) > TOLERANCE:
                raise ResizeError(f"resized, group '{name}' does not compute what it should", name)
        raise ResizeError("the resized network does not compute what it should")


def mismatch(model: nn.Module, graph: ChannelGraph, sources: Sources) -> float:
    """Largest difference of the outputs, relative to their size, between the original with the removed
    channels masked and the resized network with all copies of a channel but one masked; random values."""
    original = randomized(model)
    resized = build_resized(original, graph, sources)
    after, _ = trace_graph(resized, graph.tracing)
    for name, kept in sources.items():
        group = graph.groups[name]
        mask(original, {s: group.members[s] for s in group.gated}, sorted(set(range(group.width)) - set(kept)))
        copies = [n for n in range(1, len(kept)) if kept[n] == kept[n - 1]]
        if copies:
            group = after.groups[name]
            mask(resized, {s: group.members[s] for s in group.gated}, copies)
    expected, got = _run(original, graph), _run(resized, graph)
    if [t.shape for t in expected] != [t.shape for t in got]:
        return float("inf")
    pairs = zip(expected, got, strict=True)
    return max((float((a - b).abs().max() / a.abs().max().clamp(min=1e-6)) for a, b in pairs), default=0.0)


def mask(model: nn.Module, places: dict[Site, Any], channels: list[int]) -> None:
    """Set the given channels of a group to zero wherever it is gated, in place."""
    parameters = dict(model.named_parameters())
    for (name, dim), positions in places.items():
        index = torch.as_tensor(positions[channels].reshape(-1), dtype=torch.int64)
        with torch.no_grad():
            parameters[name].index_fill_(dim, index.to(parameters[name].device), 0)


def randomized(model: nn.Module) -> nn.Module:
    """A copy with random, well-conditioned values: freshly initialised networks hide whole branches
    behind zeros, and then no output could tell a right network from a wrong one."""
    model = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=generator).to(tensor)
            if isinstance(tensor, nn.Parameter):
                fan_in = max(tensor[0].numel(), 1) if tensor.ndim > 1 else 4
                tensor.copy_(noise / fan_in**0.5 + (1.0 if tensor.ndim == 1 and name.endswith("weight") else 0.0))
            elif name.endswith("running_var"):
                tensor.copy_(1 + 0.5 * noise.tanh())
            elif name.endswith("running_mean"):
                tensor.copy_(0.1 * noise)
    return model


def _run(model: nn.Module, graph: ChannelGraph) -> list[Tensor]:
    with evaluating(model):
        output = graph.tracing.forward(model, *graph.tracing.inputs)
    return [t.detach().clone() for t in tree_leaves(output) if isinstance(t, Tensor) and t.is_floating_point()]
