"""What torch's layers know of their own channels, kept in step with their parameters."""

from __future__ import annotations

import contextlib

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import parametrize


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


def initialize(model: nn.Module) -> None:
    """Draw the values anew: the ``reset_parameters``, or ``_reset_parameters``, of every module after those of what is
    in it, then the model's own ``init_weights``.
    """
    model.apply(_initialize_layer)
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
