"""The pictures of random plans: what they reach, and what the good ones have in common."""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .drawing import Style, add_legend, describe_metric, even_widths, frame_widths, new_figure
from .landscape import Ties, tie_widths
from .records import Record
from .statistics import BASELINE, LWDNA, UNIFORM, Task


def draw_landscape(task: Task, styles: Mapping[str, Style]) -> Figure | None:
    """What each random plan reaches, with LW-DNA, uniform and baseline; the widths of the plans, dark the worst and
    light the best, with LW-DNA's; and how each group's width goes with the result. None without two plans.
    """
    if len(task.landscape) < 2:
        return None
    worst_first = sorted(task.landscape, key=lambda record: -record.value if task.less_is_better else record.value)
    colors = [colormaps["viridis"](rank / (len(worst_first) - 1)) for rank in range(len(worst_first))]
    base = even_widths(task)
    if base is None or not all(record.widths for record in worst_first):
        figure = new_figure(7.5, 3.8)
        _draw_shares(figure.subplots(), task, worst_first, colors, styles)
    else:
        figure = new_figure(max(11.0, min(18.0, 0.2 * len(base) + 8)), 5.4)
        grid = figure.add_gridspec(2, 2, height_ratios=[1.6, 1])
        _draw_shares(figure.add_subplot(grid[:, 0]), task, worst_first, colors, styles)
        widths = figure.add_subplot(grid[0, 1])
        _draw_plans(widths, task, base, worst_first, colors, styles)
        _draw_ties(figure.add_subplot(grid[1, 1], sharex=widths), base, tie_widths(task))
        widths.tick_params(axis="x", labelbottom=False)
    add_legend(figure)
    return figure


def _draw_shares(axis: Axes, task: Task, plans: list[Record], colors: list, styles: Mapping[str, Style]) -> None:
    """The share of plans up to each value, and the runs of the arms."""
    values = sorted(record.value for record in plans)
    axis.ecdf(values, color="0.6", linewidth=1, label=f"{len(plans)} random plans")
    for record, color in zip(plans, colors, strict=True):
        share = np.searchsorted(values, record.value, side="right") / len(values)
        axis.plot(record.value, share, "o", color=color, markeredgecolor="0.4", markeredgewidth=0.5)
    for arm in (BASELINE, UNIFORM, LWDNA):
        if arm in task.arms:
            mean, style = float(np.mean(task.values(arm))), styles[arm]
            axis.axvline(mean, color=style.color, linewidth=1.5, label=f"{arm} (mean)")
            axis.plot(task.values(arm), [0.5] * len(task.values(arm)), style.marker, color=style.color, markersize=5)
            if arm == UNIFORM and arm in task.layout.runs and task.pool.deviation:
                shade = dict(color=style.color, alpha=0.12, linewidth=0)
                low, high = mean - task.pool.deviation, mean + task.pool.deviation
                axis.axvspan(low, high, label="± one deviation of the error", **shade)
    axis.locator_params(axis="x", nbins=6)
    axis.set_xlabel(describe_metric(task))
    axis.set_ylabel("share of the plans")
    axis.grid(alpha=0.3)


def _draw_plans(
    axis: Axes, task: Task, base: dict[str, int], plans: list[Record], colors: list, styles: Mapping[str, Style]
) -> None:
    """Every plan's widths, relative to uniform's."""
    lines = [[record.widths[name] / base[name] for name in base] for record in plans]
    for line, color in zip(lines, colors, strict=True):
        axis.plot(line, color=color, linewidth=1.5)
    for record in task.arms.get(LWDNA, {}).values():
        if record.widths:
            lines.append([record.widths[name] / base[name] for name in base])
            axis.plot(lines[-1], "--", color=styles[LWDNA].color, linewidth=1.5)
    axis.axhline(1, color=styles[UNIFORM].color, linewidth=1)
    frame_widths(axis, base, [ratio for line in lines for ratio in (min(line), max(line))])
    axis.set_title("dark the worst plan, light the best; dashed: lwdna", fontsize=9)


def _draw_ties(axis: Axes, base: dict[str, int], ties: Ties | None) -> None:
    """Every group's rank correlation, and what chance brings: for one group, and for the largest of all."""
    axis.axhline(0, color="0.3", linewidth=1)
    axis.set(xlim=(-0.5, len(base) - 0.5), ylim=(-1, 1), ylabel="wider is worse | better")
    axis.tick_params(axis="x", labelrotation=90, labelsize=7)
    if ties is None:
        return
    axis.axhspan(-ties.alone, ties.alone, color="tab:blue", alpha=0.12, linewidth=0, label="95 % by chance: one layer")
    for sign in (-1, 1):
        label = "the same: the largest of all" if sign > 0 else None
        axis.axhline(sign * ties.corrected, color="tab:blue", linestyle=":", linewidth=1.2, label=label)
    at = [place for place, name in enumerate(base) if name in ties.correlations]
    heights = [ties.correlations[name] for name in base if name in ties.correlations]
    bars = axis.bar(at, heights, width=0.6, color="tab:blue", zorder=3)
    bars.set_label("rank correlation of width and result")
