"""Operations on tensors without values: what they put out is on the meta device, and costs next to nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# Functions of floating-point tensors that put out the same type. torch finds out by a decomposition in Python.
_ELEMENTWISE = frozenset(
    {"relu", "leaky_relu", "gelu", "silu", "elu", "hardtanh", "hardswish", "hardsigmoid", "sigmoid", "tanh", "clamp"}
    | {"add", "sub", "mul", "div"}
)
_BATCH_NORMS = frozenset({"native_batch_norm", "_native_batch_norm_legit_no_training"})


def without_values(tensor: Tensor) -> Tensor:
    """A tensor on the meta device that is otherwise like the given one."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def run(func: Any, name: str, args: tuple, kwargs: dict, tensors: list[Tensor]) -> Any:
    """Run an operation; where one of its tensors has no values, the result has none either.

    Args:
        name: the operation's name, without namespace and overload.
        tensors: all tensors among its arguments.

    Raises:
        RuntimeError: if the operation needs the values, writes what has none into a tensor that has, or reads a
            parameter that has, which is another network's.
    """
    if any(type(t) is nn.Parameter and not t.is_meta for t in tensors):
        raise RuntimeError(f"{name} reads a parameter with values")
    if not any(t.is_meta for t in tensors):
        return func(*args, **kwargs)
    if func._schema.is_mutable:
        if not args[0].is_meta:
            raise RuntimeError(f"{name} writes a tensor without values into one with values")
        if name.rstrip("_") in _ELEMENTWISE and _fit(args[0], tensors):
            return args[0]
    elif name in _ELEMENTWISE and tensors[0] is args[0] and _fit(args[0], tensors):
        return without_values(args[0])
    elif name in _BATCH_NORMS and not (name == "native_batch_norm" and args[5]):
        empty = torch.empty(0, device="meta")
        return without_values(args[0]), empty, empty
    return func(*_drop_values(args), **_drop_values(kwargs))


def _fit(first: Tensor, tensors: list[Tensor]) -> bool:
    """Whether a function of the tensors, element by element, puts out what is like the first of them."""
    shape = first.shape
    for other in tensors[1:]:
        if other.dtype != first.dtype or other.ndim != first.ndim or not other.is_contiguous():
            return False
        if any(size not in (1, full) for size, full in zip(other.shape, shape, strict=True)):
            return False
    return first.is_floating_point() and first.is_contiguous()


def _drop_values(arguments: Any) -> Any:
    if isinstance(arguments, Tensor):
        return arguments if arguments.is_meta else without_values(arguments)
    if isinstance(arguments, dict):
        return {key: _drop_values(value) for key, value in arguments.items()}
    if isinstance(arguments, (list, tuple)):
        return type(arguments)(_drop_values(value) for value in arguments)
    return arguments
