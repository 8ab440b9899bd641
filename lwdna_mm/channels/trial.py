"""Trying a graph out: which groups do not come out right, and freezing them."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.resize import ResizeError, resize


def freeze_failures(model: nn.Module, graph: ChannelGraph) -> ChannelGraph:
    """Resize the model up and down; freeze the group that fails, and try again until none does."""
    while True:
        try:
            resize(model, graph, graph.scaled(2.0))
            resize(model, graph, ChannelPlan({name: max(1, g.width - 1) for name, g in graph.free.items()}))
            return graph
        except ResizeError as error:
            if error.group is None:
                raise
            keep = (*graph.tracing.keep, error.group)
            note = f"'{error.group}' is frozen: {error}"
            notes = [n for n in graph.notes if n.startswith("'") and " is frozen: resized" in n]
            graph = build_graph(model, replace(graph.tracing, keep=keep))
            graph.notes = [n for n in graph.notes if not n.endswith("kept as asked")] + [*notes, note]
