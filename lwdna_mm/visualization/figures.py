"""The pictures of a report, as matplotlib figures."""

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..runs.grouping import BASELINE, Group

GREY = "0.45"
_COLORS = ["tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:pink", "tab:olive", "tab:cyan"]


def color_of(groups: Sequence[Group]) -> dict[str, str]:
    """One colour for every label; the baseline is grey."""
    others = [group.label for group in groups if group.label != BASELINE]
    return {BASELINE: GREY, **{label: _COLORS[i % len(_COLORS)] for i, label in enumerate(others)}}


def draw_overview(
    groups: Sequence[Group], metrics: Sequence[str], times: Sequence[tuple[str, str, str]] = ()
) -> Figure:
    """Every run's metrics and costs: a dot each, with mean and standard deviation of a group.

    Args:
        times: keys of the times in the summaries, see :func:`~.latency.latency_keys`.
    """
    panels = [(name, ("metrics", "last", name), 1.0) for name in metrics]
    panels += [("MFLOPs", ("flops",), 1e-6), ("M parameters", ("params",), 1e-6)]
    if any(group.values("acts") for group in groups):  # older runs have not counted them
        panels.append(("M activations", ("acts",), 1e-6))
    panels += [(f"{kind} time,\n{name}", (key, kind, name), 1.0) for key, kind, name in times]
    colors = color_of(groups)
    figure, axes = plt.subplots(1, len(panels), figsize=(2.9 * len(panels), 2.9), squeeze=False, layout="constrained")
    for axis, (title, keys, scale) in zip(axes[0], panels, strict=True):
        for i, group in enumerate(groups):
            values = np.array(group.values(*keys)) * scale
            if len(values):
                axis.scatter([i] * len(values), values, color=colors[group.label], alpha=0.6, zorder=3)
                deviation = values.std(ddof=1) if len(values) > 1 else 0
                axis.errorbar(i + 0.22, values.mean(), deviation, color=colors[group.label], fmt="_", capsize=4)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(range(len(groups)), [group.label for group in groups], rotation=30, ha="right", fontsize=9)
        axis.set_xlim(-0.6, len(groups) - 0.4)
        axis.ticklabel_format(axis="y", useOffset=False)
        if scale != 1 or keys[0] == "latency":  # costs are compared from zero
            axis.set_ylim(0, 1.15 * axis.get_ylim()[1])
        axis.grid(axis="y", alpha=0.3)
    return figure


def draw_widths(groups: Sequence[Group]) -> Figure:
    """The width of every channel group against the baseline's, in the order of execution."""
    planned = [group for group in groups if group.label != BASELINE]
    plan = planned[0].runs[0].plan
    base = plan["baseline"]["widths"]
    names = plan.get("order", list(base))
    colors = color_of(groups)
    figure, axis = plt.subplots(figsize=(max(6.0, min(16.0, 0.33 * len(names) + 2)), 4.2), layout="constrained")
    x = np.arange(len(names))
    axis.bar(x, [base[name] for name in names], width=0.85, color="0.88", edgecolor=GREY, linewidth=0.6, label=BASELINE)
    for group in planned:
        widths = np.array([[run.plan["widths"].get(name, base[name]) for name in names] for run in group.runs])
        axis.plot(x, widths.mean(0), color=colors[group.label], marker="o", markersize=4, label=group.label)
        axis.fill_between(x, widths.min(0), widths.max(0), color=colors[group.label], alpha=0.2, linewidth=0)
    step = max(1, len(names) // 60)
    axis.set_xticks(x[::step], [shorten(name) for name in names[::step]], rotation=90, fontsize=7)
    axis.set_xlim(-0.7, len(names) - 0.3)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("channels")
    axis.legend(fontsize=9)
    return figure


def draw_curves(groups: Sequence[Group], metrics: Sequence[str]) -> Figure | None:
    """The training loss and every metric over the training, a line for every run; None where nothing was logged."""
    panels = [("training loss", "train", "loss", "iteration")]
    panels += [(name, "val", name, "epoch or iteration") for name in metrics]
    colors = color_of(groups)
    figure, axes = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), 3.2), squeeze=False, layout="constrained")
    drawn = False
    for axis, (title, part, name, unit) in zip(axes[0], panels, strict=True):
        for group in groups:
            for i, run in enumerate(group.runs):
                curve = getattr(run.history, part).get(name, {})
                steps = sorted(curve)
                axis.plot(
                    steps,
                    [curve[step] for step in steps],
                    color=colors[group.label],
                    alpha=0.85,
                    linewidth=1.2,
                    marker="." if len(steps) < 15 else None,
                    label=None if i else group.label,
                )
                drawn = drawn or bool(steps)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(unit, fontsize=9)
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize=8)
    return figure if drawn else None


def shorten(name: str) -> str:
    """Drop the part of a module path that all networks have."""
    for prefix in ("backbone.", "generator."):
        name = name.removeprefix(prefix)
    return name
