"""What layers, and the blocks around them, know of their own channels, kept in step with their parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Container
from itertools import chain

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import parametrize

NOTED = ("in_channels", "out_channels", "groups")


def adjust_attributes(resized: nn.Module, original: nn.Module, whole: bool) -> None:
    """Set ``in_channels``, ``groups``, ``num_features`` ... of every layer from its parameters' shapes.

    Args:
        whole: whether grouped convolutions have lost whole conv-groups.
    """
    before = dict(original.named_modules())
    for name, module in resized.named_modules():
        old = before[name]
        if isinstance(module, _ConvNd):
            _adjust_convolution(module, old, whole)
        elif isinstance(module, nn.Linear):
            module.out_features, module.in_features = module.weight.shape
        elif isinstance(module, _NormBase):
            vector = module.weight if module.weight is not None else module.running_mean
            if vector is not None:
                module.num_features = vector.numel()
        elif isinstance(module, nn.PReLU):
            module.num_parameters = module.weight.numel()
        elif isinstance(module, nn.RNNBase):
            module.input_size = module.weight_ih_l0.shape[1]
    _adjust_blocks(resized, before)


def _adjust_blocks(resized: nn.Module, before: dict[str, nn.Module]) -> None:
    """Blocks note the channels of their convolutions too, and some go by that when they fuse them, as RepVGG's.

    A block's number is that of the convolutions in it that had the same one, where these agree.
    """
    for name, block in resized.named_modules():
        if isinstance(block, _ConvNd):
            continue
        for key in NOTED:
            noted = vars(block).get(key)
            if not isinstance(noted, int):
                continue
            inside = ((f"{name}.{part}" if name else part, one) for part, one in block.named_modules())
            convolutions = [(before[part], one) for part, one in inside if isinstance(one, _ConvNd)]
            found = {getattr(one, key) for old, one in convolutions if getattr(old, key) == noted}
            if len(found) == 1:
                setattr(block, key, found.pop())


def _adjust_convolution(module: _ConvNd, old: _ConvNd, whole: bool) -> None:
    per_group = old.in_channels // old.groups
    first, second = module.weight.shape[:2]
    if old.groups > 1 and (whole or per_group == 1):
        size = per_group if isinstance(module, _ConvTransposeNd) else old.out_channels // old.groups
        module.groups = first // size
    if isinstance(module, _ConvTransposeNd):
        module.in_channels, module.out_channels = first, second * module.groups
    else:
        module.in_channels, module.out_channels = second * module.groups, first


def initialize(model: nn.Module, used: Container[str]) -> None:
    """Draw the values anew: the ``reset_parameters``, or ``_reset_parameters``, of every module after those of what is
    in it, then the model's own ``init_weights``.

    Args:
        used: names of the parameters and buffers that take part in what the model computes. A module with none of them,
            such as the network of a loss or a teacher, keeps its values.
    """
    names = {id(tensor): name for name, tensor in chain(model.named_parameters(), model.named_buffers())}

    def draw(module: nn.Module) -> None:
        own = [tensor for tensor in chain(module.parameters(), module.buffers()) if tensor.ndim]
        if not own or any(names[id(tensor)] in used for tensor in own):
            _initialize_layer(module)

    model.apply(draw)
    if hasattr(model, "init_weights"):
        model.init_weights()


def _initialize_layer(module: nn.Module) -> None:
    reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    if reset is not None:
        computed = list(module.parametrizations) if parametrize.is_parametrized(module) else []
        # In the cache a computed weight is one tensor, which can be written to.
        with parametrize.cached(), torch.no_grad():
            reset()
            drawn = {name: getattr(module, name).clone() for name in computed}
        for name, value in drawn.items():
            if all(hasattr(p, "right_inverse") for p in module.parametrizations[name]):
                with contextlib.suppress(NotImplementedError):  # as torch does
                    setattr(module, name, value)
    # mmengine initialises a module once and remembers it.
    if getattr(module, "_is_init", False):
        module._is_init = False
