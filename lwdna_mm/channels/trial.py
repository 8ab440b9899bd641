"""Trying a graph out: which groups do not come out right, and freezing them."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.resize import verify
from lwdna_mm.channels.transfer import ResizeError


def freeze_failures(model: nn.Module, graph: ChannelGraph) -> ChannelGraph:
    """Resize the model up and down; freeze the group that fails, and try again until none does."""
    asked = graph.tracing.keep
    reasons: dict[str, str] = {}
    while True:
        smaller = {name: max(1, group.width - 1) for name, group in graph.free.items()}
        try:
            verify(model, graph, graph.scaled(2.0))
            verify(model, graph, ChannelPlan(smaller))
            break
        except ResizeError as error:
            if error.group is None:
                raise
            reasons[error.group] = str(error)
            graph = build_graph(model, replace(graph.tracing, keep=(*asked, *reasons)))
    for name, reason in reasons.items():
        graph.frozen[name] = reason
        graph.notes = [n for n in graph.notes if not n.startswith(f"'{name}' ")] + [f"'{name}' is frozen: {reason}"]
    return graph
