"""Trying a graph out: which groups do not come out right, and freezing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.resize import attempt, attempt_shapes, failures, joint_failure
from lwdna_mm.channels.structure import copy_shapes
from lwdna_mm.channels.transfer import Sources


def freeze_failures(model: nn.Module, graph: ChannelGraph) -> ChannelGraph:
    """Resize the model up and down; freeze the groups that fail, and try again until none does.

    Nearly all fail by their shapes, which are quickly looked at; values are compared when these are right.
    """
    asked = graph.tracing.keep
    reasons: dict[str, str] = {}
    for tried in (attempt_shapes, attempt):
        while failed := _failed(model, graph, tried):
            reasons.update(failed)
            shown = model if graph.tracing.values else copy_shapes(model)
            graph = build_graph(shown, replace(graph.tracing, keep=(*asked, *reasons)))
    for name, reason in reasons.items():
        graph.frozen[name] = reason
        graph.notes = [n for n in graph.notes if not n.startswith(f"'{name}' ")] + [f"'{name}' is frozen: {reason}"]
    return graph


def _failed(
    model: nn.Module, graph: ChannelGraph, attempt: Callable[[nn.Module, ChannelGraph, Sources], object]
) -> dict[str, str]:
    """The groups that fail when they are widened or shrunk, with the reasons."""
    failed: dict[str, str] = {}
    joint = None
    smaller = {name: max(1, group.width - 1) for name, group in graph.free.items()}
    for plan in (graph.scaled(2.0), ChannelPlan(smaller)):
        sources = {name: kept for name, kept in graph.resolve(plan).items() if name not in failed}
        try:
            attempt(model, graph, sources)
        except Exception as error:
            joint = joint_failure(error)
            failed.update((own.group, str(own)) for own in failures(model, graph, sources, error, attempt))
    if joint and not failed:
        raise joint
    return failed
