"""Copies of a network that share its values, have none or have others, and the places that hold a value."""

from __future__ import annotations

import copy
import copyreg
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from lwdna_mm.channels.tracing.shapes import without_values

_ATOMS = frozenset({type(None), bool, int, float, str})
_CONTAINERS = frozenset({dict, OrderedDict, list, set})

# Where the values of a tensor begin in the noise: every _STEP values, round a number that has no divisor.
_STEP, _BEGINNINGS = 1009, 8191


def copy_structure(model: nn.Module) -> nn.Module:
    """A deep copy that shares the parameters and buffers, which are to be replaced, not changed."""
    modules = list(model.modules())
    tensors = [t for module in modules for t in [*module._parameters.values(), *module._buffers.values()]]
    copies: dict[int, Any] = {id(t): t for t in tensors if t is not None}
    # What deepcopy does with a module that has no say in it, less the time it takes over every number, name and
    # empty dict of hooks.
    states: list[tuple[nn.Module, dict[str, Any]]] = []
    for module in modules:
        if hasattr(module, "__deepcopy__"):
            continue
        make, arguments, state = (*module.__reduce_ex__(4), None)[:3]
        if make is copyreg.__newobj__ and arguments == (type(module),) and type(state) is dict:
            copies[id(module)] = make(*arguments)
            states.append((copies[id(module)], state))
    for copied, state in states:
        copied.__setstate__({key: v if type(v) in _ATOMS else _copy_value(v, copies) for key, v in state.items()})
    return copy.deepcopy(model, copies)


def _copy_value(value: Any, copies: dict[int, Any]) -> Any:
    known = copies.get(id(value))
    if known is not None:
        return known
    if type(value) in _CONTAINERS and not value:
        copies[id(value)] = type(value)()
    elif type(value) is tuple and all(type(item) in _ATOMS for item in value):
        return value
    elif type(value) is dict and all(type(key) is str for key in value):
        copied = copies[id(value)] = {}
        copied.update((key, v if type(v) in _ATOMS else _copy_value(v, copies)) for key, v in value.items())
    return copy.deepcopy(value, copies)


def copy_shapes(model: nn.Module) -> nn.Module:
    """A deep copy whose parameters and buffers are on the meta device: they have shapes and no values."""
    copied = copy_structure(model)
    for owners in owners_of(copied).values():
        assign(owners, without_values(getattr(*owners[0])))
    return copied


def randomized(model: nn.Module, dtype: torch.dtype | None = None) -> nn.Module:
    """A copy with random, well-conditioned values: freshly initialised networks hide whole branches
    behind zeros, and then no output could tell a right network from a wrong one.

    Args:
        dtype: of the copy's floating-point values; by default they keep theirs.
    """
    model = copy_structure(model)
    owners_by_name = owners_of(model)
    # Tensors are parts, of different beginnings, of one tensor of noise, within which no value comes twice.
    most = max((getattr(*owners[0]).numel() for owners in owners_by_name.values()), default=0)
    noise = torch.empty(most + _BEGINNINGS).uniform_(-1.7, 1.7, generator=torch.Generator().manual_seed(0))
    noise = noise.to(dtype or torch.float32)
    for index, (name, owners) in enumerate(owners_by_name.items()):
        tensor = getattr(*owners[0])
        if not tensor.is_floating_point():
            continue
        first = index * _STEP % _BEGINNINGS
        values = noise[first : first + tensor.numel()].view(tensor.shape)
        if isinstance(tensor, nn.Parameter):
            fan_in = max(tensor[0].numel(), 1) if tensor.ndim > 1 else 4
            values = values / fan_in**0.5
            if tensor.ndim == 1 and name.endswith("weight"):
                values += 1
        elif name.endswith("running_var"):
            values = 1 + 0.5 * values.tanh()
        elif not name.endswith("running_mean"):
            values = tensor.clone()
        assign(owners, values.to(tensor.device, dtype or tensor.dtype, copy=name.endswith("running_mean")))
    return model


def owners_of(model: nn.Module) -> dict[str, list[tuple[nn.Module, str]]]:
    """For every parameter and buffer, under its first name, all the places that hold it."""
    first: dict[int, str] = {}
    owners: dict[str, list[tuple[nn.Module, str]]] = {}
    for path, module in model.named_modules():
        for key, tensor in [*module._parameters.items(), *module._buffers.items()]:
            if tensor is not None:
                name = first.setdefault(id(tensor), f"{path}.{key}" if path else key)
                owners.setdefault(name, []).append((module, key))
    return owners


def assign(owners: list[tuple[nn.Module, str]], tensor: Tensor) -> None:
    """Put a tensor where a parameter or buffer was, shared by all its owners."""
    old = getattr(*owners[0])
    new = nn.Parameter(tensor, requires_grad=old.requires_grad) if isinstance(old, nn.Parameter) else tensor
    for module, key in owners:
        (module._parameters if isinstance(old, nn.Parameter) else module._buffers)[key] = new
