"""One run of a suite, from its order to its record: a call of the pipeline, and a look at the training images."""

import json
import os
import sys
import threading
from argparse import Namespace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..engine import apply_arguments, evaluate, load_config, parse_section, run
from ..engine.protocol import build_model
from ..engine.subset import judge_training_set
from ..errors import DivergedError, UserError, one_line
from ..files import locked, write_atomically
from ..models.trace import trace
from ..runs.checkpoint_file import find_last_checkpoint
from ..runs.history import read_history
from .machine import describe_machine
from .matrix import Order
from .peers import torch_pruning_plan
from .records import SELECT, Record

ORDER, RECORD = "order.json", "record.json"


def perform(order: Order, work_dir: Path, data: Path | None) -> Record:
    """Do a run, or finish the one that was begun in ``work_dir``.

    Args:
        data: the folder in which the order's own data lie.

    Raises:
        UserError: the config, the data or a plan cannot be used, or the metric is not among those taken.
        DivergedError: a loss or gradient is not finite, unless at a grid's point, whose record says it.
    """
    diverged = False
    try:
        summary = run(_config(order, work_dir, data), plan=_plan(order, work_dir, data), resume=True)
    except DivergedError as error:
        if order.key.stage != SELECT:
            raise
        summary, diverged = error.summary or _unsearched(_config(order, work_dir, data)), True
    metrics, search = summary["metrics"]["last"], summary.get("search", {})
    costs = {name: summary[name] for name in ("flops", "params", "acts")}
    base = summary.get("baseline", costs)
    losses = read_history(work_dir).train.get("loss")
    return Record(
        suite=order.suite,
        task=order.key.task,
        arm=order.key.arm,
        seed=order.key.seed,
        stage=order.key.stage,
        size=order.size,
        options=order.options,
        point=order.point,
        spec=order.spec,
        metric=order.metric,
        value=None if diverged else _value(order, metrics),
        train_value=None if diverged else _on_training_images(order, work_dir, data),
        train_loss=losses[max(losses)] if losses else None,
        **costs,
        shares={name: costs[name] / base[name] for name in costs},
        search_seconds=search.get("seconds"),
        training_seconds=summary["training"]["seconds"],
        samples=summary["training"]["samples"],
        widths=_widths(work_dir / "plan.json"),
        **describe_machine(),
    )


def _unsearched(cfg: Config) -> dict[str, Any]:
    """The summary of a run that has diverged in its search: nothing trained, at the baseline's costs."""
    graph = trace(build_model(cfg), parse_section(cfg.lwdna).trace_options)
    costs = dict(flops=graph.flops(), params=graph.params(), acts=graph.acts())
    return dict(metrics=dict(last={}), training=dict(samples=0, seconds=0.0), **costs)


def _widths(plan: Path) -> dict[str, int] | None:
    """The widths of a plan in the order of execution; None for the config's own network."""
    if not plan.is_file():
        return None
    content = json.loads(plan.read_text())
    return {name: content["widths"][name] for name in content.get("order", content["widths"])}


def _config(order: Order, work_dir: Path, data: Path | None) -> Config:
    options = dict(order.options)
    if order.data is not None:
        if data is None:
            raise UserError(f"task {order.key.task!r} needs images: give the folder of {order.data!r} by --data")
        options["data_root"] = str(data / order.data)
    cfg = load_config(order.config, options)
    apply_arguments(cfg, Namespace(work_dir=str(work_dir), seed=order.key.seed, amp=order.amp))
    return cfg


def _plan(order: Order, work_dir: Path, data: Path | None) -> Path | None:
    """The plan that another than the ``lwdna`` section's search finds; None where that one is to search."""
    if order.planner is None:
        return None
    plan = work_dir / "planned" / "plan.json"
    if not plan.is_file():
        torch_pruning_plan(_config(order, work_dir / "planned", data), plan)
    return plan


def _on_training_images(order: Order, work_dir: Path, data: Path | None) -> float | None:
    """The metric on the images that were trained on; None where the task cannot be judged on them."""
    cfg = _config(order, work_dir / "train_images", data)
    if not judge_training_set(cfg):
        return None
    return _value(order, evaluate(cfg, find_last_checkpoint(work_dir)))


def _value(order: Order, metrics: dict[str, float]) -> float:
    """The metric that counts; on other images than the test set's it may go by their name."""
    last = order.metric.rpartition("/")[2]
    found = [value for name, value in metrics.items() if name in (order.metric, f"select/{last}")]
    if not found:
        raise UserError(f"{order.config} takes no {order.metric!r}; it takes {', '.join(metrics)}")
    return found[0]


def _end_with_parent() -> None:
    """End when the process that holds the other end of stdin does, even if that was killed."""
    os.read(sys.stdin.fileno(), 1)  # a buffered read would hold a lock that the end of the interpreter waits for
    os._exit(1)


@one_line
def main(argv: list[str]) -> None:
    """Do the order in a folder: ``python -m lwdna_mm.suite.worker FOLDER [DATA]``."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work_dir, data = Path(argv[0]), Path(argv[1]) if len(argv) > 1 else None
    # A killed suite's worker may take a moment to end, and a node that is taken for dead may yet work.
    with locked(work_dir, wait=True):
        if not (work_dir / RECORD).is_file():
            order = Order.from_dict(json.loads((work_dir / ORDER).read_text()))
            record = perform(order, work_dir, data).to_dict()
            write_atomically((json.dumps(record, indent=2) + "\n").encode(), work_dir / RECORD)


if __name__ == "__main__":
    main(sys.argv[1:])
