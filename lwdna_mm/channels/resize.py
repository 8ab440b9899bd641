"""resize(): one routine that widens and shrinks a network to a plan, and proves the result."""

from __future__ import annotations

from torch import nn

from lwdna_mm.channels.attributes import initialize
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.transfer import ResizeError, Sources, Transfer
from lwdna_mm.channels.verify import check


def resize(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan, inherit: bool = True) -> nn.Module:
    """A new module of the same class whose channel groups have the widths of ``plan``.

    Args:
        model: the module that ``graph`` was made from; it is left as it is.
        inherit: keep the values of the channels (a repeated channel is a copy), or re-initialise the
            network by its layers' ``reset_parameters`` and then its own ``init_weights``.

    Raises:
        PlanError: if the plan does not fit the graph.
        ResizeError: if the resized network does not run, or is not what the plan says; it names the group.
    """
    transfer = prove(model, graph, graph.resolve(plan))
    resized = transfer.apply(model)
    if not inherit:
        initialize(resized)
    return resized


def verify(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan) -> None:
    """Prove that ``model`` can be resized to ``plan``: the result runs, has the planned FLOPs,
    parameters and activations, and computes what ``model`` computes with the removed channels (or the repeats) masked.
    :func:`resize` does the same before it returns.

    Raises:
        PlanError, ResizeError: as :func:`resize`.
    """
    prove(model, graph, graph.resolve(plan))


def prove(model: nn.Module, graph: ChannelGraph, sources: Sources) -> Transfer:
    """The checked way to the resized network; an error names the first group that fails by itself."""
    try:
        return _attempt(model, graph, sources)
    except Exception as error:
        for name, kept in sources.items():
            try:
                _attempt(model, graph, {name: kept})
            except Exception as own:
                widths = f"{graph.groups[name].width} to {len(kept)} channels"
                raise ResizeError(f"resized from {widths}, group '{name}' fails: {_brief(own)}", name) from own
        raise ResizeError(f"the resized network fails: {_brief(error)}") from error


def _attempt(model: nn.Module, graph: ChannelGraph, sources: Sources) -> Transfer:
    transfer = Transfer(model, graph, sources)
    check(model, transfer)
    return transfer


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
