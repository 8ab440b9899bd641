"""The picture over tasks that have no size: what other widths give in each, a panel a task."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from .drawing import Style, describe_metric, draw_difference, limits_of, new_figure
from .statistics import Task

_COLUMNS = 4


def draw_panels(tasks: Sequence[Task], styles: Mapping[str, Style]) -> Figure | None:
    """All arms minus those with the baseline's widths and the same start; None where fewer than two tasks have any.

    Each panel has a scale of its own, since the tasks' metrics differ.
    """
    found = {task.name: (task, task.gains()) for task in tasks if task.size is None}
    found = {name: pair for name, pair in found.items() if pair[1]}
    if len(found) < 2:
        return None
    names = list(dict.fromkeys(name for _, gains in found.values() for name in gains))[::-1]
    columns = min(_COLUMNS, len(found))
    rows = math.ceil(len(found) / columns)
    figure = new_figure(2.0 + 2.6 * columns, rows * (0.26 * len(names) + 1.2))
    axes = list(figure.subplots(rows, columns, sharey=True, squeeze=False).flat)
    for axis, (task, gains) in zip(axes, found.values(), strict=False):
        axis.set_xlim(*limits_of(list(gains.values())))
        axis.axvline(0, color="0.3", linewidth=1, zorder=1)
        for name, difference in gains.items():
            draw_difference(axis, names.index(name), difference, styles[difference.arm], upright=False)
        axis.set_title(task.name, fontsize=10)
        axis.set_xlabel(describe_metric(task), fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(axis="x", alpha=0.3)
        axis.set_ylim(-0.7, len(names) - 0.3)
        axis.set_yticks(range(len(names)), names)
    for axis in axes[len(found) :]:
        axis.set_visible(False)
    return figure
