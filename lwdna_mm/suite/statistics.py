"""What the records of a suite say, and how surely.

Two arms are compared seed by seed: runs of one seed share initialisation, data order and augmentation. The intervals
are two-sided 95 % t intervals of the mean difference. Corrected ones are widened after Bonferroni: of all comparisons
that are made in a task, 95 % of the time every corrected interval holds its true difference. They tell how much another
seed would change; the sampling error of the test images, which all runs share, is not in them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from ..errors import UserError
from ..runs.history import less_is_better
from .records import TEST, Record

BASELINE, UNIFORM, LWDNA, LANDSCAPE = "baseline", "uniform", "lwdna", "landscape-"
AHEAD, BEHIND, UNCLEAR = "ahead", "behind", "not told apart"
CONFIDENCE = 0.95
# What is told apart, and by which two arms. The first is the sum of the two below it.
PARTS = {
    "total": (LWDNA, BASELINE),
    "start": (UNIFORM, BASELINE),
    "widths": (LWDNA, UNIFORM),
    "widths, fresh start": ("lwdna-fresh", BASELINE),
    "widths, both tuned": ("lwdna-tuned", "uniform-tuned"),
    "widths, fresh start, both tuned": ("lwdna-fresh-tuned", "baseline-tuned"),
}


@dataclass(frozen=True)
class Difference:
    """An arm minus another one, paired by seed.

    Attributes:
        seeds, values: the seeds that both arms have, and the difference at each.
        comparisons: of how many it is one; 1 for no correction.
        less_is_better: whether the metric is an error.
    """

    arm: str
    other: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    less_is_better: bool
    comparisons: int = 1

    @property
    def mean(self) -> float:
        """Of the values."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the values; None where they do not show any.

        So it is for one seed, and for equal values, which coarse metrics give by chance.
        """
        if len(self.values) < 2:
            return None
        deviation = float(np.std(self.values, ddof=1))
        return deviation if deviation > 1e-9 * max(map(abs, self.values)) else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % for this comparison alone; None without a deviation."""
        return self._interval(1)

    @property
    def corrected(self) -> tuple[float, float] | None:
        """95 % for all comparisons of the task together; None without a deviation."""
        return self._interval(self.comparisons)

    @property
    def verdict(self) -> str:
        """``ahead`` or ``behind`` where the corrected interval does not hold zero; else ``not told apart``."""
        if self.corrected is None or self.corrected[0] <= 0 <= self.corrected[1]:
            return UNCLEAR
        return AHEAD if (self.mean < 0) == self.less_is_better else BEHIND

    def _interval(self, comparisons: int) -> tuple[float, float] | None:
        if self.deviation is None:
            return None
        count = len(self.values)
        factor = stats.t.isf((1 - CONFIDENCE) / 2 / comparisons, count - 1)
        half = float(factor * self.deviation / math.sqrt(count))
        return self.mean - half, self.mean + half


