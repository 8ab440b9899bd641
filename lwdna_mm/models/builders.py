"""Networks of a plan, as ordinary entries of a config.

The builders return the *plain* resized module: its class, its parameter names, its init_cfg are those of the
network itself, so that wrappers, checkpoints and exporters see nothing unusual.
"""

import copy
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.logging import MMLogger
from mmengine.registry import MODELS as MMENGINE_MODELS
from torch import Tensor, nn

from ..channels import ChannelGraph, ChannelPlan, resize
from ..errors import UserError
from ..registry import MODELS
from .trace import make_inputs, parse_shapes, trace

# What a plan may ask for, which is far beyond what is of use.
MOST_TIMES = 16
MOST_ELEMENTS = 2**24

Plan = str | Path | Mapping[str, Any] | ChannelPlan


@MMENGINE_MODELS.register_module()  # so that any scope finds it without a prefix
@MODELS.register_module()
def LWDNA(  # noqa: N802  the name is used as a type in configs
    model: dict, plan: Plan, input_shape: Sequence | None = None, data_preprocessor: dict | None = None
) -> nn.Module:
    """Build a model and resize it to a plan.

    Args:
        model: config of any model whose ``mode='tensor'`` runs the whole network.
        plan: path of a plan.json, its content, or a ChannelPlan.
        input_shape: (C, H, W) of an input, or a list of them; needed only where the plan has none.
        data_preprocessor: what a runner hands to the model.

    Returns:
        The resized model, freshly initialised.

    Raises:
        UserError: the plan is unreadable or of another network.
    """
    plan = as_plan(plan)
    model = copy.deepcopy(model)
    if data_preprocessor is not None:
        model.setdefault("data_preprocessor", data_preprocessor)
    module = MODELS.build(model)
    graph = trace(module, plan_options(plan, input_shape))
    _check_widths(plan, graph)
    return resize_fresh(module, graph, plan)


@MMENGINE_MODELS.register_module()
@MODELS.register_module()
def LWDNABackbone(  # noqa: N802
    backbone: dict, plan: Plan, input_shape: Sequence | None = None, prefix: str = "backbone."
) -> nn.Module:
    """Build a backbone and resize it to its part of a whole model's plan.

    The modules that read its outputs must be given the new widths, for example ``in_channels`` of a head.

    Args:
        backbone: config of the backbone.
        plan, input_shape: as for :func:`LWDNA`.
        prefix: how the names of the backbone's groups begin in the plan.

    Returns:
        The resized backbone, freshly initialised.

    Raises:
        UserError: the plan is unreadable, or has no group of this backbone.
    """
    plan = as_plan(plan)
    widths = {name.removeprefix(prefix): width for name, width in plan.widths.items() if name.startswith(prefix)}
    if not widths:
        raise UserError(f"the plan has no group whose name begins with {prefix!r}")
    options = plan_options(plan, input_shape)
    kept = [name for name in options.get("keep", ()) if f"{name}.".startswith(prefix)]  # the others are not in it
    options["keep"] = [f"backbone.{name.removeprefix(prefix)}" if name != prefix[:-1] else "backbone" for name in kept]
    read = _ReadBackbone(MODELS.build(backbone), options["input_shape"])
    graph = trace(read, options)
    plan = ChannelPlan({f"backbone.{name}": width for name, width in widths.items()})
    _check_widths(plan, graph)
    small = resize_fresh(read, graph, plan).backbone
    small.train()
    return small


def resize_fresh(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan) -> nn.Module:
    """Resize a model to a plan, freshly initialised, see :func:`lwdna_mm.channels.resize`.

    Where mmengine logs to no file, it would print how each of the parameters was initialised; it does not here.
    """
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        return resize(model, graph, plan, inherit=False)
    finally:
        logger.setLevel(level)


def as_plan(plan: Plan) -> ChannelPlan:
    """Turn any way to give a plan into a ChannelPlan.

    Raises:
        UserError: the file is not there, or it is no plan.
    """
    if isinstance(plan, ChannelPlan):
        return plan
    if isinstance(plan, Mapping):
        if not isinstance(plan.get("widths"), Mapping):
            raise UserError("the plan has no 'widths': give plan.json, its content or a ChannelPlan")
        return ChannelPlan(plan["widths"], {key: value for key, value in plan.items() if key != "widths"})
    return ChannelPlan.from_json(plan)


def plan_options(plan: ChannelPlan, input_shape: Sequence | None) -> dict[str, Any]:
    """What is traced: a plan may come from anywhere, so that nothing in it may take any time or memory."""
    options = dict(plan.meta)
    if input_shape is None and "input_shape" not in options:
        raise UserError("the plan has no input_shape: give model.input_shape, such as (3, 32, 32)")
    options["input_shape"] = parse_shapes(options["input_shape"] if input_shape is None else input_shape)
    if sum(map(math.prod, options["input_shape"])) > MOST_ELEMENTS:
        raise UserError(f"the plan's input_shape {options['input_shape']!r:.60} has over {MOST_ELEMENTS:,} elements")
    for key, kind in (("keep", str), ("amortized", int)):
        given = options.get(key, [])
        if not isinstance(given, (list, tuple)) or not all(isinstance(one, kind) for one in given):
            raise UserError(f"the plan's {key} is {given!r:.40}, but must be a list of {kind.__name__}")
    return options


def _check_widths(plan: ChannelPlan, graph: ChannelGraph) -> None:
    for name, width in plan.widths.items():
        group = graph.free.get(name)
        if group is not None and width > MOST_TIMES * group.width:
            raise UserError(
                f"the plan gives group {name!r} {width:,} channels, more than {MOST_TIMES} times the network's own "
                f"{group.width}"
            )


class _ReadBackbone(nn.Module):
    """A backbone whose outputs are read by linear layers.

    A bare backbone's outputs are the outputs of what is traced, whose channels may not change.
    """

    def __init__(self, backbone: nn.Module, input_shape: Sequence) -> None:
        super().__init__()
        self.backbone = backbone
        self.eval()
        with torch.no_grad():
            outputs = self._outputs(make_inputs(input_shape, backbone))
        self.readers = nn.ModuleList(nn.Linear(output.shape[1], 1) for output in outputs)

    def _outputs(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        outputs = self.backbone(*inputs)
        return outputs if isinstance(outputs, (tuple, list)) else [outputs]

    def forward(self, *inputs: Tensor, mode: str) -> list[Tensor]:
        pairs = zip(self.readers, self._outputs(inputs), strict=True)
        return [reader(_pooled(output)) for reader, output in pairs]


def _pooled(output: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(output, 1).flatten(1) if output.ndim == 4 else output
