"""ChannelGroup and ChannelGraph: which channels of a network belong together, and what they cost."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field

import numpy as np

from lwdna_mm.channels.complexity import Complexity
from lwdna_mm.channels.plan import ChannelPlan, PlanError
from lwdna_mm.channels.suggest import closest
from lwdna_mm.channels.tracing.labels import Site
from lwdna_mm.channels.tracing.trace import Forward


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
        gated: where a gate multiplies. The consumers that are parameters, and, for a group that is also summed over
            by an operation without (a cross-correlation, a product by a buffer), those that scale what enters it.
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
    """How a graph was obtained, so that a resized network can be analysed in the same way.

    Attributes:
        values: whether the network was run on values, because it asks for them, or on the meta device.
    """

    inputs: tuple
    forward: Forward
    amortized: frozenset[int]
    whole: bool
    keep: tuple[str, ...]
    values: bool = False


@dataclass
class ChannelGraph:
    """The channel groups of a network, and its cost as a closed form of their widths.

    Attributes:
        groups: groups by name, in the order of execution; rigid ones are among them.
        frozen: groups that cannot change, with the reason.
        notes: one line for each reason why channels are frozen or rigid.
        complexity: FLOPs, parameters and activations over the widths of the free groups.
        last: the groups that a layer reads whose outputs are the model's, such as a classifier. Where the model
            puts out a tensor without channels to tell apart, all layers with one output channel count.
        tracing: how the graph was obtained.
        sizes: the size of every labelled dim of every parameter and buffer.
        program: the operations of the traced pass.
    """

    groups: dict[str, ChannelGroup]
    frozen: dict[str, str]
    notes: list[str]
    complexity: Complexity
    last: tuple[str, ...]
    tracing: Tracing
    sizes: dict[Site, int] = field(repr=False)
    program: list[tuple] = field(repr=False)

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
                that is not there, carries the fingerprint of another network, or is no ChannelPlan.
        """
        if not isinstance(plan, ChannelPlan):
            raise PlanError(
                f"the plan is a {type(plan).__name__}: give a ChannelPlan, as in ChannelPlan({{'stem': 8}})"
            )
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
        """The plan that multiplies the width of every free group by ``ratio`` (rounded, at least 1).

        Raises:
            PlanError: the ratio is not above 0, and finite.
        """
        if not 0 < ratio < math.inf:
            raise PlanError(f"ratio={ratio!r}: use a finite number above 0")
        return ChannelPlan({name: max(1, round(g.width * ratio)) for name, g in self.free.items()})
