"""How much runs vary beside what arm and seed explain: randomized blocks with one pooled variance of the error.

In a task the value of a run is taken to be arm + seed + error. The seed is the block, and the errors of all arms have
one variance, so that every arm helps to tell how much the difference of any two of them varies: its interval has many
degrees of freedom instead of one fewer than it has seeds. Sizes of one training set share that variance too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

Runs = Mapping[str, Mapping[int, float]]
"""Arm -> seed -> value."""

LEVEL = 0.05


class Layout:
    """The runs of one task as a two-way layout of arms and seeds, with gaps or without, fitted by least squares.

    Attributes:
        runs: arm -> seed -> value.
        squares, freedom: of the residuals.
        largest: of the values, without their sign.
    """

    def __init__(self, runs: Runs):
        self.runs = runs
        self._arms = list(runs)
        seeds = list(dict.fromkeys(seed for of_arm in runs.values() for seed in of_arm))
        cells = [(arm, seed) for arm, of_arm in runs.items() for seed in of_arm]
        design = np.zeros((len(cells), len(runs) + len(seeds)))
        for row, (arm, seed) in enumerate(cells):
            design[row, self._arms.index(arm)] = design[row, len(runs) + seeds.index(seed)] = 1
        self._values = np.array([runs[arm][seed] for arm, seed in cells])
        # One column is too many, and more where arms have no seed in common: the pseudoinverse does not mind.
        self._solve = np.linalg.pinv(design)
        residuals = self._values - design @ (self._solve @ self._values)
        self.squares = float((residuals**2).sum())
        self.freedom = len(cells) - int(np.linalg.matrix_rank(design)) if cells else 0
        self.largest = float(np.abs(self._values).max(initial=0))

    def contrast(self, arm: str, other: str) -> tuple[float, float]:
        """The difference of two arms with a common seed, and its standard error in deviations of the error.

        Where both have the same seeds it is the mean of the paired differences. Else a seed that only one of them has
        counts as far as other arms tell what that seed changes.
        """
        weights = self._solve[self._arms.index(arm)] - self._solve[self._arms.index(other)]
        return float(weights @ self._values), float(np.linalg.norm(weights))

    def without(self, *arms: str) -> "Layout":
        """The layout of the other arms."""
        return Layout({name: runs for name, runs in self.runs.items() if name not in arms})


@dataclass(frozen=True)
class Pool:
    """One variance of the error for the arms of some tasks.

    Attributes:
        tasks: their names.
        deviation: the standard deviation of the error; None where the runs do not show any, for there are too few, or
            arm and seed explain everything, which coarse metrics give by chance.
        freedom: its degrees of freedom.
        odd: the arms that are left out because their errors are larger than chance makes them, the most so first; in
            a pool of several tasks one may leave out more.
        alone: whether its one task is kept apart for the same reason.
    """

    tasks: tuple[str, ...]
    deviation: float | None
    freedom: int
    odd: tuple[str, ...] = ()
    alone: bool = False


def make_pools(layouts: Mapping[str, Layout]) -> dict[str, Pool]:
    """Task -> its pool.

    The tasks share one, but for those whose errors are larger than chance makes them, the most so first: each of these
    has a pool of its own. In every pool the arms of which the same is true are left out. Where a task stands out only
    for such arms of its own, these are left out there and the task stays.
    """
    together, own, odd = dict(layouts), {}, {}
    while name := _odd_task(together):
        alone = _pool({name: layouts[name]})
        without = {**together, name: layouts[name].without(*alone.odd)}
        if alone.odd and _odd_task(without) != name:
            together, odd[name] = without, alone.odd
        else:
            own[name] = replace(alone, alone=True)
            del together[name]
    shared = _pool(together)
    left_out = {name: tuple(dict.fromkeys((*shared.odd, *odd.get(name, ())))) for name in layouts}
    return {name: own.get(name, replace(shared, odd=left_out[name])) for name in layouts}


def _odd_task(layouts: Mapping[str, Layout]) -> str | None:
    return _odd_one(layouts, {task: {**layouts, task: Layout({})} for task in layouts})


def find_odd_arm(layouts: Mapping[str, Layout]) -> str | None:
    """The arm whose errors are larger than chance makes them, over all tasks of a pool; None if none's are."""
    arms = dict.fromkeys(arm for one in layouts.values() for arm in one.runs)
    return _odd_one(layouts, {arm: {name: one.without(arm) for name, one in layouts.items()} for arm in arms})


def _pool(layouts: Mapping[str, Layout]) -> Pool:
    odd: list[str] = []
    while arm := find_odd_arm(layouts):
        odd.append(arm)
        layouts = {name: one.without(arm) for name, one in layouts.items()}
    squares, freedom = _sum(layouts)
    deviation = (squares / freedom) ** 0.5 if _shown(layouts) else None
    return Pool(tuple(layouts), deviation, freedom, tuple(odd))


def _odd_one(layouts: Mapping[str, Layout], rests: Mapping[str, Mapping[str, Layout]]) -> str | None:
    """Whose errors are larger than chance makes them, at 5 % after Bonferroni; None if nobody's are.

    What a part adds to the squares, against the squares of the rest: an F test, exact for any gaps. Levene's and Brown
    and Forsythe's tests say nothing of three residuals, whose median is always one of them.

    Args:
        rests: part -> the layouts without it.
    """
    squares, freedom = _sum(layouts)
    chances = {}
    for name, rest in rests.items():
        rest_squares, rest_freedom = _sum(rest)
        # Beside a rest that does not vary at all anything would be odd.
        if rest_freedom < freedom and _shown(rest):
            # The share of one part in the sum of two: the beta form of the F test.
            share = 1 - rest_squares / squares
            chances[name] = float(stats.beta.sf(share, (freedom - rest_freedom) / 2, rest_freedom / 2))
    name = min(chances, key=chances.__getitem__, default=None)
    return name if name is not None and chances[name] < LEVEL / len(chances) else None


def _shown(layouts: Mapping[str, Layout]) -> bool:
    """Whether there is an error beyond rounding."""
    squares, freedom = _sum(layouts)
    least = 1e-9 * max((one.largest for one in layouts.values()), default=0.0)
    return freedom > 0 and squares / freedom > least**2


def _sum(layouts: Mapping[str, Layout]) -> tuple[float, int]:
    return sum(one.squares for one in layouts.values()), sum(one.freedom for one in layouts.values())
