"""Finished runs, read from their work_dirs and put into groups that differ only in the seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from ..errors import UserError
from .history import History, read_history
from .plan_file import USUAL, path_beside
from .summary import SUMMARY, read_written

BASELINE = "baseline"
_LABELS = {
    "GradientCriterion": "LW-DNA",
    "RandomCriterion": "random control",
    "RandomWidthsCriterion": "random widths control",
    "TiltCriterion": "tilt control",
    "UniformCriterion": "uniform control",
    "WidthsCriterion": "given widths control",
    "torch-pruning": "torch-pruning",
}
_SETTINGS = ("widen", "budget", "policy", "min_ratio", "divisor", "warmup_iters", "iters")
# How the network was traced, which older plans do not say.
_TRACED = dict(grouped="within", keep=[], amortized=[])


@dataclass
class Run:
    """One run.

    Attributes:
        path: its work_dir.
        summary: its summary.json.
        plan: its plan.json, None for a baseline.
        history: its curves.
    """

    path: Path
    summary: dict[str, Any]
    plan: dict[str, Any] | None
    history: History

    def beside(self, kind: str) -> dict[str, Any] | None:
        """What its search has found out besides the plan, see :mod:`.plan_file`; None where there is no such file."""
        path = path_beside(self.path / "plan.json", kind)
        return read_written(path) if self.plan is not None and path.is_file() else None

    @property
    def label(self) -> str:
        """``baseline``, ``LW-DNA``, a control, or the LW-DNA of another criterion."""
        if self.plan is None:
            return BASELINE
        name = self.plan["criterion"]["type"].rsplit(".", 1)[-1]
        return _LABELS.get(name, f"LW-DNA ({name})")

    @property
    def settings(self) -> dict[str, Any]:
        """How search and training were set, but for the seed; empty for a baseline."""
        if self.plan is None:
            return {}
        criterion = {key: value for key, value in self.plan["criterion"].items() if key not in ("type", "seed")}
        settings = {key: self.plan.get(key) for key in _SETTINGS}
        settings |= {key: self.plan.get(key, usual) for key, usual in {**USUAL, **_TRACED}.items()}
        return {**settings, "init": self.summary.get("init"), "criterion": criterion}


@dataclass
class Group:
    """The runs of one kind; they should differ in the seed only."""

    label: str
    runs: list[Run] = field(default_factory=list)

    def values(self, *keys: str) -> list[float]:
        """A number of every run's summary, such as ``values('metrics', 'last', 'accuracy/top1')``."""
        found = []
        for run in self.runs:
            value: Any = run.summary
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                found.append(value)
        return found

    def statistic(self, *keys: str) -> tuple[float, float | None, int] | None:
        """Mean, standard deviation (None for a single run) and number of runs; None where no run has the number."""
        values = self.values(*keys)
        return (mean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None


def read_run(path: str | Path) -> Run:
    """Read a work_dir.

    Raises:
        UserError: no run has finished there, or what it has written is damaged.
    """
    path = Path(path)
    summary, plan = path / SUMMARY, path / "plan.json"
    if not summary.is_file():
        raise UserError(f"{path}: no summary.json, so no finished run; finish it with tools/train.py CONFIG --resume")
    plan = read_written(plan, "baseline", "criterion") if plan.is_file() else None
    return Run(path, read_written(summary, "config", "seed", "params", "metrics"), plan, read_history(path))


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """Put runs that differ in the seed only together, the baseline first.

    A baseline whose own config has no input shape gets its FLOPs and activations from a plan.

    Raises:
        UserError: the baselines differ in size, or two runs of a kind have one seed.
    """
    runs = list({run.path.resolve(): run for run in runs}.values())  # a run counts once
    planned = [run for run in runs if run.plan is not None]
    for run in runs:
        if _size(run) != _size(runs[0]):
            raise UserError(f"{run.path} and {runs[0].path} do not belong together: their baselines differ in size")
        if planned and run.plan is None:
            known = planned[0].plan["baseline"]
            run.summary.update({cost: known[cost] for cost in ("flops", "acts") if cost in known})
    groups: dict[str, Group] = {}
    for run in runs:
        alike = [other for other in runs if other.label == run.label]
        varying = [key for key, value in run.settings.items() if any(o.settings[key] != value for o in alike)]
        told = ", ".join(f"{key} {_format(run.settings[key])}" for key in varying)
        label = f"{run.label}, {told}" if told else run.label
        group = groups.setdefault(label, Group(label))
        twice = next((other for other in group.runs if other.summary["seed"] == run.summary["seed"]), None)
        if twice:
            raise UserError(
                f"{twice.path} and {run.path} are both {label} with seed {run.summary['seed']}: give one of them"
            )
        group.runs.append(run)
    return sorted(groups.values(), key=lambda g: (g.label != BASELINE, not g.label.startswith("LW-DNA"), g.label))


def _size(run: Run) -> int:
    """Parameters of the baseline."""
    return run.summary["params"] if run.plan is None else run.plan["baseline"]["params"]


def _format(value: Any) -> str:
    return " ".join(f"{key}={one}" for key, one in value.items()) if isinstance(value, dict) else str(value)


def metric_names(groups: Sequence[Group]) -> list[str]:
    """The metrics that any of the runs has, in alphabetic order."""
    return sorted({name for group in groups for run in group.runs for name in run.summary["metrics"]["last"]})
