"""A plan on disk: ``plan.json``, and beside it ``plan.pth``, the weights cut out of the widened network.

A search that has found out more leaves that there too: ``plan.response.json`` or ``plan.profiles.json``.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..channels import ChannelGraph, ChannelPlan
from ..errors import UserError
from ..files import check_target, write_atomically
from .checkpoint_file import load_checkpoint_file

# What the loss is at which widths, round by round; and the profiles that were tried.
BESIDE = RESPONSE, PROFILES = "response", "profiles"
# What a plan says only where it is not so.
USUAL = dict(batch_ratio=1.0, grow_last=True, gate=dict(type="PlainGates"))


def describe_plan(
    plan: ChannelPlan,
    graph: ChannelGraph,
    baseline: ChannelGraph,
    options: Mapping[str, Any],
    criterion: dict[str, Any],
    seed: int,
) -> ChannelPlan:
    """The plan with the widths of all groups, and with what one needs to know about it as its meta.

    Args:
        plan: indices kept of ``graph``'s channels.
        graph: of the widened network.
        baseline: of the network before it was widened.
        options: how the plan was searched, in plain JSON types.
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
        **options,
    )
    return ChannelPlan(widths, meta)


def check_search(
    plan: ChannelPlan, path: Path, options: Mapping[str, Any], criterion: Mapping[str, Any], seed: int
) -> None:
    """Check that a plan was searched as a config says, before a run goes on with it.

    Args:
        plan: read from the file ``path``.
        options, criterion, seed: of the config, as for :func:`describe_plan`; the criterion with its own seed.

    Raises:
        UserError: naming the first difference.
    """
    here = json.loads(json.dumps(dict(options, criterion=criterion, seed=seed)))  # as it would be in the file
    usual = {key: value for key, value in USUAL.items() if key in plan.meta}
    for key, value in {**usual, **here}.items():
        if plan.meta.get(key) != value:
            raise UserError(
                f"{path} was searched with {key} {plan.meta.get(key)!r}, the config says {value!r}; "
                "use another --work-dir, or give the plan by --plan"
            )


def _free_widths(graph: ChannelGraph) -> dict[str, int]:
    return {name: group.width for name, group in graph.free.items()}


def check_plan_target(path: str | Path) -> None:
    """Check that a plan can be written to ``path``, before it is searched; nothing is left there.

    Raises:
        UserError: it is the name of a folder or of weights, or the system refuses to write there.
    """
    path = Path(path)
    if path.suffix == ".pth" or path.is_dir():
        raise UserError(f"{path}: give the plan a file name such as plan.json; its weights go beside it as .pth")
    check_target(path)


def weights_path(plan: str | Path) -> Path:
    """Where the weights that belong to a plan lie."""
    return Path(plan).with_suffix(".pth")


def path_beside(plan: str | Path, kind: str) -> Path:
    """Where what a search has found out besides a plan lies, such as ``plan.response.json``."""
    return Path(plan).with_suffix(f".{kind}.json")


def write_beside(found: Mapping[str, Any], plan: Path) -> None:
    """Write what a search has found out besides a plan, kind by kind in plain JSON types; that of another one goes."""
    for kind in BESIDE:
        if kind in found:
            write_atomically((json.dumps(found[kind], indent=1) + "\n").encode(), path_beside(plan, kind))
        else:
            path_beside(plan, kind).unlink(missing_ok=True)


def write_weights(model: nn.Module, cost: dict[str, Any], path: Path) -> None:
    """Write the weights of the shrunk network and the cost of the search."""
    file = io.BytesIO()
    torch.save(dict(state_dict=model.state_dict(), meta=dict(search=cost)), file)
    write_atomically(file.getvalue(), path)


def read_search_cost(plan: str | Path) -> dict[str, Any] | None:
    """The cost of the search that made a plan: samples, FLOPs a sample, seconds; None without its weights."""
    path = weights_path(plan)
    return load_checkpoint_file(path).get("meta", {}).get("search") if path.is_file() else None
