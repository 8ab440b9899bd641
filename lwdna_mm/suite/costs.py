"""What the runs of a suite have cost."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .records import COSTS, Record
from .statistics import BASELINE, UNIFORM, Task


@dataclass(frozen=True)
class Use:
    """What has been used of one kind of machine.

    Attributes:
        runs: how many runs were done on it.
        hours: of search and training; times the threads of a run where the machine is told with them, so that these
            are core-hours.
        cores: whether they are.
    """

    runs: int
    hours: float
    cores: bool


def relative_times(task: Task) -> dict[str, list[float]]:
    """Arm -> seconds of training relative to the baseline's mean on the same machine, for the runs that have one.

    Uniform widths cost the same and stand in for a baseline that has not run.
    """
    reference: dict[str, list[float]] = {}
    for record in (task.arms.get(BASELINE) or task.arms.get(UNIFORM) or {}).values():
        reference.setdefault(record.machine, []).append(record.training_seconds)
    found = {}
    for arm, runs in task.arms.items():
        ratios = [
            record.training_seconds / float(np.mean(reference[record.machine]))
            for record in runs.values()
            if record.machine in reference
        ]
        if ratios:
            found[arm] = ratios
    return found


def relative_costs(task: Task) -> dict[str, dict[str, list[float]]]:
    """Measure -> arm -> one value a run, relative to the baseline: FLOPs, parameters, activations, training time."""
    found = {
        name: {arm: [record.shares[name] for record in runs.values()] for arm, runs in task.arms.items()}
        for name in COSTS
    }
    return {**found, "training time": relative_times(task)}


def machine_use(records: Iterable[Record]) -> dict[str, Use]:
    """Machine -> what was used of it, by all runs: those of tuning and of the landscape too."""
    found: dict[str, Use] = {}
    for record in records:
        threads = re.search(r"(\d+) threads?$", record.machine)
        seconds = (record.search_seconds or 0) + record.training_seconds
        hours = seconds / 3600 * (int(threads[1]) if threads else 1)
        before = found.get(record.machine, Use(0, 0, bool(threads)))
        found[record.machine] = Use(before.runs + 1, before.hours + hours, bool(threads))
    return dict(sorted(found.items()))
