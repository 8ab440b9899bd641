"""One self-contained page about finished runs: ``report.html``, and its pictures as PNG files beside it."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ..compat.mmengine_io import write_atomically
from ..runs.grouping import BASELINE, Group, group_runs, metric_names, read_run
from .crops import compose
from .figures import draw_curves, draw_overview, draw_widths

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .3em .8em; border-bottom: 1px solid #ddd }
td { text-align: right; font-variant-numeric: tabular-nums } td:first-child, th:first-child { text-align: left }
img { max-width: 100% } figure { display: inline-block; margin: .5em } figcaption, .note { color: #666 }
"""


def write_report(work_dirs: Sequence[str | Path], out: str | Path) -> Path:
    """Write the report of finished runs.

    Args:
        work_dirs: of runs that belong together: a baseline, LW-DNA runs, controls, each with any number of seeds.
        out: the folder of ``report.html`` and the PNG files.

    Returns:
        The path of the page; it needs no other file.

    Raises:
        UserError: no run has finished in one of the folders.
    """
    groups = group_runs([read_run(path) for path in work_dirs])
    metrics = metric_names(groups)
    out = Path(out)
    parts = [f"<h1>{escape(_title(groups))}</h1>", _table(groups, metrics), _note(groups)]
    pictures = {"overview": draw_overview(groups, metrics), "curves": draw_curves(groups, metrics)}
    headings = {"overview": "Metrics and cost", "widths": "Width of every layer", "curves": "Training"}
    if any(group.label != BASELINE for group in groups):
        pictures["widths"] = draw_widths(groups)
    for name, heading in headings.items():
        if pictures.get(name) is not None:
            png = _png(pictures[name])
            write_atomically(png, out / f"{name}.png")
            parts.append(f"<h2>{heading}</h2>{_image(png, heading)}")
    parts.append(_search_cost(groups))
    crops = compose([group.runs[0].path for group in groups], [group.label for group in groups])
    for name, figure in crops.items():
        png = _png(figure)
        write_atomically(png, out / f"crops-{name}.png")
        parts.append(f"<h2>{escape(name)}</h2>{_image(png, f'crops of {name}, side by side')}")
    parts += _visuals(groups)
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(_title(groups))}</title>'
    page += f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    write_atomically(page.encode(), out / "report.html")
    return out / "report.html"


def format_table(work_dirs: Sequence[str | Path]) -> str:
    """The table of the report as text."""
    groups = group_runs([read_run(path) for path in work_dirs])
    rows = _rows(groups, metric_names(groups))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _rows(groups: Sequence[Group], metrics: Sequence[str]) -> list[list[str]]:
    head = ["network", "runs", *metrics, *[f"best {name}" for name in metrics], "MFLOPs", "M parameters"]
    rows = [head]
    for group in groups:
        row = [group.label, str(len(group.runs))]
        row += [_statistic(group, "metrics", kind, name) for kind in ("last", "best") for name in metrics]
        row += [_statistic(group, "flops", scale=1e-6), _statistic(group, "params", scale=1e-6)]
        rows.append(row)
    return rows


def _statistic(group: Group, *keys: str, scale: float = 1.0) -> str:
    found = group.statistic(*keys)
    if found is None:
        return "-"
    mean, deviation, _ = found
    return f"{mean * scale:.4g}" + (f" ± {deviation * scale:.2g}" if deviation is not None else "")


def _table(groups: Sequence[Group], metrics: Sequence[str]) -> str:
    head, *rows = _rows(groups, metrics)
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _note(groups: Sequence[Group]) -> str:
    seeds = [f"{escape(group.label)}: {', '.join(str(s) for s in group.values('seed'))}" for group in groups]
    most = max(len(group.runs) for group in groups)
    caution = "Mean ± standard deviation over the runs." if most > 1 else "One run each: differences may be chance."
    protocols = {run.summary.get("protocol") for group in groups for run in group.runs} - {None}
    caution += "".join(f" Protocol: {escape(protocol)}." for protocol in sorted(protocols))
    return f'<p class="note">{caution} Metrics at the end of the training. Seeds: {"; ".join(seeds)}.</p>'


def _search_cost(groups: Sequence[Group]) -> str:
    lines = []
    for group in groups:
        share = group.statistic("search", "share")
        if share is not None:
            seconds, trained = group.statistic("search", "seconds"), group.statistic("training", "seconds")
            lines.append(
                f"<tr><td>{escape(group.label)}</td><td>{group.values('search', 'samples')[0]:,}</td>"
                f"<td>{share[0]:.2%}</td><td>{seconds[0]:.1f}</td><td>{trained[0]:.1f}</td></tr>"
            )
    if not lines:
        return ""
    head = "<tr><th>network</th><th>samples</th><th>share of the training's samples &times; FLOPs</th>"
    head += "<th>seconds</th><th>training seconds</th></tr>"
    return f"<h2>Cost of the search</h2><table>{head}{''.join(lines)}</table>"


def _visuals(groups: Sequence[Group]) -> list[str]:
    """Pictures that a task has left in ``work_dir/visuals``: tracks, for instance."""
    figures = []
    for group in groups:
        for run in group.runs:
            for path in sorted(run.path.glob("visuals/*.png")):
                caption = f"{group.label}, seed {run.summary['seed']}: {path.stem.replace('_', ' ')}"
                image = _image(path.read_bytes(), caption)
                figures.append(f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>")
    return ["<h2>Examples</h2>", *figures] if figures else []


def _title(groups: Sequence[Group]) -> str:
    names = sorted({run.summary["config"] for group in groups for run in group.runs})
    return "LW-DNA report: " + ", ".join(names)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    plt.close(figure)
    return file.getvalue()


def _image(png: bytes, description: str) -> str:
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