class Task:
    """The runs of one task that were judged on the test set.

    Attributes:
        arms: arm -> seed -> record; arms in the order of :func:`order_of`, without the landscape's plans.
        landscape: the records of the landscape's plans, one a plan.
        grid: the records of tuning, judged on held-out training images.
    """

    def __init__(self, name: str, records: Sequence[Record]):
        """Take the records of one task.

        Raises:
            UserError: they have different metrics or sizes, or a run is there twice.
        """
        self.name = name
        self.metric, self.size = records[0].metric, records[0].size
        self.arms: dict[str, dict[int, Record]] = {}
        self.landscape: list[Record] = []
        self.grid: list[Record] = []
        seen = set()
        for record in sorted(records, key=lambda record: (*order_of(record.arm), record.seed)):
            if (record.metric, record.size) != (self.metric, self.size):
                raise UserError(
                    f"{record.key} has metric {record.metric} and size {record.size}, "
                    f"but {records[0].key} has {self.metric} and {self.size}: they cannot be compared"
                )
            if record.key in seen:
                raise UserError(f"{record.key} is there twice: merge the records first")
            seen.add(record.key)
            if record.stage != TEST:
                self.grid.append(record)
            elif record.arm.startswith(LANDSCAPE):
                self.landscape.append(record)
            else:
                self.arms.setdefault(record.arm, {})[record.seed] = record

    @property
    def less_is_better(self) -> bool:
        """Whether the metric is an error."""
        return less_is_better(self.metric)

    def values(self, arm: str) -> list[float]:
        """The metric of an arm, seed by seed; empty where it has no run."""
        return [record.value for record in self.arms.get(arm, {}).values()]

    def compare(self, arm: str, other: str = UNIFORM) -> Difference | None:
        """``arm`` minus ``other``, corrected for all comparisons of the task; None where they share no seed."""
        difference = self._pair(arm, other)
        return difference and replace(difference, comparisons=max(1, self.comparisons))

    def parts(self) -> dict[str, Difference]:
        """Those of :data:`PARTS` for which there are runs."""
        found = {name: self.compare(*pair) for name, pair in PARTS.items()}
        return {name: difference for name, difference in found.items() if difference is not None}

    @property
    def comparisons(self) -> int:
        """How many comparisons with an interval a report of the task shows: all arms with uniform, and the parts."""
        pairs = {frozenset(pair) for pair in [*PARTS.values(), *((arm, UNIFORM) for arm in self.arms)]}
        found = [self._pair(*sorted(pair)) for pair in pairs if len(pair) == 2]
        return sum(difference is not None and len(difference.seeds) > 1 for difference in found)

    def _pair(self, arm: str, other: str) -> Difference | None:
        ours, theirs = self.arms.get(arm, {}), self.arms.get(other, {})
        seeds = tuple(seed for seed in ours if seed in theirs)
        values = tuple(ours[seed].value - theirs[seed].value for seed in seeds)
        return Difference(arm, other, seeds, values, self.less_is_better) if seeds else None


def split_tasks(records: Iterable[Record]) -> list[Task]:
    """The tasks of a suite, by size and name.

    Raises:
        UserError: records of different suites, or what :class:`Task` refuses.
    """
    by_name: dict[str, list[Record]] = {}
    suites = set()
    for record in records:
        by_name.setdefault(record.task, []).append(record)
        suites.add(record.suite)
    if len(suites) > 1:
        raise UserError(f"records of the suites {', '.join(sorted(suites))}: report on one at a time")
    tasks = [Task(name, found) for name, found in by_name.items()]
    return sorted(tasks, key=lambda task: (task.size is None, task.size or 0, task.name))


def order_of(arm: str) -> tuple[int, str]:
    """Sorts arms: the starting points first, then LW-DNA, then the controls by name."""
    known = [BASELINE, "baseline-tuned", UNIFORM, "uniform-tuned"]
    if arm in known:
        return known.index(arm), arm
    return (4 if arm == LWDNA or arm.startswith(f"{LWDNA}-") else 5), arm


def seeds_needed(
    deviation: float, effect: float = 0.5, power: float = 0.8, alpha: float = 1 - CONFIDENCE, most: int = 10_000
) -> int | None:
    """How many paired seeds a two-sided t test at ``alpha`` needs to see ``effect`` with the probability ``power``.

    Args:
        deviation: the standard deviation of the paired differences, in the unit of ``effect``.
        most: None is returned where more seeds are needed.
    """
    if deviation == 0:
        return 2

    def is_seen(count: int) -> bool:
        shift = math.sqrt(count) * effect / deviation
        limit = stats.t.isf(alpha / 2, count - 1)
        # The other tail, seeing the effect with the wrong sign, is left out: it is no success.
        return bool(stats.nct.sf(limit, count - 1, shift) >= power)

    low, high = 1, 2
    while not is_seen(high):
        low, high = high, 2 * high
        if low >= most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_seen(middle) else (middle, high)
    return high if high <= most else None
