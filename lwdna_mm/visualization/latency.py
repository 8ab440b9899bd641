"""Time as a cost of finished runs: predicted by a latency.json, measured where a plan was; and by layer."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..errors import UserError
from ..latency import Profile
from ..runs.grouping import BASELINE, Group, Run
from .figures import GREY, color_of, shorten

CONSTANT = "all else"


def add_latency(groups: Sequence[Group], profile: Profile | None, path: str = "") -> None:
    """Note in every run's summary its network's ``latency``: by ``predicted`` or ``measured`` and by workload, the
    time as multiples of the baseline's.

    Raises:
        UserError: the profile, read from ``path``, is of another network.
    """
    for group in groups:
        for run in group.runs:
            plan = run.plan or {}
            times = {"measured": plan.get("latency", {}).get("measured", {})}
            if profile is not None:
                if not _is_of(profile, run):
                    raise UserError(f"{path} was measured on another network ({profile.config}) than {run.path} is of")
                times["predicted"] = profile.predict(plan.get("widths", {}))
            run.summary["latency"] = times


def _is_of(profile: Profile, run: Run) -> bool:
    """Whether a run's baseline is the network of a profile; one without a plan is told by its parameters."""
    if run.plan is not None:
        return run.plan.get("fingerprint", profile.fingerprint) == profile.fingerprint
    return run.summary["params"] == int(profile.complexity.params(profile.base))


def latency_keys(groups: Sequence[Group]) -> list[tuple[str, str, str]]:
    """Where summaries have times, as keys of :meth:`Group.statistic`."""
    found = {
        ("latency", kind, name): None
        for group in groups
        for run in group.runs
        for kind, times in run.summary.get("latency", {}).items()
        for name in times
    }
    return sorted(found, reverse=True)  # predicted before measured


def draw_latency(groups: Sequence[Group], profile: Profile) -> Figure:
    """Where the time goes: every layer's time in the order of execution, as a share of the whole baseline's."""
    colors = color_of(groups)
    figure, axes = plt.subplots(
        len(profile.fitted), 1, figsize=(11, 3.2 * len(profile.fitted)), squeeze=False, layout="constrained"
    )
    for axis, one in zip(axes[:, 0], profile.fitted, strict=True):
        names = [*one.model.shares, CONSTANT]
        x = np.arange(len(names))
        for group in groups:
            shares = [
                [*profile.by_layer((run.plan or {}).get("widths", {}))[str(one.workload)].values(), one.model.constant]
                for run in group.runs
            ]
            mean = 100 * np.mean(shares, 0)
            if group.label == BASELINE:
                axis.bar(x, mean, width=0.85, color="0.88", edgecolor=GREY, linewidth=0.6, label=BASELINE)
            else:
                axis.plot(x, mean, color=colors[group.label], marker="o", markersize=4, label=group.label)
        step = max(1, len(names) // 60)
        axis.set_xticks(x[::step], [shorten(name) for name in names[::step]], rotation=90, fontsize=7)
        axis.set_xlim(-0.7, len(names) - 0.3)
        axis.set_ylim(bottom=0)
        axis.set_ylabel("% of the baseline's time")
        axis.set_title(str(one.workload), fontsize=10)
        axis.legend(fontsize=9)
    return figure
