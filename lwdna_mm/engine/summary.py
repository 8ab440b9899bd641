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
COSTS = ("flops", "params", "acts")


def write_summary(runner: Runner, plan: Path | None, init: str | None, cost: dict[str, Any]) -> dict[str, Any]:
    """Write ``summary.json`` of a run that has just ended.

    Args:
        runner: it has trained.
        plan: the plan of its network, None for a baseline.
        init: where its first weights came from, ``'inherit'`` or ``'fresh'``; None for a baseline.
        cost: of its network, see :func:`complexity`.

    Returns:
        ``config, seed``, ``protocol`` (how the metrics are taken; None where the config does not say), ``flops,
        params, acts`` (``flops`` and ``acts`` are None where a baseline's config has no ``input_shape``),
        ``metrics`` (``best`` and ``last``), ``training`` (``samples``, ``seconds``), ``init``; with a plan also
        ``criterion``, ``baseline`` (``flops, params, acts``) and ``search`` (``samples, flops, seconds, share``, the
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
    summary.update(cost, **({} if plan is None else _planned(plan, summary["training"]["samples"], cost["flops"])))
    if is_main_process():
        text = json.dumps(summary, indent=2, sort_keys=True) + "\n"
        write_atomically(text.encode(), Path(runner.work_dir, SUMMARY))
    return summary


def format_summary(summary: dict[str, Any]) -> str:
    """The summary in a few lines for the terminal."""
    metrics = summary["metrics"]
    reached = [f"{name} {value:.4g} (best {metrics['best'][name]:.4g})" for name, value in metrics["last"].items()]
    lines = [f"{summary['config']}: {', '.join(reached) or 'not validated'}"]
    for name in COSTS:
        value = summary[name]
        full = summary.get("baseline", {}).get(name)  # older plans do not know all costs
        against = f", {value / full:.2%} of the baseline's {full / 1e6:.4g} M" if full else ""
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
    timed = runner.message_hub.log_scalars.get("train/time")  # a runner may have no timer
    return dict(samples=samples, seconds=round(float(timed.data[0].sum()), 2) if timed is not None else None)


def complexity(runner: Runner, plan: Path | None) -> dict[str, Any]:
    """``flops``, ``params`` and ``acts`` of a runner's network, counted on the network itself.

    Args:
        runner: ``flops`` and ``acts`` are None where its config says no ``input_shape``.
        plan: the plan of the network, which has one.

    Raises:
        UserError: the network does not run on such inputs.
    """
    model = getattr(runner.model, "module", runner.model)
    params = sum(parameter.numel() for parameter in model.parameters())
    source = runner.cfg if plan is None else ChannelPlan.from_json(plan).meta
    shape = source.get("input_shape") or runner.cfg.get("input_shape")
    if shape is None:
        return dict(flops=None, params=params, acts=None)
    options = dict(input_shape=parse_shapes(shape), amortized=source.get("amortized", ()))
    graph = trace(model, options)
    return dict(flops=graph.flops(), params=params, acts=graph.acts())


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
