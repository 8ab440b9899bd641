"""analyze(): from a network and example inputs to its channel groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.graph import ChannelGraph, Tracing
from lwdna_mm.channels.structure import copy_shapes
from lwdna_mm.channels.tracing.trace import AnalysisError, Forward
from lwdna_mm.channels.trial import freeze_failures


def analyze(
    model: nn.Module,
    example_inputs: Tensor | Sequence[Any],
    grouped: str = "within",
    keep: Sequence[str] = (),
    amortized: Sequence[int] = (),
    on_failure: str = "raise",
    forward: Forward | None = None,
) -> ChannelGraph:
    """Find the channel groups of a network by one forward pass, on the meta device unless it asks for values.

    Args:
        model: any module; it is run in eval mode and left as it was.
        example_inputs: what it is called with, a tensor or a sequence; batch size 1 is the cheapest.
        grouped: what a grouped convolution loses: channels ``'within'`` every conv-group, or ``'whole'``
            conv-groups. Depthwise convolutions always lose whole ones.
        keep: groups, or modules whose channels, are not to change; a module stands for all that is in it.
        amortized: indices of inputs whose work is done once for many passes and not counted as FLOPs or activations.
        on_failure: ``'freeze'`` tries the graph out, widened and shrunk, and freezes every group that
            does not come out right; ``'raise'`` leaves that to :func:`~lwdna_mm.channels.resize`.
        forward: how to call the model, ``forward(model, *example_inputs)``; by default it is called as is.

    Raises:
        AnalysisError: if the inputs or an option are none, ``keep`` names what has no channels in the model, or the
            model puts out what is no tensor.
        ResizeError: with ``on_failure='freeze'``, if the model fails with all its groups as they are.
    """
    if grouped not in ("within", "whole"):
        raise AnalysisError(f"grouped={grouped!r}: expected 'within' or 'whole'")
    if on_failure not in ("raise", "freeze"):
        raise AnalysisError(f"on_failure={on_failure!r}: expected 'raise' or 'freeze'")
    inputs = (example_inputs,) if isinstance(example_inputs, Tensor) else example_inputs
    if not isinstance(inputs, Sequence) or isinstance(inputs, str):
        raise AnalysisError(
            f"example_inputs is a {type(inputs).__name__}: give a tensor, or a sequence of what the model is called "
            "with; forward= calls it in another way"
        )
    inputs = tuple(inputs)
    call = forward or _call
    keep = (keep,) if isinstance(keep, str) else tuple(keep)
    tracing = Tracing(inputs, call, frozenset(amortized), grouped == "whole", keep)
    try:
        graph = build_graph(copy_shapes(model), tracing)
    except AnalysisError:
        raise
    except Exception:  # it asks for values, or does not run at all, and then says so again
        graph = build_graph(model, replace(tracing, values=True))
    return freeze_failures(model, graph) if on_failure == "freeze" else graph


def _call(model: nn.Module, *inputs: Any) -> Any:
    return model(*inputs)
