"""A suite as its config file declares it: tasks x arms x seeds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..engine.config_file import read_config
from ..engine.section import nearest
from ..errors import UserError
from .records import COSTS

Options = dict[str, Any]
"""Changes to a config, as ``--cfg-options`` gives them: dotted key to value."""

PLANNERS = ("torch-pruning",)
DICTS = dict(options=Mapping, select=Mapping, grid=Mapping)


@dataclass(frozen=True)
class Arm:
    """One way to give a network its widths and its start.

    Attributes:
        options: changes to the task's config.
        equal: measure -> another arm; the budget of these measures is what the other arm's network of the same seed
            has, and there is no other budget.
        widths: another arm, whose network of the same seed gives the widths.
        tuned: whether a grid is searched first, and the best of its points taken; or the arm whose point is taken.
        grid, grid_seeds: in place of the task's.
        planner: who finds the plan instead of the ``lwdna`` section's search; one of :data:`PLANNERS`.
        vary: the option that counts up from one run to the next, instead of the seed of the training.
    """

    name: str
    options: Options = field(default_factory=dict)
    equal: dict[str, str] = field(default_factory=dict)
    widths: str | None = None
    tuned: bool | str = False
    grid: dict[str, list] = field(default_factory=dict)
    grid_seeds: int | None = None
    planner: str | None = None
    vary: str | None = None

    @property
    def follows(self) -> tuple[str, ...]:
        """The arms whose networks of the same seed decide on this one's."""
        return (*self.equal.values(), *([self.widths] if self.widths else []))


@dataclass(frozen=True)
class Task:
    """What is trained and judged.

    Attributes:
        config: a config with an ``lwdna`` section.
        data: folder of its images below the suite's data folder; None where it needs none.
        options: changes to the config for all arms.
        size: training images a class (or in all), for the figures over them; None where that is not the point.
        arms: the arms and how many runs each gets.
        metric, grid, grid_seeds, amp: the suite's, where the task does not name its own.
    """

    name: str
    config: Path
    arms: dict[str, int]
    metric: str
    grid: dict[str, list]
    grid_seeds: int
    amp: bool
    data: str | None = None
    options: Options = field(default_factory=dict)
    size: int | None = None


@dataclass(frozen=True)
class Suite:
    """The whole comparison.

    Attributes:
        metric: the metric that counts, unless a task names another.
        arms, tasks: by name.
        amp: whether tasks are trained in mixed precision, unless one says otherwise.
        options: changes to every task's config.
        select: options that hold out a part of the training set and judge by it.
        grid: option -> values; what the ``tuned`` arms choose from on the held-out part, unless a task or an arm has
            another.
        grid_seeds: seeds with which each point of a grid is tried; their mean counts.
    """

    name: str
    metric: str
    arms: dict[str, Arm]
    tasks: dict[str, Task]
    amp: bool = False
    options: Options = field(default_factory=dict)
    select: Options = field(default_factory=dict)
    grid: dict[str, list] = field(default_factory=dict)
    grid_seeds: int = 1


def load_suite(path: str | Path) -> Suite:
    """Read a suite's config file.

    Raises:
        UserError: the file is not there or cannot be executed, or something in it cannot be used.
    """
    path = Path(path)
    content = _plain(path, _without_none(read_config(path, "suite").to_dict()))
    _check_keys(str(path), content, [*Suite.__dataclass_fields__], ["metric", "arms", "tasks"])
    _check_kinds(str(path), content, dict(metric=str, name=str, arms=Mapping, tasks=Mapping, amp=bool, **DICTS))
    _check_grid(f"{path}: ", content)
    arms = {name: _arm(path, name, given) for name, given in content.pop("arms").items()}
    common = dict(metric=content["metric"], grid=content.get("grid", {}), amp=content.get("amp", False))
    common["grid_seeds"] = content.get("grid_seeds", 1)
    tasks = {name: _task(path, name, given, common) for name, given in content.pop("tasks").items()}
    suite = Suite(**{"name": path.stem, **content}, arms=arms, tasks=tasks)
    for task in tasks.values():
        _check_task(path, suite, task)
    return suite


def _plain(path: Path, content: Mapping) -> dict:
    """The content as it comes back from the runs' files, where a tuple is a list; names of tasks and arms are texts.

    Raises:
        UserError: something is not one of JSON's types, or a name is no text.
    """
    for key in ("tasks", "arms"):
        for name in content.get(key) if isinstance(content.get(key), Mapping) else ():
            if not isinstance(name, str):
                raise UserError(f"{path}: {key} has the name {name!r}: write it in quotes")
    for key, value in content.items():
        try:
            json.dumps(value)
        except TypeError as error:
            raise UserError(f"{path}: {key!r} must be texts, numbers, lists and dicts: {error}") from error
    return json.loads(json.dumps(content))


def _arm(path: Path, name: str, given: Any) -> Arm:
    where = f"{path}: arms[{name!r}]"
    _check_keys(where, given, [key for key in Arm.__dataclass_fields__ if key != "name"])
    given = _without_none(given)
    _check_kinds(where, given, dict(equal=Mapping, widths=str, vary=str, planner=str, **DICTS))
    _check_grid(f"{where}.", given)
    for measure, other in given.get("equal", {}).items():
        if not isinstance(other, str):
            raise UserError(f"{where}.equal[{measure!r}] is {other!r}, but must be the name of an arm")
    if not isinstance(given.get("tuned", False), bool | str):
        raise UserError(f"{where}: 'tuned' is {given['tuned']!r}, but must be True, False or the name of an arm")
    for key in ("grid", "grid_seeds"):
        if given.get(key) and given.get("tuned") is not True:
            raise UserError(f"{where} has {key}, but is not tuned: give it tuned=True")
    unknown = next((key for key in given.get("equal", {}) if key not in COSTS), None)
    if unknown is not None:
        raise UserError(f"{where}.equal has {unknown!r}: {nearest(unknown, COSTS)}")
    if given.get("planner", PLANNERS[0]) not in PLANNERS:
        raise UserError(f"{where}.planner is {given['planner']!r}: {nearest(given['planner'], PLANNERS)}")
    return Arm(name, **given)


