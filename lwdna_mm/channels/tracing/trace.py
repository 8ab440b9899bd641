"""Run a model once, eagerly, and let every ATen operation pass its channel labels on.

Labels need shapes and no values, so the model runs on the meta device unless it asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from numbers import Number
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lwdna_mm.channels.tracing import rules_math, rules_move, rules_product  # noqa: F401  (they register themselves)
from lwdna_mm.channels.tracing.labels import Recorder, Value
from lwdna_mm.channels.tracing.program import Program
from lwdna_mm.channels.tracing.rules import Call, apply_rule
from lwdna_mm.channels.tracing.shapes import run, without_values
from lwdna_mm.channels.tracing.state import Trace
from lwdna_mm.errors import UserError

Forward = Callable[..., Any]


class AnalysisError(UserError):
    """A model that cannot be analysed as asked."""


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in eval mode without gradients; modes and buffers are restored afterwards.

    Attention is computed by matrix products, which have rules and FLOPs on every device, not by a fused kernel.
    """
    modes = {module: module.training for module in model.modules()}
    buffers = [(module, dict(module._buffers)) for module in modes if module._buffers]
    held = [buffer for _, own in buffers for buffer in own.values() if buffer is not None and not buffer.is_meta]
    values = [(buffer, buffer._version, buffer.clone()) for buffer in held]
    fast = torch.backends.mha.get_fastpath_enabled()
    for module in modes:
        module.training = False
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module, mode in modes.items():
            module.training = mode
        for module, own in buffers:
            module._buffers.update(own)
        with torch.no_grad():
            for buffer, version, value in values:
                if buffer._version != version:
                    buffer.copy_(value)


class Tracer(TorchDispatchMode):
    """Lets every operation of one forward pass find its rule, and the trace know which module runs it."""

    def __init__(self, trace: Trace, program: Program, values: bool) -> None:
        super().__init__()
        self._program = program
        self._values = values
        self._trace = trace
        self._stack: list[str] = []

    @contextmanager
    def following(self) -> Iterator[None]:
        """Know which module is running, while the context lasts."""
        before = register_module_forward_pre_hook(self._enter)
        after = register_module_forward_hook(self._leave, always_call=True)
        try:
            yield
        finally:
            before.remove()
            after.remove()

    def _enter(self, module: nn.Module, *_: Any) -> None:
        self._stack.append(self._trace.module)
        self._trace.module = self._trace.paths.get(module, self._trace.module)

    def _leave(self, *_: Any) -> None:
        self._trace.module = self._stack.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        call = Call(func, args, kwargs or {}, None, self._trace.where)
        call.out = func(*args, **call.kwargs) if self._values else _run_shapes(call)
        self._program.note(func, args, call.kwargs, call.out)
        apply_rule(self._trace, call)
        return call.out


def _run_shapes(call: Call) -> Any:
    try:
        return run(call.func, call.name, call.args, call.kwargs, call.tensors)
    except RuntimeError as error:  # says less than it would of tensors with values
        shapes = ", ".join(str(tuple(t.shape)) for t in call.tensors)
        raise RuntimeError(f"{call.title} of {shapes}: {error}") from error


def trace(
    model: nn.Module, inputs: tuple, forward: Forward, amortized: frozenset[int], whole: bool, values: bool
) -> tuple[Recorder, list[tuple]]:
    """Run ``forward(model, *inputs)`` and record what it demands of the channels.

    Args:
        amortized: indices of inputs; work on nothing else is not counted.
        whole: whether grouped convolutions lose whole conv-groups rather than channels within each.
        values: whether to compute; otherwise the inputs are on the meta device, where the model is expected.

    Returns:
        The recorder, and the steps of the program.

    Raises:
        AnalysisError: if the model puts out no tensors, or what they cannot be seen in.
    """
    inputs = tree_map(
        lambda leaf: (leaf.clone() if values else without_values(leaf)) if isinstance(leaf, Tensor) else leaf, inputs
    )
    labels = Trace(model, amortized, whole)
    recorder, program = labels.recorder, Program(model, inputs)
    for index, argument in enumerate(inputs):
        for tensor in tree_leaves(argument):
            if isinstance(tensor, Tensor):
                skip = [axis for axis in range(tensor.ndim) if axis != 1]
                planes = recorder.constant(tensor.shape, "an input of the model", skip)
                labels.set(tensor, Value(planes, deps=frozenset([index])))
    tracer = Tracer(labels, program, values)
    with evaluating(model), tracer.following(), tracer:
        output = forward(model, *inputs)
    for tensor in output_tensors(output):
        recorder.put_out(tensor.shape, labels.value(tensor).planes)
    return recorder, program.steps


def output_tensors(output: Any) -> list[Tensor]:
    """All tensors that a model puts out, in containers or dataclasses; one that was missed would lose its channels.

    Raises:
        AnalysisError: if there is none, or a leaf is neither a tensor nor a number, a str or None.
    """
    tensors = list(_tensors_put_out(output))
    if not tensors:
        raise AnalysisError("the model puts out no tensor; give forward= that returns tensors")
    return tensors


def _tensors_put_out(output: Any) -> Iterator[Tensor]:
    for leaf in tree_leaves(output):
        if isinstance(leaf, Tensor):
            yield leaf
        elif is_dataclass(leaf) and not isinstance(leaf, type):
            yield from _tensors_put_out([getattr(leaf, field.name) for field in fields(leaf)])
        elif isinstance(leaf, Mapping):
            yield from _tensors_put_out(list(leaf.values()))
        elif isinstance(leaf, (list, tuple)):  # classes of their own, which are no pytrees
            yield from _tensors_put_out([*leaf])
        elif leaf is not None and not isinstance(leaf, (Number, str)):
            kind = type(leaf).__name__
            raise AnalysisError(
                f"the model puts out a {kind}, whose tensors cannot be seen; give forward= that returns tensors"
            )
