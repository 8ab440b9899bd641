"""Run a model once, eagerly, and let every ATen operation pass its channel labels on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lwdna_mm.channels.tracing import rules_math, rules_move, rules_product  # noqa: F401  (they register themselves)
from lwdna_mm.channels.tracing.labels import Recorder, Value
from lwdna_mm.channels.tracing.rules import Call, apply_rule
from lwdna_mm.channels.tracing.state import Trace

Forward = Callable[..., Any]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in eval mode without gradients; modes and buffers are restored afterwards.

    Attention is computed by matrix products, which have rules and FLOPs on every device, not by a fused kernel.
    """
    modes = {module: module.training for module in model.modules()}
    buffers = [(module, dict(module._buffers)) for module in modes if module._buffers]
    values = [(b, b._version, b.clone()) for _, held in buffers for b in held.values() if b is not None]
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
        for module, held in buffers:
            module._buffers.update(held)
        with torch.no_grad():
            for buffer, version, value in values:
                if buffer._version != version:
                    buffer.copy_(value)


def copy_inputs(inputs: tuple) -> tuple:
    """The inputs with a copy of every tensor, which the model may write into; none is the same as another."""
    return tree_map(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf, inputs)


class Tracer(TorchDispatchMode):
    """Lets every operation of one forward pass find its rule, and the trace know which module runs it."""

    def __init__(self, model: nn.Module, trace: Trace) -> None:
        super().__init__()
        self._model = model
        self._trace = trace
        self._stack: list[str] = []

    @contextmanager
    def following(self) -> Iterator[None]:
        """Know which module is running, while the context lasts."""
        handles = []

        def enter(name: str) -> Callable[..., None]:
            def hook(*_: Any) -> None:
                self._stack.append(self._trace.module)
                self._trace.module = name

            return hook

        def leave(*_: Any) -> None:
            self._trace.module = self._stack.pop()

        for name, module in self._model.named_modules():
            handles.append(module.register_forward_pre_hook(enter(name), prepend=True))
            handles.append(module.register_forward_hook(leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        apply_rule(self._trace, Call(func, args, kwargs, out, self._trace.where))
        return out


def trace(
    model: nn.Module, inputs: tuple, forward: Forward, amortized: frozenset[int], whole: bool
) -> tuple[Recorder, Any]:
    """Run ``forward(model, *inputs)`` and record what it demands of the channels.

    Args:
        amortized: indices of inputs; work on nothing else is not counted in the FLOPs.
        whole: whether grouped convolutions lose whole conv-groups rather than channels within each.

    Returns:
        The recorder, and the model's output.
    """
    inputs = copy_inputs(inputs)
    labels = Trace(model, amortized, whole)
    recorder, tracer = labels.recorder, Tracer(model, labels)
    for index, argument in enumerate(inputs):
        for tensor in tree_leaves(argument):
            if isinstance(tensor, Tensor):
                skip = [axis for axis in range(tensor.ndim) if axis != 1]
                planes = recorder.constant(tensor.shape, "an input of the model", skip)
                labels.set(tensor, Value(planes, deps=frozenset([index])))
    with evaluating(model), tracer.following(), tracer:
        output = forward(model, *inputs)
    for tensor in tree_leaves(output):
        if isinstance(tensor, Tensor):
            for plane in labels.value(tensor).planes:
                recorder.freeze(plane, "an output of the model")
    return recorder, output
