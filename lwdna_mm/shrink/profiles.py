"""Controls that prescribe the widths: all channels are worth the same, and groups grow at rates of their own."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.errors import UserError
from lwdna_mm.shrink.criteria import CRITERIA, UniformCriterion, checked_seed


@CRITERIA.register
class TiltCriterion(UniformCriterion):
    """A control: widths times ``exp(tilt * d)``, where d goes from -1 at the first group to 1 at the last.

    All by one ratio that meets the budget, between floors and widened widths, to within a step.

    Args:
        tilt: below 0 early groups keep more and late ones less; 0 is the uniform control.
    """

    def __init__(self, tilt: float) -> None:
        self.tilt = finite("TiltCriterion's tilt", tilt)

    def growth(self, graph: ChannelGraph) -> dict[str, float]:
        """Tilt the groups in the order of execution."""
        depth = torch.linspace(-1, 1, len(graph.free), dtype=torch.float64)
        return _exponential(graph, self.tilt * depth)


@CRITERIA.register
class RandomWidthsCriterion(UniformCriterion):
    """A control: widths times ``exp(spread * n)``, where n is drawn from N(0, 1) for every group.

    Unlike the random scores of :class:`RandomCriterion`, which leave groups of many channels nearly equal shares,
    this gives plans that differ. The numbers depend on the seed and the number of groups alone.

    Args:
        seed: of the draw.
        spread: 0 is the uniform control.
    """

    def __init__(self, seed: int = 0, spread: float = 0.5) -> None:
        if finite("RandomWidthsCriterion's spread", spread) < 0:
            raise UserError(f"spread={spread!r}: use a number of at least 0")
        self.seed = checked_seed("RandomWidthsCriterion", seed)
        self.spread = spread

    def growth(self, graph: ChannelGraph) -> dict[str, float]:
        """Draw a number for every group, in the order of execution."""
        generator = torch.Generator().manual_seed(self.seed)
        return _exponential(graph, self.spread * torch.randn(len(graph.free), generator=generator, dtype=torch.float64))


@CRITERIA.register
class WidthsCriterion(UniformCriterion):
    """A control: given widths, with the first channels of every group instead of the best.

    By one ratio that meets the budget, as the others here: widths that use it up come back as they are.

    Args:
        widths: by name of the group, such as ``ChannelPlan.widths`` has them.
        grow: whether that ratio may be above 1, so that widths use up the budget.
    """

    def __init__(self, widths: Mapping[str, int], grow: bool = True) -> None:
        if not isinstance(widths, Mapping):
            raise UserError(f"WidthsCriterion's widths are {widths!r}, but must be a dict of widths by group")
        for name, width in widths.items():
            if finite(f"WidthsCriterion's width of {name!r}", width) <= 0:
                raise UserError(f"WidthsCriterion's width of {name!r} is {width!r}, but must be above 0")
        self.widths, self.grow = widths, grow

    def growth(self, graph: ChannelGraph) -> dict[str, float]:
        """Divide by the graph's widths.

        Raises:
            UserError: the widths are not those of the graph's free groups.
        """
        for name in sorted(graph.free.keys() ^ self.widths.keys()):
            told = "have no group" if name in graph.free else "have a group that the network lacks:"
            raise UserError(f"WidthsCriterion's widths {told} {name!r}")
        return {name: self.widths[name] / group.width for name, group in graph.free.items()}

    def widest(self, graph: ChannelGraph) -> dict[str, int]:
        """The given widths, where they are not to grow."""
        return {} if self.grow else dict(self.widths)


def finite(name: str, value: Any) -> float:
    """The value, if it is a finite number; raises UserError by this name otherwise."""
    if isinstance(value, bool) or not (isinstance(value, int | float) and math.isfinite(value)):
        raise UserError(f"{name} is {value!r}, but must be a number")
    return value


def _exponential(graph: ChannelGraph, exponents: torch.Tensor) -> dict[str, float]:
    return dict(zip(graph.free, exponents.exp().tolist(), strict=True))
