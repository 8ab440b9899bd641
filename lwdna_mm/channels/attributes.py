"""What torch's layers know of their own channels, kept in step with their parameters."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd


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
    """Draw all values anew: each layer's ``reset_parameters``, then the model's own ``init_weights``."""
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
        # mmengine initialises a module once and remembers it.
        if getattr(module, "_is_init", False):
            module._is_init = False
    if hasattr(model, "init_weights"):
        model.init_weights()
