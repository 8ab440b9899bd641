"""One self-contained page about finished runs: ``report.html``, and its pictures as PNG files beside it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..files import write_atomically
from ..latency import Profile, read_profile
from ..runs.grouping import BASELINE, Group, group_runs, metric_names, read_run
from ..runs.plan_file import PROFILES, RESPONSE
from .crops import compose
from .figures import draw_curves, draw_overview, draw_widths
from .latency import add_latency, draw_latency, latency_keys
from .page import encode_png, format_image, format_page
from .searches import draw_profiles, draw_response


def write_report(work_dirs: Sequence[str | Path], out: str | Path, latency: str | Path | None = None) -> Path:
    """Write the report of finished runs.

    Args:
        work_dirs: of runs that belong together: a baseline, LW-DNA runs, controls, each with any number of seeds.
        out: the folder of ``report.html`` and the PNG files.
        latency: a latency.json of their network, to predict their time by.

    Returns:
        The path of the page; it needs no other file.

    Raises:
        UserError: no run has finished in one of the folders, or ``latency`` cannot be used for them.
    """
    groups, profile = _read(work_dirs, latency)
    metrics = metric_names(groups)
    out = Path(out)
    parts = [f"<h1>{escape(_title(groups))}</h1>", _table(groups, metrics), _note(groups)]
    times = latency_keys(groups)
    pictures = {"overview": draw_overview(groups, metrics, times), "curves": draw_curves(groups, metrics)}
    headings = {"overview": "Metrics and cost", "widths": "Width of every layer", "latency": "Where the time goes"}
    headings["curves"] = "Training"
    if profile is not None:
        pictures["latency"] = draw_latency(groups, profile)
    if any(group.label != BASELINE for group in groups):
        pictures["widths"] = draw_widths(groups)
    for name, heading in headings.items():
        if pictures.get(name) is not None:
            png = encode_png(pictures[name])
            write_atomically(png, out / f"{name}.png")
            parts.append(f"<h2>{heading}</h2>{format_image(png, heading)}")
    parts += _searches(groups, out)
    parts.append(_search_cost(groups))
    crops = compose([group.runs[0].path for group in groups], [group.label for group in groups])
    for name, figure in crops.items():
        png = encode_png(figure)
        write_atomically(png, out / f"crops-{name}.png")
        parts.append(f"<h2>{escape(name)}</h2>{format_image(png, f'crops of {name}, side by side')}")
    write_atomically(format_page(_title(groups), parts).encode(), out / "report.html")
    return out / "report.html"


def _read(work_dirs: Sequence[str | Path], latency: str | Path | None) -> tuple[list[Group], Profile | None]:
    groups = group_runs([read_run(path) for path in work_dirs])
    profile = read_profile(latency) if latency is not None else None
    add_latency(groups, profile, str(latency))
    return groups, profile


def format_table(work_dirs: Sequence[str | Path], latency: str | Path | None = None) -> str:
    """The table of the report as text."""
    groups, _ = _read(work_dirs, latency)
    rows = _rows(groups, metric_names(groups))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _rows(groups: Sequence[Group], metrics: Sequence[str]) -> list[list[str]]:
    times = latency_keys(groups)
    titles = [f"{kind} time, {name}" for _, kind, name in times]
    rows = [["network", "runs", *metrics, "MFLOPs", "M parameters", "M activations", *titles]]
    for group in groups:
        row = [group.label, str(len(group.runs))]
        row += [_statistic(group, "metrics", "last", name) for name in metrics]
        row += [_statistic(group, cost, scale=1e-6) for cost in ("flops", "params", "acts")]
        row += [_statistic(group, *keys) for keys in times]
        rows.append(row)
    return rows


def _statistic(group: Group, *keys: str, scale: float = 1.0) -> str:
    found = group.statistic(*keys)
    if found is None:
        return "-"
    mean, deviation, _ = found
    return f"{mean * scale:.4g}" + (f" ± {deviation * scale:.2g}" if deviation else "")


def _table(groups: Sequence[Group], metrics: Sequence[str]) -> str:
    head, *rows = _rows(groups, metrics)
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _note(groups: Sequence[Group]) -> str:
    seeds = [f"{escape(group.label)}: {', '.join(str(s) for s in group.values('seed'))}" for group in groups]
    if max(len(group.runs) for group in groups) > 1:
        caution = "Mean ± standard deviation over the runs; a figure without it is the same in all."
    else:
        caution = "One run each: differences may be chance."
    protocols = {run.summary.get("protocol") for group in groups for run in group.runs} - {None}
    caution += "".join(f" Protocol: {escape(protocol)}." for protocol in sorted(protocols))
    if latency_keys(groups):
        caution += " Time in multiples of the baseline's."
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


def _searches(groups: Sequence[Group], out: Path) -> list[str]:
    """What searches have measured and tried, of the first run of each group."""
    found = []
    for number, group in enumerate(groups):
        run, drawn = group.runs[0], []
        response, profiles = run.beside(RESPONSE), run.beside(PROFILES)
        if response is not None:
            drawn.append(("response", "What each layer's width is worth", draw_response(run.plan, response)))
        if profiles is not None:
            drawn.append(("profiles", "Profiles tried", draw_profiles(run.plan, profiles)))
        for name, heading, figure in drawn:
            png = encode_png(figure)
            write_atomically(png, out / f"{name}-{number}.png")
            heading = f"{heading}: {group.label}, seed {run.summary['seed']}"
            found.append(f"<h2>{escape(heading)}</h2>{format_image(png, heading)}")
    return found


def _title(groups: Sequence[Group]) -> str:
    names = sorted({run.summary["config"] for group in groups for run in group.runs})
    return "LW-DNA report: " + ", ".join(names)
