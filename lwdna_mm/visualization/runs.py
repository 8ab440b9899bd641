"""Finished runs, read from their work_dirs and put into groups that differ only in the seed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from ..engine.history import History, read_history
from ..errors import UserError

BASELINE = "baseline"
_LABELS = {"GradientCriterion": "LW-DNA", "RandomCriterion": "random control", "UniformCriterion": "uniform control"}


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

    @property
    def label(self) -> str:
        """``baseline``, ``LW-DNA``, a control, or the LW-DNA of another criterion."""
        if self.plan is None:
            return BASELINE
        name = self.plan["criterion"]["type"].rsplit(".", 1)[-1]
        return _LABELS.get(name, f"LW-DNA ({name})")


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
        UserError: no run has finished there.
    """
    path = Path(path)
    summary, plan = path / "summary.json", path / "plan.json"
    if not summary.is_file():
        raise UserError(f"{path}: no summary.json, so no finished run; finish it with tools/train.py CONFIG --resume")
    plan = json.loads(plan.read_text()) if plan.is_file() else None
    return Run(path, json.loads(summary.read_text()), plan, read_history(path))


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """Put runs of one label together, the baseline first.

    A baseline whose own config has no input shape gets its FLOPs from a plan made for a network of its size.
    """
    groups: dict[str, Group] = {}
    for run in runs:
        groups.setdefault(run.label, Group(run.label)).runs.append(run)
    bases = [run.plan["baseline"] for run in runs if run.plan is not None]
    for run in groups.get(BASELINE, Group(BASELINE)).runs:
        if run.summary["flops"] is None:
            same = [base["flops"] for base in bases if base["params"] == run.summary["params"]]
            run.summary["flops"] = same[0] if same else None
    order = [BASELINE, "LW-DNA"]
    return sorted(groups.values(), key=lambda g: (order.index(g.label) if g.label in order else 2, g.label))


def metric_names(groups: Sequence[Group]) -> list[str]:
    """The metrics that any of the runs has, in alphabetic order."""
    return sorted({name for group in groups for run in group.runs for name in run.summary["metrics"]["last"]})
