"""A plan on disk: ``plan.json``, and beside it ``plan.pth``, the weights cut out of the widened network."""

import io
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..channels import ChannelGraph, ChannelPlan
from ..compat.mmengine_io import write_atomically
from ..errors import UserError
from .checkpoint import load_checkpoint_file
from .section import LwdnaSection


def describe_plan(
    plan: ChannelPlan,
    graph: ChannelGraph,
    baseline: ChannelGraph,
    section: LwdnaSection,
    criterion: dict[str, Any],
    seed: int,
) -> ChannelPlan:
    """The plan with the widths of all groups, and with what one needs to know about it as its meta.

    Args:
        plan: indices kept of ``graph``'s channels.
        graph: of the widened network.
        baseline: of the network before it was widened.
        section: how the plan was searched.
        criterion: config of the criterion.
        seed: of the search.
    """
    widths = {name: plan.widths.get(name, group.width) for name, group in graph.free.items()}
    meta = dict(
        flops=graph.flops(plan),
        params=graph.params(plan),
        acts=graph.acts(plan),
        baseline=dict(
            flops=baseline.flops(), params=baseline.params(), acts=baseline.acts(), widths=_free_widths(baseline)
        ),
        fingerprint=baseline.fingerprint,
        order=list(widths),
        criterion=criterion,
        seed=seed,
        **_search_options(section),
        **section.trace_options,
    )
    return ChannelPlan(widths, meta)


def check_search(plan: ChannelPlan, path: Path, section: LwdnaSection, seed: int) -> None:
    """Check that a plan was searched as a config says, before a run goes on with it.

    Raises:
        UserError: naming the first difference.
    """
    criterion = {key: value for key, value in plan.meta.get("criterion", {}).items() if key != "seed"}
    wanted = dict(section.shrink.criterion)
    wanted.pop("seed", None)
    there = dict(plan.meta, criterion=criterion)
    here = dict(_search_options(section), **section.trace_options, criterion=wanted, seed=seed)
    here = json.loads(json.dumps(here))  # as it would be in the file
    for key, value in here.items():
        if there.get(key) != value:
            raise UserError(
                f"{path} was searched with {key} {there.get(key)!r}, the config says {value!r}; "
                "use another --work-dir, or give the plan by --plan"
            )


def _search_options(section: LwdnaSection) -> dict[str, Any]:
    """What a plan depends on besides the network, the criterion and the seed, in plain JSON types."""
    shrink = section.shrink
    return dict(
        policy=shrink.policy,
        budget={name: value for name, value in vars(section.budget).items() if value is not None},
        widen=section.widen,
        min_ratio=shrink.min_ratio,
        divisor=shrink.divisor,
        iters=shrink.iters,
        warmup_iters=shrink.warmup_iters,
    )


def _free_widths(graph: ChannelGraph) -> dict[str, int]:
    return {name: group.width for name, group in graph.free.items()}


def weights_path(plan: str | Path) -> Path:
    """Where the weights that belong to a plan lie."""
    return Path(plan).with_suffix(".pth")


def write_weights(model: nn.Module, cost: dict[str, Any], path: Path) -> None:
    """Write the weights of the shrunk network and the cost of the search."""
    file = io.BytesIO()
    torch.save(dict(state_dict=model.state_dict(), meta=dict(search=cost)), file)
    write_atomically(file.getvalue(), path)


def read_search_cost(plan: str | Path) -> dict[str, Any] | None:
    """The cost of the search that made a plan: samples, FLOPs a sample, seconds; None without its weights."""
    path = weights_path(plan)
    return load_checkpoint_file(path).get("meta", {}).get("search") if path.is_file() else None
