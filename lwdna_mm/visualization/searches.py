"""What a search has measured or tried on the way to its plan."""

import math
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..runs.history import less_is_better
from ..shrink.profile_search import ranked
from .figures import GREY, shorten

CURVE, PLAN = "tab:blue", "tab:orange"
_COLUMNS = 5


def draw_response(plan: dict[str, Any], response: dict[str, Any]) -> Figure:
    """The loss against the width of every group, in the order of execution: as measured in the last round, its hull,
    and the widths of the baseline, of the reference and of the plan.

    All panels have the same height of loss, so that steep curves are the ones that matter.

    Args:
        plan: content of the run's plan.json.
        response: content of the file beside it.
    """
    last = response["rounds"][-1]
    names = [name for name in plan["order"] if name in last["groups"]]
    rows = math.ceil(len(names) / _COLUMNS)
    figure, axes = plt.subplots(
        rows, _COLUMNS, figsize=(13, 2.3 * rows + 0.6), sharey=True, squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        group = last["groups"][name]
        axis.plot(group["widths"], group["losses"], "o", color=CURVE, markersize=4, label="measured")
        axis.plot(group["widths"], group["hull"], color=CURVE, linewidth=1.2, label="hull")
        axis.axvline(plan["baseline"]["widths"][name], color=GREY, linestyle="--", linewidth=1, label="baseline")
        axis.axvline(last["reference"][name], color=CURVE, linestyle=":", linewidth=1.2, label="reference")
        axis.axvline(plan["widths"][name], color=PLAN, linewidth=1.6, label="plan")
        axis.set_title(f"{shorten(name)}\n{group['flops'] / 1e6:.3g} MFLOPs a channel", fontsize=8)
        axis.set_xlim(0, 1.05 * group["widths"][-1])
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel("held-out loss", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=8, frameon=False)
    return figure


def draw_profiles(plan: dict[str, Any], profiles: dict[str, Any]) -> Figure:
    """The profiles tried, by colour of what they reached in the first rung, and what each reached against its
    parameters, a panel a rung; the even widths and the chosen one marked.

    Args:
        plan: content of the run's plan.json.
        profiles: content of the file beside it.
    """
    lengths, candidates = profiles["lengths"], profiles["candidates"]
    figure = plt.figure(figsize=(4.2 * len(lengths) + 0.5, 7.2), layout="constrained")
    grid = figure.add_gridspec(2, len(lengths))
    _draw_widths(figure.add_subplot(grid[0, :]), plan, profiles)
    axes = [figure.add_subplot(grid[1, rung]) for rung in range(len(lengths))]
    for rung, (axis, length) in enumerate(zip(axes, lengths, strict=True)):
        tried = [one for one in candidates if len(one["values"]) > rung and one["values"][rung] is not None]
        for one in tried:
            place = one["params"] / plan["baseline"]["params"], one["values"][rung]
            even = one is candidates[0]
            axis.plot(*place, "s" if even else "o", color=GREY if even else CURVE, markersize=8 if even else 6)
            if one is candidates[profiles["chosen"]]:
                axis.plot(*place, "o", markersize=13, markerfacecolor="none", markeredgecolor=PLAN, markeredgewidth=2)
        axis.set_title(f"{len(tried)} profiles, {length:.3g} of the training", fontsize=9)
        axis.set_xlabel("parameters, baseline = 1", fontsize=9)
        axis.ticklabel_format(axis="y", useOffset=False)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel(f"{profiles['metric']}, held-out images", fontsize=9)
    shapes = dict(linestyle="none", markersize=7)
    handles = [
        plt.Line2D([], [], marker="s", color=GREY, label="even widths", **shapes),
        plt.Line2D([], [], marker="o", color=CURVE, label="a profile", **shapes),
        plt.Line2D([], [], marker="o", markerfacecolor="none", markeredgecolor=PLAN, label="chosen", **shapes),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=9, frameon=False)
    return figure


def _draw_widths(axis: Axes, plan: dict[str, Any], profiles: dict[str, Any]) -> None:
    """Every candidate's widths, even ones = 1, in the order of execution: light is what did best."""
    candidates = profiles["candidates"]
    even, chosen = candidates[0]["widths"], candidates[profiles["chosen"]]
    names = [name for name in plan["order"] if len({one["widths"][name] for one in candidates}) > 1]
    sign = -1 if less_is_better(profiles["metric"]) else 1
    reached = [one["values"][0] for one in candidates]
    goodness = {index: math.nan if value is None else sign * value for index, value in enumerate(reached)}
    worst_first = ranked(list(goodness), goodness)[::-1]
    for rank, index in enumerate(worst_first):
        color = plt.get_cmap("viridis")(rank / max(len(worst_first) - 1, 1))
        widths = candidates[index]["widths"]
        axis.plot([widths[name] / even[name] for name in names], color=color, linewidth=1.3)
    axis.plot([chosen["widths"][name] / even[name] for name in names], color=PLAN, linewidth=2, linestyle="--")
    axis.set_yscale("log", base=2)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.set_xticks(range(len(names)), [shorten(name) for name in names], rotation=90, fontsize=7)
    axis.set_ylabel("width, even = 1", fontsize=9)
    axis.set_title(f"{len(candidates)} profiles: dark the worst, light the best", fontsize=9)
    axis.grid(alpha=0.3)
