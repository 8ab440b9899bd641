"""Do widths matter here at all? Many random plans at one cost and one training seed, against LW-DNA and the seeds."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .statistics import CONFIDENCE, LWDNA, Task


@dataclass(frozen=True)
class Spread:
    """The variance over random plans, against the one over training seeds at fixed widths.

    Attributes:
        plans, seeds: the two standard deviations.
        seed_freedom: degrees of freedom of the second; it is pooled over arms.
        ratio: of the variances, plans to seeds.
        interval: 95 % of that ratio, by the F distribution.
    """

    plans: float
    seeds: float
    seed_freedom: int
    ratio: float
    interval: tuple[float, float]

    @property
    def matters(self) -> bool:
        """Whether plans differ surely more than seeds do."""
        return self.interval[0] > 1


@dataclass(frozen=True)
class Place:
    """Where LW-DNA stands among random plans.

    Attributes:
        value: LW-DNA's, of the plans' training seed where it has that one, else the mean of its seeds.
        of: which of the two.
        beaten, count: how many plans are worse than it, of how many.
        interval: 95 % of the share of all random plans that are worse (Clopper and Pearson).
    """

    value: float
    of: str
    beaten: int
    count: int
    interval: tuple[float, float]


def place(task: Task, arm: str = LWDNA) -> Place | None:
    """Where an arm stands among the landscape's plans; None where one of them has no run."""
    if not task.landscape or not task.values(arm):
        return None
    runs = task.arms[arm]
    seed = task.landscape[0].seed
    if seed in runs:
        value, of = runs[seed].value, f"seed {seed}"
    else:
        value, of = float(np.mean(task.values(arm))), "mean of its seeds"
    sign = -1 if task.less_is_better else 1
    beaten = sum(sign * record.value < sign * value for record in task.landscape)
    share = stats.binomtest(beaten, len(task.landscape)).proportion_ci(CONFIDENCE)
    return Place(value, of, beaten, len(task.landscape), (float(share.low), float(share.high)))


def compare_spreads(task: Task) -> Spread | None:
    """The spread of the plans against that of the seeds; None without two plans and two seeds of fixed widths.

    Plans share one training seed, while the spread of seeds holds all that a seed changes: the comparison can miss an
    effect of widths, but does not make one up.
    """
    freedom, squares = seed_squares(task)
    if len(task.landscape) < 2 or not freedom or not squares:
        return None
    plans = float(np.var([record.value for record in task.landscape], ddof=1))
    ratio = plans / (squares / freedom)
    tail = (1 - CONFIDENCE) / 2
    quantiles = stats.f.isf([tail, 1 - tail], len(task.landscape) - 1, freedom)
    low, high = (float(ratio / quantile) for quantile in quantiles)
    return Spread(plans**0.5, (squares / freedom) ** 0.5, freedom, ratio, (low, high))


def seed_squares(task: Task) -> tuple[int, float]:
    """Degrees of freedom and sum of squares of the metric within arms whose widths are the same for all seeds."""
    freedom, squares = 0, 0.0
    for arm, runs in task.arms.items():
        widths = [record.widths for record in runs.values()]
        if all(one == widths[0] for one in widths):
            values = np.array(task.values(arm))
            freedom += len(values) - 1
            squares += float(((values - values.mean()) ** 2).sum())
    return freedom, squares
