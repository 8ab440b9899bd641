"""What a finished run has cost and reached: ``summary.json``."""

import json
from pathlib import Path
from typing import Any

from ..channels import ChannelPlan
from ..errors import UserError
from ..files import write_atomically
from .history import read_history
from .plan_file import read_search_cost

SUMMARY = "summary.json"
COSTS = ("flops", "params", "acts")


def summarize(work_dir: str | Path, facts: dict[str, Any], plan: Path | None) -> dict[str, Any]:
    """The summary of a run that has just ended in ``work_dir``.

    Args:
        work_dir: holds its logs.
        facts: ``config, seed``, ``protocol`` (how the metrics are taken; None where the config does not say), ``flops,
            params, acts`` (``flops`` and ``acts`` are None where a baseline's config has no ``input_shape``),
            ``training`` (``samples``, ``seconds``), ``init`` (where its first weights came from, ``'inherit'`` or
            ``'fresh'``; None for a baseline).
        plan: the plan of its network, None for a baseline.

    Returns:
        The facts, with ``metrics`` (``best`` and ``last``); with a plan also ``criterion``, ``baseline`` (``flops,
        params, acts``) and ``search`` (``samples, flops, seconds, share``, the share of the training's
        samples x FLOPs).
    """
    history = read_history(work_dir)
    summary = dict(facts, metrics=dict(best=history.best, last=history.last))
    if plan is not None:
        summary.update(_planned(plan, facts["training"]["samples"], facts["flops"]))
    return summary


def read_written(path: Path, *keys: str) -> dict[str, Any]:
    """A JSON file that one of the tools has written, which must have some keys.

    Raises:
        UserError: it is damaged, or lacks a key.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path}: damaged: {error}") from error
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            raise UserError(f"{path}: has no {key!r}, so it was not written by this version's tools")
    return content


def write_summary(work_dir: str | Path, summary: dict[str, Any]) -> None:
    """Write ``summary.json`` into ``work_dir``."""
    write_atomically((json.dumps(summary, indent=2, sort_keys=True) + "\n").encode(), Path(work_dir, SUMMARY))


def format_summary(summary: dict[str, Any]) -> str:
    """The summary in a few lines for the terminal."""
    reached = [f"{name} {value:.4g}" for name, value in summary["metrics"]["last"].items()]
    lines = [f"{summary['config']}: {', '.join(reached) or 'not validated'}"]
    for name in COSTS:
        value = summary[name]
        full = summary.get("baseline", {}).get(name)  # older plans do not know all costs
        against = f", {value / full:.2%} of the baseline's {full / 1e6:.4g} M" if full else ""
        lines.append(f"  {name}: " + (f"{value / 1e6:.4g} M{against}" if value is not None else "unknown"))
    search = summary.get("search")
    if search:
        trained = summary["training"]["seconds"]  # a run may have no timer
        lines.append(
            f"  search: {search['seconds']:.1f} s, {search['samples']} samples, {search['share']:.2%} of the "
            "training's samples x FLOPs" + (f" ({trained:.1f} s)" if trained is not None else "")
        )
    return "\n".join(lines)


def _planned(path: Path, trained_samples: int, flops: int) -> dict[str, Any]:
    """What the plan says of itself; one that was written by hand may say little."""
    meta = ChannelPlan.from_json(path).meta
    planned = {"criterion": meta.get("criterion")}
    if "baseline" in meta:
        planned["baseline"] = {key: meta["baseline"][key] for key in COSTS if key in meta["baseline"]}
    cost = read_search_cost(path)
    if cost is not None:
        planned["search"] = dict(cost, share=cost["samples"] * cost["flops"] / (trained_samples * flops))
    return planned
