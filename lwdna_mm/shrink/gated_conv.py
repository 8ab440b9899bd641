"""Convolution and linear layers whose weights carry a gate per input and per output channel."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Weights are multiplied with their gradients in pieces of this many values, which stay in the cache:
# one pass over the memory, and no temporary the size of the weight.
PIECE = 1 << 16


def gate_product(weight: Tensor, factors: tuple[Tensor, ...]) -> Tensor:
    """Multiply a weight by its gates; costs next to nothing while all gates are 1.

    Args:
        weight: any shape.
        factors: tensors of as many dimensions as ``weight``, of size 1 or the weight's own in each of them.

    Returns:
        ``weight * factors[0] * factors[1] ...``; a view of ``weight`` where all factors are 1, with gradients on.
    """
    if torch.is_grad_enabled():
        return _GateProduct.apply(weight, *factors)
    return _times(weight, factors)


class _GateProduct(torch.autograd.Function):
    """The product, keeping only its inputs for the backward pass, where all else is computed anew."""

    @staticmethod
    def forward(ctx, weight: Tensor, *factors: Tensor) -> Tensor:
        ctx.save_for_backward(weight, *factors)
        ctx.ones = all(bool((factor == 1).all()) for factor in factors)
        return weight.view_as(weight) if ctx.ones else _times(weight, factors)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        weight, *factors = ctx.saved_tensors
        grads: list[Tensor | None] = []
        for i, factor in enumerate(factors):
            if ctx.needs_input_grad[1 + i]:
                others = () if ctx.ones else (*factors[:i], *factors[i + 1 :])
                grads.append(_summed_product(weight, _times(grad, others), factor.shape))
            else:
                grads.append(None)
        return _times(grad, () if ctx.ones else factors), *grads


def _times(value: Tensor, factors: Iterable[Tensor]) -> Tensor:
    for factor in factors:
        value = value * factor
    return value


def _summed_product(weight: Tensor, grad: Tensor, shape: torch.Size) -> Tensor:
    """Sum ``weight * grad`` down to ``shape``, whose dimensions are 1 or the weight's own."""
    rows = min(len(weight), max(1, PIECE * len(weight) // weight.numel()))
    pieces = zip(weight.split(rows), grad.split(rows), strict=True)
    if shape[0] == len(weight):
        return torch.cat([(w * g).sum_to_size(len(w), *shape[1:]) for w, g in pieces])
    total = torch.zeros_like(weight[:rows])
    for w, g in pieces:
        total[: len(w)].addcmul_(w, g)
    return total.sum(0, keepdim=True).sum_to_size(shape)


class GatedConv2d(nn.Conv2d):
    """A 2d convolution with weight ``W * z_out * z_in``; takes the arguments of :class:`torch.nn.Conv2d`.

    ``z_in`` (in_channels,) and ``z_out`` (out_channels,) are parameters that start at 1: the paper's latent
    vectors (section 3). A zero in ``z_in`` is the same as an input channel removed, one in ``z_out``, which
    gates the bias too, as an output channel removed. A grouped convolution has in_channels entries in ``z_in``
    like any other.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.z_in = nn.Parameter(self.weight.new_ones(self.in_channels))
        self.z_out = nn.Parameter(self.weight.new_ones(self.out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` (N, in_channels, H, W) with the gated weight."""
        weight = self.weight
        if self.groups == 1:
            weight = gate_product(weight, (self.z_out[:, None, None, None], self.z_in[None, :, None, None]))
        else:
            split = weight.view(self.groups, -1, *weight.shape[1:])
            z_out = self.z_out.view(self.groups, -1, 1, 1, 1)
            z_in = self.z_in.view(self.groups, 1, -1, 1, 1)
            weight = gate_product(split, (z_out, z_in)).view_as(weight)
        bias = None if self.bias is None else self.bias * self.z_out
        return self._conv_forward(x, weight, bias)


class GatedLinear(nn.Linear):
    """A linear layer with weight ``W * z_out * z_in``; takes the arguments of :class:`torch.nn.Linear`.

    ``z_in`` (in_features,) and ``z_out`` (out_features,) are parameters that start at 1, as in
    :class:`GatedConv2d`.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.z_in = nn.Parameter(self.weight.new_ones(self.in_features))
        self.z_out = nn.Parameter(self.weight.new_ones(self.out_features))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (..., in_features) to (..., out_features) with the gated weight."""
        weight = gate_product(self.weight, (self.z_out[:, None], self.z_in[None]))
        bias = None if self.bias is None else self.bias * self.z_out
        return F.linear(x, weight, bias)
