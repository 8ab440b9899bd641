"""Do widths matter here at all, whose, and is there something to win? Many random plans at one cost and one training
seed, against LW-DNA, the baseline's widths, the error and chance.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .differences import CONFIDENCE
from .statistics import LWDNA, UNIFORM, Task


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
    """Where an arm stands among random plans.

    Attributes:
        value: the arm's, of the plans' training seed where it has that one, else the mean of its seeds.
        of: which of the two.
        beaten, count: how many plans are worse than it, of how many.
        across: how many of the plans come from another machine than it.
        interval: 95 % of the share of all random plans that are worse (Clopper and Pearson).
    """

    value: float
    of: str
    beaten: int
    count: int
    interval: tuple[float, float]
    across: int


@dataclass(frozen=True)
class Lead:
    """How far the best random plan is beyond the baseline's widths, at one training seed.

    Attributes:
        value: the difference; above zero: the plan is better.
        deviations: that in deviations of a run's error.
        probability: that chance brings the best of as many plans that far, none of which is better (Dunnett's
            one-sided comparison of many with a control).
    """

    value: float
    deviations: float
    probability: float

    @property
    def told(self) -> bool:
        """Whether it is more than chance."""
        return self.probability <= 1 - CONFIDENCE


@dataclass(frozen=True)
class Ties:
    """How single groups' widths go with what random plans reach.

    Attributes:
        correlations: Spearman's rank correlations by group, in the order of execution; above zero: wider is better.
        alone: what chance exceeds in 5 % of cases with a given group.
        corrected: what chance exceeds in 5 % of cases with the one of all groups that comes out largest.
        strongest: that group here.
        probability: that chance brings the largest to what it is here, or further.
    """

    correlations: dict[str, float]
    alone: float
    corrected: float
    strongest: str
    probability: float

    @property
    def told(self) -> bool:
        """Whether the strongest is more than chance."""
        return self.probability <= 1 - CONFIDENCE


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
    machines = {runs[seed].machine} if seed in runs else {record.machine for record in runs.values()}
    across = sum({record.machine} != machines for record in task.landscape)
    return Place(value, of, beaten, len(task.landscape), (float(share.low), float(share.high)), across)


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


def lead(task: Task, draws: int = 100_000) -> Lead | None:
    """How far the best plan is beyond ``uniform`` of the plans' seed; None without such a run, without an error, or
    where ``uniform`` is left out of the pool, whose error is then not its own.
    """
    error, freedom = task.pool.deviation, task.pool.freedom
    runs = task.layout.runs.get(UNIFORM, {})
    if not task.landscape or error is None or task.landscape[0].seed not in runs:
        return None
    sign = -1 if task.less_is_better else 1
    best = max(sign * record.value for record in task.landscape)
    value = best - sign * runs[task.landscape[0].seed]
    generator = np.random.default_rng(0)
    best_by_chance = generator.standard_normal((draws, len(task.landscape))).max(axis=1)
    control = generator.standard_normal(draws)
    errors = np.sqrt(generator.chisquare(freedom, draws) / freedom)
    reached = int(((best_by_chance - control) / errors >= value / error).sum())
    return Lead(value, value / error, (reached + 1) / (draws + 1))


def tie_widths(task: Task, draws: int = 10_000) -> Ties | None:
    """Which groups' widths the results of the plans go with, against ``draws`` permutations of the results.

    Plans share their cost, so that their widths are not independent of each other; permutations leave them as they are.

    Returns:
        None where the plans have no widths, or nothing in them or in their results differs.
    """
    plans = task.landscape
    if not plans or not all(plan.widths for plan in plans):
        return None
    widths = {name: [plan.widths[name] for plan in plans] for name in plans[0].widths}
    widths = {name: values for name, values in widths.items() if len(set(values)) > 1}
    values = np.array([-plan.value if task.less_is_better else plan.value for plan in plans])
    if not widths or np.ptp(values) == 0:
        return None
    ranks = _unit(np.array(list(widths.values())))
    value = _unit(values)
    found = ranks @ value
    generator = np.random.default_rng(0)
    chance = np.abs(generator.permuted(np.tile(value, (draws, 1)), axis=1) @ ranks.T)
    largest = chance.max(axis=1)
    strongest = int(np.abs(found).argmax())
    # What is as large but for rounding is as large.
    reached = int((largest >= abs(found[strongest]) - 1e-9).sum())
    return Ties(
        correlations=dict(zip(widths, found.tolist(), strict=True)),
        alone=float(np.quantile(chance, CONFIDENCE)),
        corrected=float(np.quantile(largest, CONFIDENCE)),
        strongest=list(widths)[strongest],
        probability=(reached + 1) / (draws + 1),
    )


def _unit(values: np.ndarray) -> np.ndarray:
    """The ranks of the last axis, centred and of norm 1: products of two are Spearman's correlations."""
    ranks = stats.rankdata(values, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    return ranks / np.linalg.norm(ranks, axis=-1, keepdims=True)