def _task(path: Path, name: str, given: Any, common: Options) -> Task:
    where = f"{path}: tasks[{name!r}]"
    given = _without_none(given) if isinstance(given, Mapping) else given
    _check_keys(where, given, [key for key in Task.__dataclass_fields__ if key != "name"], ["config", "arms"])
    _check_kinds(where, given, dict(config=str, arms=Mapping, metric=str, data=str, size=int, amp=bool, **DICTS))
    _check_grid(f"{where}.", given)
    config = Path(path.parent, given["config"]).resolve()
    if not config.is_file():
        raise UserError(f"{where}.config: {config} does not exist")
    return Task(name, **{**common, **given, "config": config})


def _check_task(path: Path, suite: Suite, task: Task) -> None:
    where = f"{path}: tasks[{task.name!r}].arms"
    if not task.arms:
        raise UserError(f"{where} is empty: name an arm and its number of runs")
    for name in task.arms:
        if name not in suite.arms:
            raise UserError(f"{where} has {name!r}: {nearest(name, list(suite.arms))}")
    for name, runs in task.arms.items():
        if not isinstance(runs, int) or runs < 1:
            raise UserError(f"{where}[{name!r}] is {runs!r}, but must be the number of runs, 1 or more")
        arm = suite.arms[name]
        for other in arm.follows:
            if other not in suite.arms:
                raise UserError(f"{path}: arms[{name!r}] follows {other!r}: {nearest(other, list(suite.arms))}")
            if task.arms.get(other, 0) < runs:
                raise UserError(f"{where}[{name!r}] follows {other!r}, which has fewer runs there")
            if arm.tuned is True and task.arms[other] < (arm.grid_seeds or task.grid_seeds):
                raise UserError(f"{where}[{name!r}] follows {other!r}, which has fewer runs there than grid_seeds")
            _check_followed(f"{path}: arms[{name!r}] follows {other!r}", arm, suite.arms[other])
        if arm.vary and (arm.follows or arm.tuned):
            raise UserError(f"{path}: arms[{name!r}] varies {arm.vary}, so it can neither be tuned nor follow another")
        if isinstance(arm.tuned, str) and (arm.tuned not in task.arms or suite.arms[arm.tuned].tuned is not True):
            raise UserError(f"{where}: {name!r} takes the point of {arm.tuned!r}, which is not tuned there")
        if arm.tuned and not ((arm.grid or task.grid) and suite.select):
            raise UserError(f"{where}: {name!r} is tuned, so the suite needs a grid and a select")
        decided = [option for option in _decided(arm) if arm.tuned is True and option in (arm.grid or task.grid)]
        if decided:
            raise UserError(f"{where}: {name!r} follows another arm, which decides {decided[0]}: take it from the grid")


def _decided(arm: Arm) -> list[str]:
    """The options that the arms which an arm follows decide."""
    budget = ["lwdna.budget", *(f"lwdna.budget.{measure}" for measure in COSTS)] if arm.equal else []
    search = [f"lwdna.shrink.{name}" for name in ("criterion", "min_ratio", "divisor")]
    return budget + (search if arm.widths else [])


def _check_followed(where: str, arm: Arm, other: Arm) -> None:
    """Check that the other arm's runs come before the arm's, and that its widths are such that they come back."""
    if other.follows or other.vary:
        raise UserError(f"{where}, which must itself neither follow another nor vary")
    if isinstance(other.tuned, str) or (other.tuned and not arm.tuned):
        raise UserError(f"{where}, which is tuned: it comes too late")
    budgets = [{key: value for key, value in one.options.items() if "budget" in key} for one in (arm, other)]
    if arm.widths == other.name and (other.planner or arm.equal or budgets[0] != budgets[1]):
        raise UserError(f"{where}, whose widths it cannot have, for the two have other budgets")


def _without_none(given: Mapping) -> dict:
    """A key that is None is one that is left out."""
    return {key: value for key, value in given.items() if value is not None}


def _check_kinds(where: str, given: Mapping, kinds: dict[str, type]) -> None:
    names = {Mapping: "a dict", str: "a string", int: "a whole number", bool: "True or False"}
    for key, kind in kinds.items():
        value = given.get(key)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise UserError(f"{where}: {key!r} is {value!r}, but must be {names[kind]}")


def _check_grid(where: str, given: Mapping) -> None:
    for option, values in given.get("grid", {}).items():
        if not isinstance(values, list | tuple) or not values:
            raise UserError(f"{where}grid[{option!r}] is {values!r}, but must be a list of values to try")
    seeds = given.get("grid_seeds", 1)
    if not isinstance(seeds, int) or isinstance(seeds, bool) or seeds < 1:
        raise UserError(f"{where}grid_seeds is {seeds!r}, but must be the number of seeds, 1 or more")


def _check_keys(where: str, given: Any, known: list[str], required: list[str] | None = None) -> None:
    if not isinstance(given, Mapping):
        raise UserError(f"{where} must be a dict, not {given!r}")
    for key in given:
        if key not in known:
            raise UserError(f"{where} has no key {key!r}: {nearest(key, known)}")
    for key in required or []:
        if key not in given:
            raise UserError(f"{where}: {key!r} is missing")
