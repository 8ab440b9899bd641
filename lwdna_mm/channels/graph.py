"""ChannelGroup and ChannelGraph: which channels of a network belong together; analyze() finds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor, nn

from lwdna_mm.channels.complexity import Complexity
from lwdna_mm.channels.labels import Site
from lwdna_mm.channels.plan import ChannelPlan, PlanError
from lwdna_mm.channels.suggest import closest
from lwdna_mm.channels.trace import Forward
from lwdna_mm.errors import UserError


class AnalysisError(UserError):
    """A model that cannot be analysed as asked."""


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that can only be removed or repeated together with the same channels of other layers.

    Attributes:
        name: module path of the first layer that produces the group.
        width: number of channels.
        members: for each ``(parameter, dim)`` the positions of each channel along that dim, an integer
            array of shape (width, multiplicity).
        producers: where the channels are made: output dims of weights, biases, scales and shifts.
        consumers: where they are summed over: input dims of weights.
        gated: where a gate multiplies. The consumers, and, for a group that is also summed over by an
            operation without parameters (cross-correlation), the parameters that scale what enters it.
        rigid: whether a constant position in the network depends on the width, so that it cannot change.
        contracted: whether an operation without parameters sums over the channels.
    """

    name: str
    width: int
    members: dict[Site, np.ndarray] = field(repr=False)
    producers: tuple[Site, ...] = field(repr=False)
    consumers: tuple[Site, ...] = field(repr=False)
    gated: tuple[Site, ...] = field(repr=False)
    rigid: bool = False
    contracted: bool = False


@dataclass(frozen=True)
class Tracing:
    """How a graph was obtained, so that a resized network can be analysed in the same way."""

    inputs: tuple
    forward: Forward
    amortized: frozenset[int]
    whole: bool
    keep: tuple[str, ...]


@dataclass
class ChannelGraph:
    """The channel groups of a network, and its cost as a closed form of their widths.

    Attributes:
        groups: groups by name, in the order of execution; rigid ones are among them.
        frozen: groups that cannot change, with the reason.
        notes: one line for each reason why channels are frozen or rigid.
        complexity: FLOPs, parameters and activations over the widths of the free groups.
        tracing: how the graph was obtained.
        sizes: the size of every labelled dim of every parameter and buffer.
    """

    groups: dict[str, ChannelGroup]
    frozen: dict[str, str]
    notes: list[str]
    complexity: Complexity
    tracing: Tracing
    sizes: dict[Site, int] = field(repr=False)

    @property
    def free(self) -> dict[str, ChannelGroup]:
        """The groups whose width can change."""
        return {name: group for name, group in self.groups.items() if not group.rigid}

    @property
    def widths(self) -> dict[str, int]:
        """The width of every group."""
        return {name: group.width for name, group in self.groups.items()}

    @property
    def fingerprint(self) -> str:
        """A short hash of the groups, their widths and their members: equal for equal architectures."""
        groups = [
            [g.name, g.width, g.rigid, sorted([*site, index.shape[1]] for site, index in g.members.items())]
            for g in self.groups.values()
        ]
        return hashlib.sha256(json.dumps(groups).encode()).hexdigest()[:12]

    def resolve(self, plan: ChannelPlan) -> dict[str, list[int]]:
        """The channel that each channel of the resized network is taken from, for every group that changes.

        A width below the group's keeps the first channels; a larger one repeats them in turn.

        Raises:
            PlanError: if the plan names an unknown group or one that cannot change, asks for a channel
                that is not there, or carries the fingerprint of another network.
        """
        asked = plan.meta.get("fingerprint", self.fingerprint)
        if asked != self.fingerprint:
            unknown = next((n for n in plan.widths if n not in self.groups), None)
            hint = f"it has a group '{unknown}', this network has none" if unknown else "the widths differ"
            raise PlanError(
                f"the plan belongs to another network (fingerprint {asked}, not {self.fingerprint}): {hint}"
            )
        sources = {}
        for name, width in plan.widths.items():
            group = self.groups.get(name)
            if name in self.frozen:
                raise PlanError(f"group '{name}' cannot change: {self.frozen[name]}")
            if group is None:
                raise PlanError(f"the network has no channel group '{name}'{closest(name, self.groups)}")
            kept = plan.kept.get(name)
            if kept is not None and max(kept) >= group.width:
                raise PlanError(f"group '{name}' has {group.width} channels; index {max(kept)} is not among them")
            kept = sorted(kept) if kept is not None else sorted(i % group.width for i in range(width))
            if kept == list(range(group.width)):
                continue
            if group.rigid:
                raise PlanError(f"group '{name}' is rigid and keeps its {group.width} channels, not {width}")
            sources[name] = kept
        return sources

    def vector(self, plan: ChannelPlan | None = None) -> np.ndarray:
        """The widths of the free groups, in order, as int64."""
        if plan is not None:
            self.resolve(plan)
        widths = plan.widths if plan is not None else {}
        return np.array([widths.get(name, group.width) for name, group in self.free.items()], np.int64)

    def flops(self, plan: ChannelPlan | None = None) -> int:
        """Multiply-adds of one pass of the example inputs, of this network or of one resized to ``plan``."""
        return int(self.complexity.flops(self.vector(plan)))

    def params(self, plan: ChannelPlan | None = None) -> int:
        """Number of parameters, of this network or of one resized to ``plan``."""
        return int(self.complexity.params(self.vector(plan)))

    def acts(self, plan: ChannelPlan | None = None) -> int:
        """Activations: elements that all convolutions and linear layers put out in one pass of the example inputs.

        This is the count that pycls reports as ``acts``; a layer that is run twice counts twice. A layer is any
        convolution, transposed or not, or matrix product, however it is called, whose weight depends on no input:
        neither a cross-correlation of two inputs nor the products of an attention count.
        """
        return int(self.complexity.acts(self.vector(plan)))

    def scaled(self, ratio: float) -> ChannelPlan:
        """The plan that multiplies the width of every free group by ``ratio`` (rounded, at least 1)."""
        return ChannelPlan({name: max(1, round(g.width * ratio)) for name, g in self.free.items()})


def analyze(
    model: nn.Module,
    example_inputs: Tensor | Sequence[Any],
    grouped: str = "within",
    keep: Sequence[str] = (),
    amortized: Sequence[int] = (),
    on_failure: str = "raise",
    forward: Forward | None = None,
) -> ChannelGraph:
    """Find the channel groups of a network by one forward pass.

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
        AnalysisError: if an option is unknown or ``keep`` names what has no channels in the model.
    """
    from lwdna_mm.channels.build import build_graph
    from lwdna_mm.channels.trial import freeze_failures

    if grouped not in ("within", "whole"):
        raise AnalysisError(f"grouped={grouped!r}: expected 'within' or 'whole'")
    if on_failure not in ("raise", "freeze"):
        raise AnalysisError(f"on_failure={on_failure!r}: expected 'raise' or 'freeze'")
    inputs = (example_inputs,) if isinstance(example_inputs, Tensor) else tuple(example_inputs)
    call = forward or _call
    keep = (keep,) if isinstance(keep, str) else tuple(keep)
    tracing = Tracing(inputs, call, frozenset(amortized), grouped == "whole", keep)
    graph = build_graph(model, tracing)
    return freeze_failures(model, graph) if on_failure == "freeze" else graph


def _call(model: nn.Module, *inputs: Any) -> Any:
    return model(*inputs)
