"""Tracing a whole mm model: its channel graph, in tensor mode."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..channels import ChannelGraph, analyze
from ..errors import UserError

Shape = tuple[int, ...]


def parse_shapes(shape: Sequence) -> tuple[Shape, ...]:
    """Turn one (C, H, W), or a list of them, into a tuple of shapes.

    Raises:
        UserError: it is neither.
    """
    shapes = shape if isinstance(shape, Sequence) and shape and isinstance(shape[0], Sequence) else [shape]
    if not all(isinstance(one, Sequence) and one and all(type(n) is int and n > 0 for n in one) for one in shapes):
        raise UserError(f"input_shape is {shape}: give (C, H, W), or a list of such shapes")
    return tuple(tuple(one) for one in shapes)


def make_inputs(shapes: Sequence[Shape], model: nn.Module) -> tuple[Tensor, ...]:
    """One random sample of every input, on the model's device, shapes (1, C, H, W); the same at every call."""
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.rand((1, *shape), generator=generator).to(device) for shape in shapes)


def trace(model: nn.Module, options: Mapping[str, Any]) -> ChannelGraph:
    """The channel graph of a mm model.

    Args:
        model: called as ``model(*inputs, mode='tensor')``, the mode that runs the whole network.
        options: ``input_shape`` (a list of (C, H, W)) and the keywords of :func:`lwdna_mm.channels.analyze`,
            as the meta of a plan holds them.

    Raises:
        UserError: the model does not run on inputs of these shapes.
    """
    try:
        return analyze(
            model,
            make_inputs(options["input_shape"], model),
            grouped=options.get("grouped", "within"),
            keep=tuple(options.get("keep", ())),
            amortized=tuple(options.get("amortized", ())),
            forward=lambda module, *inputs: module(*inputs, mode="tensor"),
        )
    except UserError:
        raise
    except (RuntimeError, ValueError, IndexError) as error:  # torch's words for tensors that do not fit together
        shapes = list(options["input_shape"])
        raise UserError(f"the network does not run on inputs of shape {shapes}, see input_shape: {error}") from error
