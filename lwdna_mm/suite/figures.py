"""The pictures over all tasks of a suite: against the number of training images."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from .drawing import (
    CONTROLS,
    Style,
    add_legend,
    describe_metric,
    describe_size,
    draw_difference,
    family_of,
    limits_of,
    new_figure,
)
from .statistics import LWDNA, Task, order_of


def draw_gain_by_size(tasks: Sequence[Task], styles: Mapping[str, Style]) -> Figure | None:
    """What the widths alone give, against the number of training images: the figure the suite exists for.

    LW-DNA minus uniform widths with the same start, untuned and with both tuned, and the controls minus the uniform
    widths of their protocol.

    Returns:
        None where no task has a size, two have the same, or nothing can be compared.
    """
    tasks = _sized(tasks)
    controls = dict.fromkeys(arm for task in tasks for arm in task.arms if family_of(arm) in CONTROLS)
    arms = [LWDNA, f"{LWDNA}-tuned", *(arm for arm in controls if not arm.endswith("-tuned"))]
    gains = {task.size: task.gains() for task in tasks}
    series = {arm: [(size, found[arm]) for size, found in gains.items() if arm in found] for arm in arms}
    series = {arm: found for arm, found in series.items() if found}
    if not series:
        return None
    figure = new_figure(9.0, 4.8)
    axis = figure.subplots()
    axis.set_ylim(*limits_of([difference for found in series.values() for _, difference in found]))
    axis.axhline(0, color="0.3", linewidth=1, zorder=1)
    places = _places([[size for size, _ in found] for found in series.values()])
    for sizes, (arm, found) in zip(places, series.items(), strict=True):
        style = styles[arm]
        axis.plot(sizes, [d.estimate for _, d in found], style.line, color=style.color, linewidth=1, alpha=0.6)
        label = f"{arm} - {found[0][1].other}" + (" (primary)" if found[0][1].primary else "")
        shape = dict(color=style.color, marker=style.marker, markersize=7, label=label)
        axis.plot([], [], style.line, **shape)  # for the legend: in the plot a shape may be filled or not
        for size, (_, difference) in zip(sizes, found, strict=True):
            draw_difference(axis, size, difference, style, upright=True)
    _finish_sizes(axis, tasks)
    axis.set_ylabel(f"{describe_metric(tasks[0])}: difference")
    add_legend(figure)
    return figure


def draw_metric_by_size(tasks: Sequence[Task], styles: Mapping[str, Style]) -> Figure | None:
    """The metric of every arm against the number of training images; None as above."""
    tasks = _sized(tasks)
    arms = sorted({arm for task in tasks for arm in task.arms}, key=order_of)
    if not arms:
        return None
    figure = new_figure(9.0, 5.2)
    axis = figure.subplots()
    # All at their sizes: on a steep curve what is moved aside seems better or worse.
    for arm in arms:
        style = styles[arm]
        found = {task.size: task.values(arm) for task in tasks if arm in task.arms}
        shape = dict(color=style.color, linewidth=1, marker=style.marker, markersize=6, alpha=0.8, label=arm)
        axis.plot([*found], [np.mean(values) for values in found.values()], style.line, **shape)
        for size, values in found.items():
            axis.plot([size, size], [min(values), max(values)], color=style.color, linewidth=1, zorder=1)
    _finish_sizes(axis, tasks)
    axis.set_ylabel(describe_metric(tasks[0]))
    add_legend(figure)
    return figure


def _sized(tasks: Sequence[Task]) -> list[Task]:
    tasks = [task for task in tasks if task.size is not None and task.arms]
    comparable = len({task.size for task in tasks}) == len(tasks) and len({task.metric for task in tasks}) == 1
    return tasks if comparable else []


def _places(series: Sequence[Sequence[int]]) -> list[list[float]]:
    """Where to draw the sizes of every series: the first at them, the others by turns right and left of it."""
    # On the logarithmic axis; sizes are some factor of two apart.
    step = min(1.13, 1.7 ** (1 / max(len(series) - 1, 1)))
    turns = [(i + 1) // 2 * (1 if i % 2 else -1) for i in range(len(series))]
    return [[size * step**turn for size in sizes] for turn, sizes in zip(turns, series, strict=True)]


def _finish_sizes(axis: Axes, tasks: Sequence[Task]) -> None:
    sizes = [task.size for task in tasks]
    axis.set_xscale("log")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axis.set_xlim(min(sizes) / 1.5, max(sizes) * 1.5)
    axis.set_xlabel(describe_size(tasks[0]))
    axis.grid(axis="y", alpha=0.3)
