"""The runs of a suite, task by task, and which arms are compared.

Two arms are compared within the seeds: runs of one seed share initialisation, data order and augmentation. The error
that is left is pooled over the arms (:mod:`.pool`). A suite is run for its primary comparisons, which are declared
here; all others are secondary. The intervals of each kind are widened for the number of its own kind in the task.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..errors import UserError
from ..runs.history import less_is_better
from .differences import Difference
from .pool import Layout, Pool, make_pools
from .records import TEST, Record

BASELINE, UNIFORM, LWDNA, LANDSCAPE = "baseline", "uniform", "lwdna", "landscape-"
# What is told apart, and by which two arms. `total` and `widths` are each the sum of the two below.
PARTS = {
    "total": (LWDNA, BASELINE),
    "start": (UNIFORM, BASELINE),
    "widths": (LWDNA, UNIFORM),
    "widths, channels not chosen": ("unchosen", UNIFORM),
    "choice of channels": (LWDNA, "unchosen"),
    "widths, fresh start": ("lwdna-fresh", BASELINE),
    "widths, both tuned": ("lwdna-tuned", "uniform-tuned"),
    "widths, both warmed up": ("lwdna-warm", "uniform-warm"),
    "widths, fresh start, both tuned": ("lwdna-fresh-tuned", "baseline-tuned"),
}
# How the names of arms end that train by another protocol: each is beside the `uniform` that does.
PROTOCOLS = ("-tuned", "-warm", "-decayed")
# What a suite is run to learn, said before it is run: do the widths help, as they are and with both sides tuned?
PRIMARY = ("widths", "widths, both tuned")

Arms = Mapping[str, Mapping[int, Record]]
"""Arm -> seed -> record."""


class Task:
    """The runs of one task that were judged on the test set.

    Attributes:
        arms: arm -> seed -> record; arms in the order of :func:`order_of`, without the landscape's plans.
        landscape: the records of the landscape's plans, one a plan.
        grid: the records of tuning, judged on held-out training images.
        distinct: the runs of the arms whose widths are not drawn anew for every seed, but for those that are another
            one over again, as where a search has chosen the even widths, or tuning the config's own protocol.
        pool: the variance of their error; of this task alone, until :func:`split_tasks` joins the sizes.
        layout: the runs, copies too, of the arms that have that variance.
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
        fixed = {arm: runs for arm, runs in self.arms.items() if not is_drawn(arm)}
        self._fixed = Layout(_values(fixed))
        distinct, self._copied = _without_copies(fixed)
        self.distinct = Layout(_values(distinct))
        self.join(make_pools({name: self.distinct})[name])

    def join(self, pool: Pool) -> None:
        """Take the error from a pool; the arms that it leaves out, and copies of them, have one of their own."""
        copies = [arm for arm, others in self._copied.items() if others & {*pool.odd}]
        self.pool, self.layout = pool, self._fixed.without(*pool.odd, *copies)

    @property
    def less_is_better(self) -> bool:
        """Whether the metric is an error."""
        return less_is_better(self.metric)

    @property
    def freedom_per_seed(self) -> int:
        """How many degrees of freedom one more seed of all arms would add to the pool; copies add none."""
        return max(1, len(self.distinct.without(*self.pool.odd).runs) - 1)

    def values(self, arm: str) -> list[float]:
        """The metric of an arm, seed by seed; empty where it has no run."""
        return [record.value for record in self.arms.get(arm, {}).values()]

    def compare(self, arm: str, other: str = UNIFORM) -> Difference | None:
        """``arm`` minus ``other``, corrected for all comparisons of its kind; None where they share no seed."""
        difference = self._pair(arm, other)
        return difference and replace(difference, comparisons=max(1, self.comparisons(difference.primary)))

    def parts(self) -> dict[str, Difference]:
        """Those of :data:`PARTS` for which there are runs, and the other arms that have no start either."""
        found = {name: self.compare(*pair) for name, pair in self._parts().items()}
        return {name: difference for name, difference in found.items() if difference is not None}

    def _parts(self) -> dict[str, tuple[str, str]]:
        own = {f"{arm}'s widths": (arm, BASELINE) for arm in self.arms if arm.endswith("-fresh")}
        return PARTS | {name: pair for name, pair in own.items() if pair not in PARTS.values()}

    def gains(self) -> dict[str, Difference]:
        """What widths alone give, arm by arm: minus uniform; tuned ones minus uniform tuned, and so on.

        Arms that begin otherwise (the baseline, ``-fresh``) or that try options of the search are left out.
        """
        found = {arm: self.compare(arm, other) for arm, other in self._gaining()}
        return {arm: difference for arm, difference in found.items() if difference is not None}

    def _gaining(self) -> list[tuple[str, str]]:
        arms = [arm for arm in self.arms if not arm.startswith((BASELINE, UNIFORM))]
        arms = [arm for arm in arms if "-fresh" not in arm and not arm.endswith("-search")]
        ends = {arm: next((end for end in PROTOCOLS if arm.endswith(end)), "") for arm in arms}
        return [(arm, UNIFORM + end) for arm, end in ends.items()]

    def comparisons(self, primary: bool) -> int:
        """How many comparisons of a kind, with an interval, a report of the task shows.

        It shows all arms minus uniform, the parts, and the gains.
        """
        pairs = [*((arm, UNIFORM) for arm in self.arms), *self._parts().values(), *self._gaining()]
        pairs = {frozenset(pair): pair for pair in pairs}
        found = [self._pair(*pair) for pair in pairs.values() if pair[0] != pair[1]]
        return sum(one is not None and one.primary == primary and one.interval is not None for one in found)

    def _pair(self, arm: str, other: str) -> Difference | None:
        ours, theirs = self.arms.get(arm, {}), self.arms.get(other, {})
        seeds = tuple(seed for seed in ours if seed in theirs)
        if not seeds:
            return None
        values = tuple(ours[seed].value - theirs[seed].value for seed in seeds)
        pooled = all(one in self.layout.runs for one in (arm, other))
        if pooled:
            # A paired difference has twice the variance of an error.
            deviation, freedom = self.pool.deviation and math.sqrt(2) * self.pool.deviation, self.pool.freedom
            estimate, error = self.layout.contrast(arm, other)
            error /= math.sqrt(2)
        else:
            deviation, freedom = _deviation(values), len(values) - 1
            estimate, error = float(np.mean(values)), 1 / math.sqrt(len(values))
        primary = (arm, other) in [PARTS[name] for name in PRIMARY]
        across = sum(ours[seed].machine != theirs[seed].machine for seed in seeds)
        shape = dict(less_is_better=self.less_is_better, primary=primary, pooled=pooled, across=across)
        return Difference(arm, other, seeds, values, estimate, deviation, error, freedom, **shape)


