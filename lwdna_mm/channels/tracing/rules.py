"""What each ATen operation does to channel labels.

A rule is a function ``rule(trace, call)`` that reads the labels of the call's inputs, records what the
operation demands of them (:class:`~lwdna_mm.channels.tracing.labels.Recorder`) and labels its outputs. Teach a new
operation with :func:`rule`; one without a rule freezes every channel it touches and leaves a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves
from torch.utils.flop_counter import flop_registry

from lwdna_mm.channels.tracing.labels import Site, Value, is_uniform, varying
from lwdna_mm.channels.tracing.state import Trace


@dataclass
class Call:
    """One ATen call: the operation, what went in, what came out and the module that it ran in."""

    func: Any
    args: tuple
    kwargs: dict
    out: Any
    where: str

    @cached_property
    def name(self) -> str:
        """The operation's name without namespace and overload: ``convolution``, ``add_``."""
        return self.func._schema.name.split("::")[1]

    @property
    def title(self) -> str:
        """For notes: the operation and the module."""
        return f"{self.name} in {self.where}"

    @cached_property
    def tensors(self) -> list[Tensor]:
        """All tensors among the arguments."""
        return list(tensors_in((self.args, self.kwargs)))

    def get(self, index: int, name: str, default: Any = None) -> Any:
        """An argument by position or keyword."""
        return self.args[index] if len(self.args) > index else self.kwargs.get(name, default)

    def rerun(self, replace: dict[int, Tensor]) -> Any:
        """Run the operation again with other tensors in the place of its own (keyed by identity)."""
        leaves, spec = tree_flatten((self.args, self.kwargs))
        leaves = [replace.get(id(leaf), leaf) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        args, kwargs = spec.unflatten(leaves)
        return self.func(*args, **kwargs)


def tensors_in(arguments: Any) -> Iterator[Tensor]:
    """All tensors among an operation's arguments or results."""
    if isinstance(arguments, Tensor):
        yield arguments
    elif isinstance(arguments, dict):
        yield from tensors_in(tuple(arguments.values()))
    elif isinstance(arguments, (list, tuple)):
        for argument in arguments:
            if isinstance(argument, Tensor):
                yield argument
            elif isinstance(argument, (list, tuple, dict)):
                yield from tensors_in(argument)


Rule = Callable[[Trace, Call], None]
RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for operations by their ATen names."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return register


def apply_rule(trace: Trace, call: Call) -> None:
    """Label the outputs of a call."""
    function = RULES.get(call.name)
    if function is None:
        in_place = RULES.get(call.name.rstrip("_"))
        if torch.Tag.pointwise in call.func.tags or in_place is RULES["pointwise"]:
            function = RULES["pointwise"]
        else:
            function = unknown
    function(trace, call)


def unknown(trace: Trace, call: Call) -> None:
    """Freeze whatever goes in; what comes out has sizes of its own."""
    for tensor in call.tensors:
        freeze_all(trace, tensor, f"no rule for {call.title}")
    label_constant(trace, call, f"the result of {call.title}")
    count(trace, call, [])


def freeze_all(trace: Trace, tensor: Tensor, reason: str) -> None:
    """Freeze every channel of a tensor."""
    for plane in trace.value(tensor).planes:
        trace.recorder.freeze(plane, reason)


def label_constant(trace: Trace, call: Call, reason: str) -> None:
    """Label every output as a tensor of constant size."""
    for out in tree_leaves(call.out):
        if isinstance(out, Tensor):
            planes = trace.recorder.constant(out.shape, reason)
            trace.set(out, Value(planes, deps=deps_of(trace, call)))


def deps_of(trace: Trace, call: Call) -> frozenset[int]:
    """The model inputs that a call's result is computed from."""
    return frozenset().union(*(trace.value(t).deps for t in call.tensors))


def common_sites(values: list[Value]) -> frozenset[Site] | None:
    """Sites that scale all of the values: those of a sum or a concatenation."""
    if any(v.sites is None for v in values):
        return None
    return frozenset().union(*(v.sites for v in values))


def need_label(trace: Trace, call: Call, plane: Tensor, axis: int, others: list[Tensor]) -> None:
    """Freeze a plane where another operand has a size of its own, but no labels, along ``axis``."""
    for other in others:
        back = plane.ndim - axis
        if other.ndim < back:
            continue
        own = other.ndim - back
        if other.size(own) > 1 and other.stride(own) != 0:
            value = trace.value(other)
            if not is_uniform(value) and not any(own in varying(p) for p in value.planes):
                trace.recorder.freeze(plane, f"{call.title} meets a tensor of unknown size")


def produce(trace: Trace, values: list[Value]) -> frozenset[Site] | None:
    """Note vectors of parameters (a scale and a shift) as producers; return their sites if all are known, and no
    buffer's, which no gate scales."""
    sites: set[Site] = set()
    for value in values:
        if value.source is None:
            return None
        for plane in value.planes:
            sites.update(trace.recorder.sites_of(plane, value.source))
    trace.recorder.producers.update(dict.fromkeys(sorted(sites)))
    return None if any(name in trace.buffers for name, _ in sites) else frozenset(sites)


def count(trace: Trace, call: Call, axes: list[tuple[Tensor, int]]) -> None:
    """Add the call's multiply-adds, unless all that it works on is done once for many runs.

    What torch's flop counter knows nothing of, such as a matrix times a vector, costs nothing.
    """
    if call.func.overloadpacket in flop_registry and not _amortized(trace, call):
        trace.recorder.term(trace.module, count_flops(call), [(trace.value(t), t, axis) for t, axis in axes])


def count_output(trace: Trace, call: Call, factors: list[Tensor], axes: list[tuple[Tensor, int]]) -> None:
    """Add the size of the output of a convolution or matrix product, unless it is done once for many runs.

    It is a layer's where one of the two factors, the weight, depends on no input of the model.
    """
    if not all(trace.value(t).deps for t in factors) and not _amortized(trace, call):
        trace.recorder.output(trace.module, call.out.numel(), [(trace.value(t), t, axis) for t, axis in axes])


def _amortized(trace: Trace, call: Call) -> bool:
    deps = deps_of(trace, call) if trace.amortized else None
    return bool(deps) and deps <= trace.amortized


def count_flops(call: Call) -> int:
    """Multiply-adds of a call by torch's own formulas (which count two operations for each)."""
    formula = flop_registry[call.func.overloadpacket]
    if hasattr(formula, "__wrapped__"):  # a formula of shapes, which torch looks for in every nook
        shapes = (a.shape if isinstance(a, Tensor) else a for a in call.args)
        return formula.__wrapped__(*shapes, **call.kwargs, out_shape=call.out.shape) // 2
    return formula(*call.args, **call.kwargs, out_val=call.out) // 2
