"""What a run costs: its network's FLOPs, parameters and activations, its training's samples and seconds."""

from collections.abc import Mapping
from typing import Any

from mmengine.dist import get_world_size
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..models.trace import parse_shapes, trace


def complexity(runner: Runner, plan: Mapping[str, Any] | None) -> dict[str, Any]:
    """``flops``, ``params`` and ``acts`` of a runner's network, counted on the network itself.

    Args:
        runner: ``flops`` and ``acts`` are None where its config says no ``input_shape``.
        plan: content of the plan of the network, where it has one.

    Raises:
        UserError: the network does not run on such inputs.
    """
    model = getattr(runner.model, "module", runner.model)
    params = sum(parameter.numel() for parameter in model.parameters())
    source = runner.cfg if plan is None else plan
    shape = source.get("input_shape") or runner.cfg.get("input_shape")
    if shape is None:
        return dict(flops=None, params=params, acts=None)
    options = dict(input_shape=parse_shapes(shape), amortized=source.get("amortized", ()))
    graph = trace(model, options)
    return dict(flops=graph.flops(), params=params, acts=graph.acts())


def training(runner: Runner) -> dict[str, Any]:
    """``samples`` that a runner's training sees, and its ``seconds`` so far, None where no timer was on."""
    loader = runner.train_dataloader
    if isinstance(runner.train_loop, EpochBasedTrainLoop):
        samples = runner.max_epochs * len(loader.dataset)
    else:
        samples = runner.max_iters * loader.batch_sampler.batch_size * get_world_size()
    # The message hub is part of the checkpoints, so this counts what was run before an interruption too.
    timed = runner.message_hub.log_scalars.get("train/time")  # a runner may have no timer
    return dict(samples=samples, seconds=round(float(timed.data[0].sum()), 2) if timed is not None else None)
