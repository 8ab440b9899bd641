"""Copies of a network that share its values or have none, and the places that hold a value."""

from __future__ import annotations

import copy
import copyreg
from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from lwdna_mm.channels.tracing.shapes import without_values

_ATOMS = frozenset({type(None), bool, int, float, str})
_CONTAINERS = frozenset({dict, OrderedDict, list, set})


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
