"""What a search has measured or tried on the way to its plan."""

import math
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

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
    """What every profile has reached against its parameters, a panel a rung; the even widths and the chosen one marked.

    Args:
        plan: content of the run's plan.json.
        profiles: content of the file beside it.
    """
    lengths, candidates = profiles["lengths"], profiles["candidates"]
    figure, axes = plt.subplots(
        1, len(lengths), figsize=(3.8 * len(lengths) + 1, 3.6), squeeze=False, layout="constrained"
    )
    for rung, (axis, length) in enumerate(zip(axes[0], lengths, strict=True)):
        tried = [one for one in candidates if len(one["values"]) > rung and one["values"][rung] is not None]
        for one in tried:
            place = one["params"] / plan["baseline"]["params"], one["values"][rung]
            even = one is candidates[0]
            axis.plot(*place, "s" if even else "o", color=GREY if even else CURVE, markersize=8 if even else 6)
            if one is candidates[profiles["chosen"]]:
                axis.plot(*place, "o", markersize=13, markerfacecolor="none", markeredgecolor=PLAN, markeredgewidth=2)
        axis.set_title(f"{len(tried)} trainings of {length:.3g} of the whole", fontsize=9)
        axis.set_xlabel("parameters, baseline = 1", fontsize=9)
        axis.ticklabel_format(axis="y", useOffset=False)
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel(f"{profiles['metric']}, held-out images", fontsize=9)
    shapes = dict(linestyle="none", markersize=7)
    handles = [
        plt.Line2D([], [], marker="s", color=GREY, label="even widths", **shapes),
        plt.Line2D([], [], marker="o", color=CURVE, label="a profile", **shapes),
        plt.Line2D([], [], marker="o", markerfacecolor="none", markeredgecolor=PLAN, label="chosen", **shapes),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=9, frameon=False)
    return figure
