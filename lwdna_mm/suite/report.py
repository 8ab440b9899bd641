"""The report of a suite, done or half done: ``report.html`` with pictures, and ``report.md`` with the tables."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from ..errors import UserError
from ..files import write_atomically
from ..visualization.page import encode_png, format_image, format_page
from .blocks import Block, Heading, Picture, Text, to_html, to_markdown
from .differences import CONFIDENCE
from .drawing import Style, describe_size, styles_of
from .figures import draw_gain_by_size, draw_metric_by_size
from .landscape_figures import draw_landscape
from .panels import draw_panels
from .records import Key, Record
from .statistics import Task, split_tasks
from .tables import (
    arms_table,
    describe_cautions,
    describe_progress,
    gains_table,
    landscape_blocks,
    missing_table,
    parts_blocks,
    pool_blocks,
    summary_blocks,
    use_blocks,
)
from .task_figures import draw_costs, draw_forest, draw_gap, draw_widths
from .tuning import tuning_blocks

_HOW = (
    "Differences are between runs of one seed (by least squares where some are missing); in brackets their "
    f"{CONFIDENCE:.0%} t intervals. Their error is pooled: one variance for all arms, after arm and seed are taken "
    "out, and for all sizes of a training set; only arms of random widths have one "
    "of their own. 'lwdna - uniform', as they are and with both tuned, are the primary comparisons, declared "
    "beforehand, and corrected (Bonferroni) only among themselves; all others are secondary, and corrected among the "
    "secondary ones; both task by task."
)
_READ = (
    "Intervals say how much other seeds would change; the sampling error of the test images, which all runs share, is "
    "not in them. 'Ahead' and 'behind' are said only where the interval does not hold zero; 'not told apart' does not "
    "mean equal. Costs are relative to the task's baseline."
)
_BARS = (
    f"Thick: {CONFIDENCE:.0%} interval of this comparison alone. Thin: corrected for all of its kind. Small dots: "
    "seeds. Filled: told from zero. Arrows: the interval goes on."
)
_GAINS = (
    "All other widths minus uniform ones, each with the same start, and tuned ones minus tuned ones. A difference of "
    "which nothing more is said is not told apart from zero."
)
_MACHINES = (
    "Runs come from several machines. Verdicts say, or an asterisk does, where the two runs of a seed do not come from "
    "one: there a seed need not give the same random numbers, and other roundings change a run as another seed does."
)


def write_report(records: Sequence[Record], out: str | Path, planned: Collection[Key] | None = None) -> Path:
    """Write the report of a suite.

    Args:
        records: of one suite.
        out: the folder of ``report.html``, which needs no other file, of its pictures as PNG, and of ``report.md``.
        planned: the suite's runs, so that the report can say what is not done yet.

    Returns:
        The path of the page.

    Raises:
        UserError: there are no records, or they do not belong together.
    """
    blocks = report_blocks(records, planned)
    out = Path(out)

    def show(picture: Picture, figure: Figure) -> str:
        png = encode_png(figure)
        write_atomically(png, out / f"{picture.name}.png")
        return format_image(png, picture.caption)

    page = format_page(f"Suite {records[0].suite}", to_html(blocks, show))
    write_atomically(page.encode(), out / "report.html")
    write_atomically(to_markdown(blocks).encode(), out / "report.md")
    return out / "report.html"


def report_blocks(records: Sequence[Record], planned: Collection[Key] | None = None) -> list[Block]:
    """What the report holds, its pictures not drawn yet; arguments and errors as :func:`write_report`."""
    if not records:
        raise UserError("no records: no run of the suite is done yet")
    tasks = split_tasks(records)
    styles = styles_of(tasks)
    blocks: list[Block] = [
        Heading(f"Suite {records[0].suite}", 1),
        Text(describe_progress(records, planned)),
        Text(_HOW),
        Text(_READ),
        *([Text(_MACHINES)] if len({record.machine for record in records}) > 1 else []),
        *(Text(caution) for caution in describe_cautions(tasks)),
    ]
    summary = summary_blocks(tasks)
    if summary:
        blocks += [Heading("What the widths alone give", 2), *summary]
    gains = gains_table(tasks)
    if gains:
        blocks += [Text(_GAINS), gains]
    blocks += [
        Picture(
            "gain", partial(draw_gain_by_size, tasks, styles), f"What the widths alone give, and the controls. {_BARS}"
        ),
        Picture("metric", partial(draw_metric_by_size, tasks, styles), "Every arm: mean; the lines span the seeds."),
        Picture(
            "tasks",
            partial(draw_panels, tasks, styles),
            f"What other widths give: minus uniform, tuned minus tuned. {_BARS}",
        ),
    ]
    for task in tasks:
        blocks += _task(task, styles)
    noise = pool_blocks(tasks)
    if noise:
        blocks += [Heading("How much runs vary", 2), *noise]
    blocks += [Heading("What it has cost", 2), *use_blocks(records)]
    missing = planned and missing_table(records, planned)
    return [*blocks, Heading("Runs that are missing", 2), missing] if missing else blocks


def _task(task: Task, styles: Mapping[str, Style]) -> list[Block]:
    size = "" if task.size is None else f": {task.size:,} {describe_size(task)}"
    blocks: list[Block] = [Heading(f"Task {task.name}{size}", 2)]
    if task.arms:
        blocks += [arms_table(task), *_pictures(task, styles)]
    for heading, found in (
        ("Start and widths", parts_blocks(task)),
        ("Tuning", tuning_blocks(task)),
        ("Random plans", landscape_blocks(task)),
    ):
        blocks += [Heading(heading, 3), *found] if found else []
    draw = partial(draw_landscape, task, styles)
    return [*blocks, Picture(f"{task.name}-landscape", draw, "Random plans at one cost and one training seed.")]


def _pictures(task: Task, styles: Mapping[str, Style]) -> list[Block]:
    drawn = {
        "differences": (draw_forest, f"Every arm minus uniform. {_BARS}"),
        "gap": (draw_gap, "On training and on test images, a circle a seed."),
        "costs": (draw_costs, "Means against cost; the lines span the seeds."),
        "widths": (draw_widths, "Width of every channel group, in the order of execution; bands: seeds."),
    }
    return [
        Picture(f"{task.name}-{name}", partial(draw, task, styles), caption) for name, (draw, caption) in drawn.items()
    ]
