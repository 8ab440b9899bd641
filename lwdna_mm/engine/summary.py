"""What a finished run has cost and reached: ``summary.json``."""

import json
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..channels import ChannelPlan
from ..compat.mmengine_io import write_atomically
from ..models.trace import parse_shapes, trace
from .history import read_history
from .plan_file import read_search_cost

SUMMARY = "summary.json"


def write_summary(runner: Runner, plan: Path | None, init: str | None) -> dict[str, Any]:
    """Write ``summary.json`` of a run that has just ended.

    Args:
        runner: it has trained.
        plan: the plan of its network, None for a baseline.
        init: where its first weights came from, ``'inherit'`` or ``'fresh'``; None for a baseline.

    Returns:
        ``config, seed``, ``protocol`` (how the metrics are taken; None where the config does not say), ``flops,
        params`` (``flops`` is None where a baseline's config has no ``input_shape``), ``metrics`` (``best`` and
        ``last``), ``training`` (``samples``, ``seconds``), ``init``; with a plan also
        ``criterion``, ``baseline`` (``flops, params``) and ``search`` (``samples, flops, seconds, share``, the
        share of the training's samples x FLOPs).
    """
    history = read_history(runner.work_dir)
    summary = dict(
        config=Path(runner.cfg.filename or "config").stem,
        seed=runner.seed,
        init=init,
        protocol=runner.cfg.get("protocol"),
        metrics=dict(best=history.best, last=history.last),
        training=_training(runner),
    )
    summary.update(_complexity(runner) if plan is None else _planned(plan, summary["training"]["samples"]))
    if is_main_process():
        text = json.dumps(summary, indent=2, sort_keys=True) + "\n"
        write_atomically(text.encode(), Path(runner.work_dir, SUMMARY))
    return summary


def format_summary(summary: dict[str, Any]) -> str:
    """The summary in a few lines for the terminal."""
    metrics = summary["metrics"]
    reached = [f"{name} {value:.4g} (best {metrics['best'][name]:.4g})" for name, value in metrics["last"].items()]
    lines = [f"{summary['config']}: {', '.join(reached) or 'not validated'}"]
    for name in ("flops", "params"):
        value = summary[name]
        against = ""
        if "baseline" in summary:
            full = summary["baseline"][name]
            against = f", {value / full:.2%} of the baseline's {full / 1e6:.4g} M"
        lines.append(f"  {name}: " + (f"{value / 1e6:.4g} M{against}" if value is not None else "unknown"))
    search = summary.get("search")
    if search:
        lines.append(
            f"  search: {search['seconds']:.1f} s, {search['samples']} samples, "
            f"{search['share']:.2%} of the training's samples x FLOPs ({summary['training']['seconds']:.1f} s)"
        )
    return "\n".join(lines)


def _training(runner: Runner) -> dict[str, Any]:
    loader = runner.train_dataloader
    if isinstance(runner.train_loop, EpochBasedTrainLoop):
        samples = runner.max_epochs * len(loader.dataset)
    else:
        samples = runner.max_iters * loader.batch_sampler.batch_size * get_world_size()
    # The message hub is part of the checkpoints, so this counts what was run before an interruption too.
    seconds, _ = runner.message_hub.get_scalar("train/time").data
    return dict(samples=samples, seconds=round(float(seconds.sum()), 2))


def _complexity(runner: Runner) -> dict[str, Any]:
    model = getattr(runner.model, "module", runner.model)
    params = sum(parameter.numel() for parameter in model.parameters())
    shape = runner.cfg.get("input_shape")
    if shape is None:
        return dict(flops=None, params=params)
    options = dict(input_shape=parse_shapes(shape), amortized=runner.cfg.get("amortized", ()))
    return dict(flops=trace(model, options).flops(), params=params)


def _planned(path: Path, trained_samples: int) -> dict[str, Any]:
    meta = ChannelPlan.from_json(path).meta
    planned = {key: meta[key] for key in ("criterion", "flops", "params")}
    planned["baseline"] = {key: meta["baseline"][key] for key in ("flops", "params")}
    cost = read_search_cost(path)
    if cost is not None:
        share = cost["samples"] * cost["flops"] / (trained_samples * meta["flops"])
        planned["search"] = dict(cost, share=share)
    return planned
