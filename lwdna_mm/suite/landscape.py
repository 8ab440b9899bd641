"""Do widths matter here at all? Many random plans at one cost and one training seed, against LW-DNA and the error."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .differences import CONFIDENCE
from .statistics import LWDNA, Task


@dataclass(frozen=True)
class Spread:
    """The spread of random plans at one training seed, against the error of a run.

    Attributes:
        plans, error: the two standard deviations; the plans' holds the error too.
        freedom: degrees of freedom of the error.
        ratio: of the variances, plans to error; 1 where widths do not matter.
        interval: 95 % of that ratio, by the F distribution.
    """

    plans: float
    error: float
    freedom: int
    ratio: float
    interval: tuple[float, float]

    @property
    def matters(self) -> bool:
        """Whether plans surely differ more than errors alone would make them."""
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
    """The spread of the plans against the error; None without two plans, or where the task's pool shows no error."""
    error, freedom = task.pool.deviation, task.pool.freedom
    if len(task.landscape) < 2 or error is None:
        return None
    plans = float(np.var([record.value for record in task.landscape], ddof=1))
    ratio = plans / error**2
    tail = (1 - CONFIDENCE) / 2
    quantiles = stats.f.isf([tail, 1 - tail], len(task.landscape) - 1, freedom)
    low, high = (float(ratio / quantile) for quantile in quantiles)
    return Spread(plans**0.5, error, freedom, ratio, (low, high))
