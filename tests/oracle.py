"""What must hold of a graph, checked without the engine's own self-check."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.flop_counter import FlopCounterMode

from lwdna_mm.channels import ChannelGraph, ChannelPlan, resize


class Layers(TorchFunctionMode):
    """Counts what convolutions and matrix products by a weight put out, as they are called from Python.

    A weight is what no input goes into; so tensors are followed from the inputs on, call by call.

    Attributes:
        elements: counted so far.
    """

    _CONVOLUTIONS = {F.conv1d, F.conv2d, F.conv3d, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d}
    _BIAS_FIRST = {torch.addmm, torch.addmv, torch.baddbmm}
    _CALLS = {F.linear, torch.einsum, torch.matmul, torch.mm, torch.bmm, torch.mv, Tensor.matmul, Tensor.__matmul__}
    _CALLS |= {*_CONVOLUTIONS, *_BIAS_FIRST, Tensor.__rmatmul__}

    def __init__(self, inputs: Any) -> None:
        super().__init__()
        self.elements = 0
        self._followed = {id(tensor): tensor for tensor in tensors_in(inputs)}

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        followed = [id(tensor) in self._followed for tensor in tensors_in((args, kwargs))]
        factors = followed[1:3] if func in self._BIAS_FIRST else followed[:2]
        if func in self._CALLS and not all(factors):
            self.elements += out.numel()
        if getattr(func, "__name__", "") == "lstm":  # products of every step's input and state by the weights
            self.elements += sum(w.shape[0] * out[0].shape[:2].numel() for w in args[2] if w.ndim == 2)
        if any(followed):
            written = args[0] if func is Tensor.__setitem__ else None
            self._followed.update((id(tensor), tensor) for tensor in tensors_in((out, written)))
        return out


def counted(model: nn.Module, graph: ChannelGraph) -> tuple[int, int, int]:
    """Multiply-adds by torch's flop counter, the number of parameters, and the elements that layers put out.

    The counter knows attention and LSTM as matrix products, but not the fused kernels of a CPU.
    """
    inputs = tree_map(lambda leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf, graph.tracing.inputs)
    model = copy.deepcopy(model).eval().requires_grad_(False)  # the counter stumbles over views of what has gradients
    layers = Layers(inputs)
    no_fusion = torch.backends.mkldnn.flags(enabled=False, allow_tf32=None)
    attention, counter = sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False)
    with torch.no_grad(), no_fusion, attention, counter, layers:
        graph.tracing.forward(model, *inputs)
    return counter.get_total_flops() // 2, sum(p.numel() for p in model.parameters()), layers.elements


def costs_agree(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan | None = None) -> bool:
    """Whether the closed forms give what is counted on the network of the plan."""
    return counted(model, graph) == (graph.flops(plan), graph.params(plan), graph.acts(plan))


def tensors_in(tree: Any) -> list[Tensor]:
    """All tensors of a tree, in order."""
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def outputs(model: nn.Module, graph: ChannelGraph) -> list[Tensor]:
    """The model's tensors for the graph's example inputs."""
    with torch.no_grad():
        out = graph.tracing.forward(model.eval(), *graph.tracing.inputs)
    return tensors_in(out)


def scale_gates(model: nn.Module, graph: ChannelGraph, factors: dict[str, Tensor]) -> nn.Module:
    """A copy in which each channel of the named groups is multiplied wherever its group is gated."""
    model = copy.deepcopy(model)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, factor in factors.items():
            group = graph.groups[name]
            for parameter, dim in group.gated:
                tensor = parameters[parameter]
                scale = torch.ones(tensor.shape[dim], dtype=tensor.dtype)
                for channel, positions in enumerate(group.members[(parameter, dim)]):
                    scale[positions] = factor[channel].to(tensor.dtype)
                tensor.mul_(scale.view([-1 if d == dim else 1 for d in range(tensor.ndim)]))
    return model


def difference(a: list[Tensor], b: list[Tensor]) -> float:
    """Largest difference relative to the size of the outputs; infinite where shapes differ.

    Outputs below 1e-6 count as zero: the mean of a normalised channel is rounding noise in any network.
    """
    if [t.shape for t in a] != [t.shape for t in b]:
        return float("inf")
    pairs = [(x.double(), y.double()) for x, y in zip(a, b, strict=True)]
    return max(float((x - y).abs().max() / x.abs().max().clamp(min=1e-6)) for x, y in pairs)


def masked_difference(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan) -> float:
    """Gates at zero on the original against the shrunk network."""
    small = resize(model, graph, plan)
    assert costs_agree(small, graph, plan)
    factors = {}
    for name, kept in plan.kept.items():
        factors[name] = torch.zeros(graph.groups[name].width)
        factors[name][kept] = 1
    return difference(outputs(scale_gates(model, graph, factors), graph), outputs(small, graph))


def halved_difference(model: nn.Module, graph: ChannelGraph) -> float:
    """Twice the width with halved gates against the original.

    Groups that an operation without parameters sums over are not halved but have every copy but the
    first masked: a product of two of them would be quartered.
    """
    plan = graph.scaled(2.0)
    wide = resize(model, graph, plan)
    assert costs_agree(wide, graph, plan)
    from lwdna_mm.channels import analyze

    t = graph.tracing
    grouped = "whole" if t.whole else "within"
    doubled = analyze(wide, t.inputs, grouped, t.keep, tuple(t.amortized), forward=t.forward)
    factors = {}
    for name, group in graph.free.items():
        halves = torch.full((2 * group.width,), 0.5)
        copies = torch.tensor([1.0, 0.0]).repeat(group.width)
        factors[name] = copies if group.contracted else halves
    return difference(outputs(model, graph), outputs(scale_gates(wide, doubled, factors), graph))


def random_plan(graph: ChannelGraph, rng: random.Random, least: int = 1) -> ChannelPlan:
    """Random channels of every free group, at least ``least`` of each."""
    kept = {}
    for name, group in graph.free.items():
        kept[name] = sorted(rng.sample(range(group.width), rng.randint(min(least, group.width), group.width)))
    return ChannelPlan(kept)
