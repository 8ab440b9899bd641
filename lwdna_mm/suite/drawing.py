"""How arms and differences are drawn: the same colours, shapes and bars in all pictures of a suite."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, NullFormatter
from matplotlib.transforms import offset_copy

from ..visualization.figures import shorten
from .differences import UNCLEAR, Difference
from .statistics import UNIFORM, Task

# Okabe and Ito's palette, which the colour-blind can tell apart, without its yellow; families share a colour.
_FAMILIES = {
    "baseline": "#7F7F7F",
    "uniform": "#000000",
    "lwdna": "#D55E00",
    "random": "#0072B2",
    "narrow": "#009E73",
    "wider": "#CC79A7",
    "tilt": "#56B4E9",
    "torch-pruning": "#E69F00",
}
_OTHERS = ["#7A4B2A", "#5B4FA2", "#8A9A00", "#A0006E"]
_MARKERS = "sDo^v<>PXphd8*"
CONTROLS = ("random", "tilt", "torch-pruning")


@dataclass(frozen=True)
class Style:
    """How an arm is drawn."""

    color: str
    marker: str
    line: str


def styles_of(tasks: Iterable[Task]) -> dict[str, Style]:
    """One style for every arm of a suite: a colour a family, a shape an arm, dashes for a fresh start or tuning."""
    arms = list(dict.fromkeys(arm for task in tasks for arm in task.arms))
    others = list(dict.fromkeys(family_of(arm) for arm in arms if family_of(arm) not in _FAMILIES))
    colors = {**_FAMILIES, **{name: _OTHERS[i % len(_OTHERS)] for i, name in enumerate(others)}}
    found = {}
    for i, arm in enumerate(sorted(arms)):
        line = "--" if arm.endswith("-tuned") else ":" if "-fresh" in arm else "-"
        found[arm] = Style(colors[family_of(arm)], _MARKERS[i % len(_MARKERS)], line)
    return found


def family_of(arm: str) -> str:
    """The arm that this one is a form of: ``lwdna`` for ``lwdna-fresh``, ``tilt`` for ``tilt-0.5``."""
    return next((name for name in _FAMILIES if arm == name or arm.startswith(f"{name}-")), arm.split("-")[0])


def describe_metric(task: Task) -> str:
    """The metric, and which way is better where that is not up."""
    return task.metric + (" (less is better)" if task.less_is_better else "")


def describe_size(task: Task) -> str:
    """What the size of a task counts."""
    return "training images a class" if task.metric.startswith("accuracy") else "training images"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, whose parts do not overlap."""
    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08))


def add_legend(figure: Figure) -> None:
    """A legend beside the axes, where it hides nothing."""
    figure.legend(loc="outside right upper", fontsize=9, frameon=False)


def limits_of(differences: Sequence[Difference]) -> tuple[float, float]:
    """An axis for differences: all seeds and zero, and some room for intervals, which may be many times longer."""
    values = [value for difference in differences for value in difference.values] + [0.0]
    ends = [end for difference in differences for end in difference.corrected or ()] + values
    span = max(values) - min(values) or 1.0
    low, high = max(min(ends), min(values) - 0.6 * span), min(max(ends), max(values) + 0.6 * span)
    return low - 0.07 * span, high + 0.07 * span


def draw_difference(axis: Axes, at: float, difference: Difference, style: Style, upright: bool) -> None:
    """A difference at ``at``: the mean (filled where it is told from zero), a thick 95 % interval, a thin
    corrected one, and beside them a small dot a seed.

    Where an interval leaves the axis, whose limits are set already, an arrow says so.

    Args:
        upright: whether differences go along the y axis.
    """

    def place(where: float, value: float) -> tuple[float, float]:
        return (where, value) if upright else (value, where)

    low, high = axis.get_ylim() if upright else axis.get_xlim()
    for interval, width in ((difference.corrected, 1.0), (difference.interval, 3.2)):
        if interval is not None:
            ends = zip(place(at, max(interval[0], low)), place(at, min(interval[1], high)), strict=True)
            axis.plot(*ends, color=style.color, linewidth=width, solid_capstyle="butt", zorder=2)
    if difference.corrected is not None:
        shape = dict(color=style.color, markersize=6, clip_on=False, zorder=5)
        if difference.corrected[0] < low:
            axis.plot(*place(at, low), "v" if upright else "<", **shape)
        if difference.corrected[1] > high:
            axis.plot(*place(at, high), "^" if upright else ">", **shape)
    if len(difference.values) > 1:
        beside = offset_copy(axis.transData, axis.figure, *((6, 0) if upright else (0, -7)), units="points")
        for value in difference.values:
            axis.plot(*place(at, value), "o", color=style.color, markersize=2.5, transform=beside, zorder=4)
    face = "white" if difference.verdict == UNCLEAR else style.color
    shape = dict(markersize=8, markerfacecolor=face, markeredgecolor=style.color, zorder=3)
    axis.plot(*place(at, difference.estimate), style.marker, **shape)


def even_widths(task: Task) -> dict[str, int] | None:
    """The widths of the uniform control, which others are drawn relative to, in the order of execution."""
    return next((record.widths for record in task.arms.get(UNIFORM, {}).values() if record.widths), None)


def frame_widths(axis: Axes, names: Iterable[str], ratios: list[float]) -> None:
    """An axis for widths relative to uniform's, of which ``ratios`` has the extremes: the groups by name along x."""
    names = [shorten(name) for name in names]
    step = max(1, len(names) // 60)
    axis.set_xticks(range(0, len(names), step), names[::step], rotation=90, fontsize=7)
    scale_in_ratios(axis, ratios, "y")
    axis.set_ylabel("width, uniform = 1")
    axis.grid(axis="y", alpha=0.3)


def scale_in_ratios(axis: Axes, ratios: list[float], which: str) -> None:
    """A logarithmic axis that names halves and doubles."""
    low, high = min([*ratios, 0.8]) / 1.15, max([*ratios, 1.25]) * 1.15
    ticks = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]
    ticks = [tick for tick in ticks if low <= tick <= high]
    if len(ticks) < 3:
        ticks = [tick for tick in (0.6, 0.8, 1, 1.25, 1.6) if low <= tick <= high]
    axis.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    one = axis.xaxis if which == "x" else axis.yaxis
    one.set_minor_formatter(NullFormatter())
    one.set_minor_locator(FixedLocator([]))
    one.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
