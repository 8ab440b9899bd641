"""A criterion that can compare groups: the loss itself, measured with every group at several widths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.errors import UserError
from lwdna_mm.shrink.criteria import CRITERIA, Criterion, checked_seed

# Share of the groups that have another width than the reference's in an iteration of the training.
OTHERS = 0.25


@dataclass(frozen=True)
class Curve:
    """The loss against the width of one group, all other groups being as in a reference.

    Attributes:
        widths: in rising order, (n,).
        losses: at these widths, (n,).
    """

    widths: Sequence[int]
    losses: Sequence[float]

    @property
    def hull(self) -> np.ndarray:
        """The highest convex function below the losses that never rises, at the widths: (n,)."""
        return falling_hull(self.widths, self.losses)

    def savings(self, width: int) -> np.ndarray:
        """What each of a group's ``width`` channels saves of the loss by the hull, (width,); it never rises.

        Channels below the least width measured, which always stay, count as the first one above it.
        """
        if len(self.widths) < 2:
            return np.zeros(width)
        slopes = np.minimum.accumulate(-np.diff(self.hull) / np.diff(self.widths))
        piece = np.searchsorted(self.widths, np.arange(width), side="right") - 1
        return np.append(slopes, 0.0)[np.maximum(piece, 0)]


@CRITERIA.register
class ResponseCriterion(Criterion):
    """What the next channel of a group saves of the loss on held-out images.

    A zero gate removes a channel, so that a gated network has all narrower ones in it. It is trained for the
    warm-up's iterations, in each with the widths of some groups drawn anew, by a part of the training images. Then the
    loss is measured on the others, with one group at several widths and the rest as in a reference: in the first round
    the even plan at the budget, afterwards the plan that the round before has led to.

    Args:
        points: widths at which each group is measured, the reference's among them.
        rounds: of measuring.
        held_out: share of the training images that the loss is measured on.
        seed: of the widths drawn and of the images held out.
    """

    policy = "density"
    holds_last = False

    def __init__(self, points: int = 5, rounds: int = 2, held_out: float = 0.25, seed: int = 0) -> None:
        rules = [
            ("points", points, isinstance(points, int) and points >= 3, "a whole number of at least 3"),
            ("rounds", rounds, isinstance(rounds, int) and rounds >= 1, "a whole number of at least 1"),
            ("held_out", held_out, isinstance(held_out, float) and 0 < held_out < 1, "between 0 and 1"),
        ]
        for name, value, good, wanted in rules:
            if not good:
                raise UserError(f"ResponseCriterion's {name} is {value!r}, but must be {wanted}")
        self.points, self.rounds, self.held_out = points, rounds, held_out
        self.seed = checked_seed("ResponseCriterion", seed)
        self.curves: dict[str, Curve] = {}

    def draw(self, allowed: Mapping[str, np.ndarray], reference: Mapping[str, int], iteration: int) -> dict[str, int]:
        """Draw a width for every group, for one iteration of the training.

        One group in four has another than the reference's: half of the time its least or largest, so that the last
        channels are trained too, else any. Were all drawn anew, a deep network would nearly always be narrow
        somewhere, and learn nothing.

        Args:
            allowed: the widths of every group, as :func:`lwdna_mm.shrink.search.allowed_widths` gives them.
            reference: widths about which the losses will be measured.
            iteration: which decides the draw, together with the seed.
        """
        generator = np.random.default_rng([self.seed, iteration])
        drawn = {}
        for name, widths in allowed.items():
            ends = {0: widths[0], 1: widths[-1]}
            other = int(ends.get(int(generator.integers(4)), generator.choice(widths)))
            drawn[name] = other if generator.random() < OTHERS else reference[name]
        return drawn

    def grid(self, allowed: np.ndarray, reference: int) -> list[int]:
        """Choose the widths at which to measure a group: the ends, the reference, and others evenly between them.

        Args:
            allowed: the group's widths, in rising order.
            reference: one of them.
        """
        at, last = int(np.searchsorted(allowed, reference)), len(allowed) - 1
        if at in (0, last):
            places = np.linspace(0, last, self.points)
        else:
            below = min(max(round((self.points - 1) * at / last), 1), self.points - 2)  # steps on that side
            places = np.append(np.linspace(0, at, below + 1), np.linspace(at, last, self.points - below))
        return allowed[np.unique(places.round().astype(int))].tolist()

    def scores(self, graph: ChannelGraph) -> dict[str, Tensor]:
        """Give every channel what it saves by the hull of its group's curve in :attr:`curves`.

        Raises:
            UserError: a group has no curve.
        """
        for name in graph.free:
            if name not in self.curves:
                raise UserError(f"group {name!r} was never measured: set the criterion's curves first")
        return {name: torch.from_numpy(self.curves[name].savings(g.width)) for name, g in graph.free.items()}


def falling_hull(widths: Sequence[int], losses: Sequence[float]) -> np.ndarray:
    """The highest convex function below some points that never rises.

    Args:
        widths: in rising order, (n,).
        losses: at these widths, (n,).

    Returns:
        Its values at the widths, (n,).
    """
    corners: list[tuple[float, float]] = []
    for x, y in zip(widths, losses, strict=True):
        while len(corners) > 1 and _is_above(corners[-2], corners[-1], (x, y)):
            corners.pop()
        corners.append((x, y))
    return np.minimum.accumulate(np.interp(widths, *zip(*corners, strict=True)))


def marginal_flops(graph: ChannelGraph, widths: Mapping[str, int], divisor: int) -> dict[str, float]:
    """What the last channels of every free group cost at some widths: FLOPs a channel.

    Args:
        graph: of the network.
        widths: of all free groups.
        divisor: over how many channels of a group it is taken.
    """
    vector = np.array([widths[name] for name in graph.free])
    narrower = np.maximum(vector - divisor * np.eye(len(vector), dtype=np.int64), 0)
    price = (graph.complexity.flops(vector) - graph.complexity.flops(narrower)) / divisor
    return dict(zip(graph.free, price.tolist(), strict=True))


def _is_above(first: tuple, middle: tuple, last: tuple) -> bool:
    """Whether the middle one of three points lies on or above the line through the others."""
    (a, u), (b, v), (c, w) = first, middle, last
    return (v - u) * (c - a) >= (w - u) * (b - a)
