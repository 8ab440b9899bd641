"""The difference of two arms, its intervals, and how many seeds would be needed to see it.

Intervals are two-sided 95 % t intervals. Corrected ones are widened after Bonferroni, which holds for any gaps, and for
comparisons that do not all have one arm in common, as Dunnett's must: of all comparisons of a kind in a task, 95 % of
the time every corrected interval holds its true difference. They tell how much other seeds would change; the sampling
error of the test images, which all runs share, is not in them.
"""

import math
from dataclasses import dataclass

from scipy import stats

AHEAD, BEHIND, UNCLEAR = "ahead", "behind", "not told apart"
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """An arm minus another one.

    Attributes:
        seeds, values: the seeds that both arms have, and the difference at each.
        estimate: of the true difference.
        deviation: the standard deviation of such a difference; None where the runs do not show any.
        error: the standard error of the estimate, in these deviations.
        freedom: degrees of freedom of the deviation.
        less_is_better: whether the metric is an error.
        primary: whether the suite is run for it.
        pooled: whether the deviation comes from all arms, not from the values alone.
        comparisons: of how many of its kind it is one; 1 for no correction.
        across: at how many of the seeds the two runs come from different machines.
    """

    arm: str
    other: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    estimate: float
    deviation: float | None
    error: float
    freedom: int
    less_is_better: bool
    primary: bool = False
    pooled: bool = True
    comparisons: int = 1
    across: int = 0

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % for this comparison alone; None without a deviation, or with one seed.

        An arm with one run would lend its interval from the others without a sign of how much it varies itself.
        """
        return self._interval(1)

    @property
    def corrected(self) -> tuple[float, float] | None:
        """95 % for all comparisons of its kind in the task together; None as above."""
        return self._interval(self.comparisons)

    @property
    def verdict(self) -> str:
        """``ahead`` or ``behind`` where the corrected interval does not hold zero; else ``not told apart``."""
        if self.corrected is None or self.corrected[0] <= 0 <= self.corrected[1]:
            return UNCLEAR
        return AHEAD if (self.estimate < 0) == self.less_is_better else BEHIND

    def _interval(self, comparisons: int) -> tuple[float, float] | None:
        if self.deviation is None or len(self.seeds) < 2:
            return None
        half = float(stats.t.isf((1 - CONFIDENCE) / 2 / comparisons, self.freedom) * self.deviation * self.error)
        return self.estimate - half, self.estimate + half


def seeds_needed(
    deviation: float,
    effect: float = 0.5,
    power: float = 0.8,
    alpha: float = 1 - CONFIDENCE,
    freedom_per_seed: int = 1,
    most: int = 10_000,
) -> int | None:
    """How many paired seeds a two-sided t test at ``alpha`` needs to see ``effect`` with the probability ``power``.

    Args:
        deviation: the standard deviation of the paired differences, in the unit of ``effect``.
        freedom_per_seed: degrees of freedom that every seed after the first adds: 1 where two arms are alone, one fewer
            than the arms where they share a pool.
        most: None is returned where more seeds are needed.
    """
    if deviation == 0:
        return 2

    def is_seen(count: int) -> bool:
        freedom, shift = (count - 1) * freedom_per_seed, math.sqrt(count) * effect / deviation
        limit = stats.t.isf(alpha / 2, freedom)
        # The other tail, seeing the effect with the wrong sign, is left out: it is no success.
        return bool(stats.nct.sf(limit, freedom, shift) >= power)

    low, high = 1, 2
    while not is_seen(high):
        low, high = high, 2 * high
        if low >= most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_seen(middle) else (middle, high)
    return high if high <= most else None