def _values(arms: Arms) -> dict[str, dict[int, float]]:
    return {arm: {seed: record.value for seed, record in runs.items()} for arm, runs in arms.items()}


def _without_copies(arms: Arms) -> tuple[Arms, dict[str, set[str]]]:
    """Without the runs that are, to the last bit, one of the same seed in an earlier arm: their error is no new one.

    Returns:
        The others, and of each arm that has copies the arms that these are of.
    """
    found, copied, seen = {}, {}, {}
    for arm, runs in arms.items():
        for seed, record in runs.items():
            what = (seed, record.value, record.train_value, record.train_loss, json.dumps(record.widths))
            if seen.setdefault(what, arm) == arm:
                found.setdefault(arm, {})[seed] = record
            else:
                copied.setdefault(arm, set()).add(seen[what])
    return found, copied


def _deviation(values: Sequence[float]) -> float | None:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return deviation if deviation > 1e-9 * max(map(abs, values)) else None


def is_drawn(arm: str) -> bool:
    """Whether an arm has random widths. Drawn anew for every seed, their variance comes on top of that of the
    error; picked out of a landscape, one of their runs has picked them.
    """
    return arm.split("-")[0] == "random"


def split_tasks(records: Iterable[Record]) -> list[Task]:
    """The tasks of a suite, by size and name; those with a size and one metric share a pool.

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
    for metric in {task.metric for task in tasks}:
        sizes = {task.name: task for task in tasks if task.size is not None and task.metric == metric}
        for name, pool in make_pools({name: task.distinct for name, task in sizes.items()}).items():
            sizes[name].join(pool)
    return sorted(tasks, key=lambda task: (task.size is None, task.size or 0, task.name))


def order_of(arm: str) -> tuple[int, str]:
    """Sorts arms: the starting points first, then LW-DNA, then the controls by name."""
    known = [BASELINE, "baseline-tuned", UNIFORM, "uniform-tuned"]
    if arm in known:
        return known.index(arm), arm
    return (4 if arm == LWDNA or arm.startswith(f"{LWDNA}-") else 5), arm
