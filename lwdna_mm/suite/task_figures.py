"""The pictures of one task of a suite."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .costs import relative_costs
from .differences import Difference
from .drawing import (
    Style,
    add_legend,
    describe_metric,
    draw_difference,
    even_widths,
    frame_widths,
    limits_of,
    new_figure,
    scale_in_ratios,
)
from .statistics import UNIFORM, Task

_TITLES = {"flops": "FLOPs", "params": "parameters", "acts": "activations", "training time": "training time"}


def draw_forest(task: Task, styles: Mapping[str, Style]) -> Figure | None:
    """Every arm minus uniform widths, with intervals and verdicts; None where there is no such pair."""
    found = {arm: task.compare(arm) for arm in reversed(task.arms) if arm != UNIFORM}
    found = {arm: difference for arm, difference in found.items() if difference is not None}
    if not found:
        return None
    figure, axis = _rows(len(found))
    axis.set_xlim(*limits_of(list(found.values())))
    axis.axvline(0, color="0.3", linewidth=1, zorder=1)
    for row, (arm, difference) in enumerate(found.items()):
        draw_difference(axis, row, difference, styles[arm], upright=False)
    names = [f"{arm} ({_describe(difference)})" for arm, difference in found.items()]
    axis.set_yticks(range(len(found)), names)
    verdicts = axis.secondary_yaxis("right")
    verdicts.set_yticks(range(len(found)), [difference.verdict for difference in found.values()], fontsize=8)
    verdicts.tick_params(length=0, pad=9)
    axis.set_xlabel(f"{describe_metric(task)}: arm minus uniform")
    return figure


def draw_gap(task: Task, styles: Mapping[str, Style]) -> Figure | None:
    """The metric on training and on test images, arm by arm; None where none was measured on training images."""
    pairs = {
        arm: np.array([(r.train_value, r.value) for r in runs.values() if r.train_value is not None])
        for arm, runs in reversed(task.arms.items())
    }
    pairs = {arm: values for arm, values in pairs.items() if len(values)}
    if not pairs:
        return None
    figure, axis = _rows(len(pairs))
    for row, (arm, values) in enumerate(pairs.items()):
        color = styles[arm].color
        axis.plot(values.mean(0), [row, row], color=color, linewidth=1.5, alpha=0.5, zorder=1)
        for column, face in zip(values.T, ("white", color), strict=True):
            shape = dict(markerfacecolor=face, markeredgecolor=color, markersize=5.5)
            axis.plot(column, [row] * len(values), "o", **shape)
    axis.set_yticks(range(len(pairs)), list(pairs))
    axis.set_xlabel(describe_metric(task))
    for face, label in (("white", "training images"), ("black", "test images")):
        axis.plot([], [], "o", markerfacecolor=face, markeredgecolor="black", markersize=5.5, label=label)
    figure.legend(loc="outside upper right", fontsize=9, frameon=False, ncols=2)
    return figure


def draw_costs(task: Task, styles: Mapping[str, Style]) -> Figure:
    """The metric against FLOPs, parameters, activations and training time, relative to the baseline's."""
    costs = relative_costs(task)
    figure = new_figure(12.5, 3.9)
    axes = figure.subplots(1, len(costs), sharey=True)
    for panel, (axis, (name, by_arm)) in enumerate(zip(axes, costs.items(), strict=True)):
        ratios = [1.0]
        for arm, found in by_arm.items():
            style, mean = styles[arm], float(np.mean(found))
            values = task.values(arm)
            shape = dict(color=style.color, alpha=0.85, label="" if panel else arm)
            axis.plot([mean, mean], [min(values), max(values)], color=style.color, linewidth=1, zorder=1)
            axis.plot(mean, np.mean(values), style.marker, markersize=7, **shape)
            ratios.append(mean)
        axis.set_xlabel(f"{_TITLES[name]}, baseline = 1")
        scale_in_ratios(axis, ratios, "x")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel(describe_metric(task))
    add_legend(figure)
    return figure


def draw_widths(task: Task, styles: Mapping[str, Style]) -> Figure | None:
    """Every group's width relative to uniform's, in the order of execution; None where none differs.

    Arms with the same widths share a line; a band holds all seeds.
    """
    base = even_widths(task)
    if base is None:
        return None
    lines: dict[tuple, tuple[list[str], np.ndarray]] = {}
    for arm, runs in task.arms.items():
        ratios = [[r.widths.get(name, base[name]) / base[name] for name in base] for r in runs.values() if r.widths]
        if ratios and np.any(np.array(ratios) != 1):
            lines.setdefault(tuple(np.mean(ratios, 0)), ([], np.array(ratios)))[0].append(arm)
    if not lines:
        return None
    figure = new_figure(max(7.5, min(16.0, 0.3 * len(base) + 3)), 4.4)
    axis = figure.subplots()
    axis.axhline(1, color=styles[UNIFORM].color, linewidth=1, label=UNIFORM)
    at = np.arange(len(base))
    for arms, ratios in lines.values():
        style = styles[arms[0]]
        shape = dict(color=style.color, linewidth=1.2, marker=style.marker, markersize=4.5, label=", ".join(arms))
        axis.plot(at, ratios.mean(0), style.line, **shape)
        axis.fill_between(at, ratios.min(0), ratios.max(0), color=style.color, alpha=0.12, linewidth=0)
    frame_widths(axis, base, [ratio for _, ratios in lines.values() for ratio in (ratios.min(), ratios.max())])
    add_legend(figure)
    return figure


def _describe(difference: Difference) -> str:
    count = len(difference.seeds)
    return f"{count} seed{'s' if count > 1 else ''}{', primary' if difference.primary else ''}"


def _rows(count: int) -> tuple[Figure, Axes]:
    """A figure with one row an arm."""
    figure = new_figure(8.5, 0.34 * count + 1.3)
    axis = figure.subplots()
    axis.set_ylim(-0.7, count - 0.3)
    axis.grid(axis="x", alpha=0.3)
    return figure, axis
