"""resize(): one routine that widens and shrinks a network to a plan, and proves the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import nn

from lwdna_mm.channels.attributes import initialize
from lwdna_mm.channels.garbage import uncollected
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.transfer import ResizeError, Sources, Transfer
from lwdna_mm.channels.verify import check_costs, check_numbers, check_values


@uncollected()
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
        initialize(resized, {name for name, _ in graph.sizes})
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
    """The checked way to the resized network; an error names a group that fails by itself."""
    try:
        return attempt(model, graph, sources)
    except Exception as error:
        raise next(failures(model, graph, sources, error, attempt), joint_failure(error)) from error


@uncollected()
def attempt(model: nn.Module, graph: ChannelGraph, sources: Sources) -> Transfer:
    """The way to the resized network, with all that is checked; any exception says that it is none."""
    transfer = attempt_shapes(model, graph, sources)
    check_values(model, transfer)
    return transfer


def attempt_shapes(model: nn.Module, graph: ChannelGraph, sources: Sources) -> Transfer:
    """Like :func:`attempt`, without a look at what the networks compute."""
    transfer = Transfer(model, graph, sources)
    check_costs(transfer)
    check_numbers(transfer)
    return transfer


def failures(
    model: nn.Module,
    graph: ChannelGraph,
    sources: Sources,
    error: Exception,
    attempt: Callable[[nn.Module, ChannelGraph, Sources], object],
) -> Iterator[ResizeError]:
    """The groups that fail by themselves, found by halving what fails together.

    Args:
        sources: what has failed, by ``attempt``, with ``error``.
    """
    names = list(sources)
    if not names:  # it fails as it is
        return
    if len(names) == 1:
        group, width = graph.groups[names[0]], len(sources[names[0]])
        change = f"resized from {group.width} to {width} channels"
        yield ResizeError(f"{change}, group '{group.name}' fails: {_brief(error)}", group.name)
        return
    for half in (names[: len(names) // 2], names[len(names) // 2 :]):
        part = {name: sources[name] for name in half}
        try:
            attempt(model, graph, part)
        except Exception as own:
            yield from failures(model, graph, part, own, attempt)


def joint_failure(error: Exception) -> ResizeError:
    """What to say where no group fails by itself."""
    return ResizeError(f"the resized network fails: {_brief(error)}")


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
