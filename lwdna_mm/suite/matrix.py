"""From a suite to its runs, and from a run to what it is to do once the runs that it needs are done."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.section import nearest
from ..errors import UserError
from ..runs.history import less_is_better
from .config import Arm, Options, Suite, Task
from .records import COSTS, SELECT, Key, Record, describe_point


@dataclass(frozen=True)
class Run:
    """One call of the pipeline.

    Attributes:
        options: all changes to the task's config, but for what the needed runs decide.
        needs: the runs whose results decide the rest.
    """

    key: Key
    task: Task
    arm: Arm
    options: Options
    needs: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Order:
    """A run that is ready: plain values only, so that a process or a machine of its own can do it.

    Attributes:
        key: which run it is.
        config: path of the task's config.
        options: all changes to it.
        metric: the metric that counts.
        amp: whether to train in mixed precision.
        size, data: of the task.
        planner: of the arm.
        point: what tuning has chosen, or is trying out.
    """

    suite: str
    key: Key
    config: str
    options: Options
    metric: str
    amp: bool
    size: int | None
    data: str | None
    planner: str | None
    point: Options = field(default_factory=dict)

    @property
    def spec(self) -> str:
        """A short hash of the run's name and options; what the task's config and data are is not in it."""
        said = [
            Path(self.config).stem,
            self.options,
            self.key.seed,
            self.key.stage,
            self.metric,
            self.amp,
            self.planner,
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def folder(self) -> Path:
        """Where the run works, below the suite's folder; another spec has another one."""
        return self.key.folder.with_name(f"{self.key.folder.name}-{self.spec}")

    def to_dict(self) -> dict[str, Any]:
        """In plain JSON types."""
        return asdict(self) | {"key": self.key._asdict()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Order":
        """The order that :meth:`to_dict` has written."""
        return cls(**{**given, "key": Key(**given["key"])})


def expand(suite: Suite) -> list[Run]:
    """All runs of a suite, task by task: the first seed of every arm before the second, what is tuned last.

    What a run needs comes before it.
    """
    return [run for task in suite.tasks.values() for run in _behind_needs(list(_runs(suite, task)))]


def _behind_needs(runs: Sequence[Run]) -> Iterator[Run]:
    rest = {run.key: run for run in runs}

    def take(run: Run) -> Iterator[Run]:
        if rest.pop(run.key, None):
            for need in run.needs:
                if need in rest:
                    yield from take(rest[need])
            yield run

    for run in runs:
        yield from take(run)


def _runs(suite: Suite, task: Task) -> Iterator[Run]:
    turns = [(index, suite.arms[name]) for index in range(max(task.arms.values())) for name in task.arms]
    turns = [(index, arm) for index, arm in turns if index < task.arms[arm.name]]
    for index, arm in sorted(turns, key=lambda turn: (bool(turn[1].tuned), turn[0], *_dependent(turn[1]))):
        options = _options(suite, task, arm)
        if arm.vary is not None:
            yield Run(Key(task.name, f"{arm.name}-{index:02d}", 0), task, arm, {**options, arm.vary: index})
            continue
        needs = [Key(task.name, other, index) for other in arm.follows]
        if arm.tuned:
            tried = suite.arms[arm.tuned] if isinstance(arm.tuned, str) else arm
            grid = _grid_runs(suite, task, tried)
            yield from grid if index == 0 and tried is arm else []
            needs += [run.key for run in grid]
        yield Run(Key(task.name, arm.name, index), task, arm, options, tuple(needs))


def _options(suite: Suite, task: Task, arm: Arm) -> Options:
    return _effective({**suite.options, **task.options, **arm.options})


def _dependent(arm: Arm) -> tuple[bool, bool]:
    """Whether an arm takes its point, or its budget or widths, from another one."""
    return isinstance(arm.tuned, str), bool(arm.follows)


def _grid_runs(suite: Suite, task: Task, arm: Arm) -> list[Run]:
    """All points with the first seed, then all with the second."""
    runs = []
    seeds = range(arm.grid_seeds or task.grid_seeds)
    for seed, point in itertools.product(seeds, points(arm.grid or task.grid)):
        key = Key(task.name, arm.name, seed, SELECT, describe_point(point))
        needs = tuple(Key(task.name, other, seed) for other in arm.follows)
        runs.append(Run(key, task, arm, {**_options(suite, task, arm), **suite.select, **point}, needs))
    return runs


def only(runs: Sequence[Run], wanted: Sequence[str]) -> list[Run]:
    """The runs of the wanted ``TASK`` or ``TASK/ARM``, of which ``landscape`` is all plans, and what these need.

    Raises:
        UserError: there is no such run.
    """
    keys: set[Key] = set()
    for name in wanted:
        found = {run.key for run in runs if name in (run.task.name, *_arms(run))}
        if not found:
            raise UserError(f"--only {name}: {nearest(name, sorted({arm for run in runs for arm in _arms(run)}))}")
        keys |= found
    for run in reversed(runs):  # what a run needs comes before it
        if run.key in keys:
            keys |= set(run.needs)
    return [run for run in runs if run.key in keys]


def _arms(run: Run) -> tuple[str, str]:
    """The names of a run's arm: in the suite, and in records, where each run of a varied arm has one of its own."""
    return f"{run.task.name}/{run.arm.name}", f"{run.task.name}/{run.key.arm}"


def points(grid: Mapping[str, Sequence]) -> list[Options]:
    """All combinations of a grid's values."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def _effective(options: Options) -> Options:
    """Without changes to an ``lwdna`` section that the options take out."""
    if options.get("lwdna", options) is not None:
        return options
    return {name: value for name, value in options.items() if not name.startswith("lwdna.")}


def resolve(suite: Suite, run: Run, done: Mapping[Key, Record]) -> Order:
    """Complete a run whose needs are ``done``.

    Raises:
        UserError: every point of its grid has diverged, or the arm whose widths it is to have has no plan.
    """
    task, arm, key = run.task, run.arm, run.key
    options, point = dict(run.options), {}
    if arm.equal:
        shares = {name: done[Key(task.name, other, key.seed)].shares[name] for name, other in arm.equal.items()}
        options = {name: value for name, value in options.items() if not f"{name}.".startswith("lwdna.budget.")}
        options["lwdna.budget"] = {**dict.fromkeys(COSTS), **shares}
    if arm.widths:
        options.update(_prescribe(key, done[Key(task.name, arm.widths, key.seed)]))
    if key.stage == SELECT:
        point = {name: options[name] for name in arm.grid or task.grid}
    elif arm.tuned:
        point = best_point(key, [done[need] for need in run.needs if need.stage == SELECT])
        options.update(point)
    return Order(
        suite.name, key, str(task.config), options, task.metric, task.amp, task.size, task.data, arm.planner, point
    )


def _prescribe(key: Key, other: Record) -> Options:
    """What gives the run the other one's widths."""
    if other.widths is None:
        raise UserError(f"{key} is to have the widths of {other.arm!r}, which has no plan")
    criterion = dict(type="WidthsCriterion", widths=other.widths)
    options = {"lwdna.shrink.criterion": criterion, "lwdna.shrink.min_ratio": 0.0}
    if not other.options.get("lwdna.shrink.grow_last"):
        # Where last layers are held, widths need not use up the budget, nor be multiples of the divisor.
        criterion["grow"] = False
        options["lwdna.shrink.divisor"] = 1
    return options


def best_point(key: Key, tried: Sequence[Record]) -> Options:
    """The point of a grid that did best on the held-out part, by the mean of its seeds; of equals the first.

    Args:
        key: the run that is to take it.
        tried: the grid's runs; a point at which one has diverged counts as the worst.

    Raises:
        UserError: all points have one that has diverged.
    """
    reached: dict[str, list[float | None]] = {}
    for record in tried:
        reached.setdefault(record.key.point, []).append(record.value)
    means = {point: float(np.mean(values)) for point, values in reached.items() if None not in values}
    if not means:
        raise UserError(f"{key}: all points of its grid have diverged; give the task a grid of lower learning rates")
    best = (min if less_is_better(tried[0].metric) else max)(means, key=means.get)
    return next(record.point for record in tried if record.key.point == best)
