"""The search space as steps: how groups can grow from their floors to their full widths, and for what worth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# How many prefixes are priced in one call of the closed form.
PROBES = 16


# From widths (..., groups) to a cost (...,) that never falls when a width grows.
Measure = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Budget:
    """Limits on one or more costs of a network.

    Attributes:
        measures: one for each cost.
        limits: the largest cost allowed by each measure, (measures,).
    """

    measures: Sequence[Measure]
    limits: np.ndarray

    def cost(self, widths: np.ndarray) -> np.ndarray:
        """Price widths (..., groups): (..., measures)."""
        return np.stack([measure(widths) for measure in self.measures], -1)

    def fits(self, widths: np.ndarray) -> np.ndarray:
        """Tell which widths (..., groups) are within all limits: booleans (...,)."""
        return (self.cost(widths) <= self.limits).all(-1)


@dataclass(frozen=True)
class Steps:
    """All steps of all groups. A step adds the next best ``divisor`` channels to one group.

    They are sorted by ``end``, then by group, so that among steps of equal worth groups grow by equal shares of their
    widths, times their growth.

    Attributes:
        divisor: channels per step.
        floor, full: least and largest width of every group, (groups,).
        group: the group of every step, (steps,).
        value: mean score of the channels each adds, (steps,); it never rises within a group.
        start, end: the share of its group's width at which each starts and ends, over the group's growth, (steps,).
    """

    divisor: int
    floor: np.ndarray
    full: np.ndarray
    group: np.ndarray
    value: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @classmethod
    def build(
        cls, scores: list[np.ndarray], floors: np.ndarray, widest: np.ndarray, divisor: int, growth: np.ndarray
    ) -> "Steps":
        """Cut the groups into steps.

        Args:
            scores: per group, the scores of its channels from best to worst, (width,).
            floors, widest: the least and largest widths, (groups,).
            divisor: widths become multiples of it; a group without one between the two gets its largest width.
            growth: how fast groups grow among steps of equal worth, (groups,); the ratios alone count.
        """
        widths = np.array([len(score) for score in scores])
        floor, full = bounds(widest, floors, divisor)
        ends = list(zip(scores, floor, full, strict=True))
        value = np.concatenate([score[a:b].reshape(-1, divisor).mean(1) for score, a, b in ends])
        first = np.concatenate([np.arange(a, b, divisor) for _, a, b in ends])
        group = np.repeat(np.arange(len(widths)), (full - floor) // divisor)
        unit = growth[group] * widths[group]
        start, end = first / unit, (first + divisor) / unit
        order = np.lexsort((group, end))
        return cls(divisor, floor, full, group[order], value[order], start[order], end[order])

    def take(self, widths: np.ndarray, steps: np.ndarray, budget: Budget) -> tuple[np.ndarray, np.ndarray]:
        """Take ``steps`` (indices, those of each group in order) one after the other while the budget holds.

        Returns:
            the widths (groups,) then reached from ``widths``, and the steps left over.
        """
        groups = len(widths)
        low, high = 0, len(steps)  # so many steps are known to fit; more than so many are known not to
        while low < high:
            piece_size = -(-(high - low) // PROBES)
            cuts = np.append(np.arange(low + piece_size, high, piece_size), high)
            piece = np.arange(high - low) // piece_size
            counts = np.bincount(piece * groups + self.group[steps[low:high]], minlength=len(cuts) * groups)
            reached = widths + self.divisor * counts.reshape(len(cuts), groups).cumsum(0)
            fits = budget.fits(reached)
            good = len(cuts) if fits.all() else int(fits.argmin())
            if good:
                low, widths = int(cuts[good - 1]), reached[good - 1]
            if good < len(cuts):
                high = int(cuts[good]) - 1
        return widths, steps[low:]

    def fill(self, widths: np.ndarray, steps: np.ndarray, key: np.ndarray, budget: Budget) -> np.ndarray:
        """Take those of ``steps`` that still fit, one after the other, passing over groups that do not.

        Groups of equal worth keep equal shares, though: steps that have the ``key`` (steps,) of one that does not
        fit are taken only where they start below the share at which that one ends.

        Returns:
            widths (groups,) from which no group can take a further step, ties apart.
        """
        while len(steps):
            # A step that does not fit now never will: costs never fall when other widths grow.
            fits = budget.fits(widths + self.divisor * np.eye(len(widths), dtype=np.int64))[self.group[steps]]
            refused, steps = steps[~fits], steps[fits]
            _, first = np.unique(self.group[refused], return_index=True)
            limit = np.full(len(widths), np.inf)
            for step in refused[first]:
                late = steps[(key[steps] == key[step]) & (self.start[steps] >= self.end[step])]
                np.minimum.at(limit, self.group[late], self.start[late])
            steps = steps[self.start[steps] < limit[self.group[steps]]]
            widths, steps = self.take(widths, steps, budget)
        return widths


def bounds(widest: np.ndarray, floors: np.ndarray, divisor: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest multiple of ``divisor`` from the floor to the largest width of every group.

    A group without one gets its largest width. Both are (groups,).
    """
    floor, full = -(-floors // divisor) * divisor, widest // divisor * divisor
    kept_whole = floor > full
    return np.where(kept_whole, widest, floor), np.where(kept_whole, widest, full)
