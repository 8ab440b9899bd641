"""What must hold of a graph, checked without the engine's own self-check."""

from __future__ import annotations

import copy
import random

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.conv import _ConvNd
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from lwdna_mm.channels import ChannelGraph, ChannelPlan, resize


def counted(model: nn.Module, graph: ChannelGraph) -> tuple[int, int, int]:
    """Multiply-adds by torch's flop counter, the number of parameters, and the elements that layers put out.

    The counter knows attention as matrix products, but not the fused kernels of a CPU. Layers are modules: what
    is called by ``F.conv2d`` or ``F.linear`` is not seen.
    """
    elements = []

    def note(module: nn.Module, args: tuple, out: Tensor) -> None:
        elements.append(out.numel())

    hooks = [m.register_forward_hook(note) for m in model.modules() if isinstance(m, (_ConvNd, nn.Linear))]
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        graph.tracing.forward(model.eval(), *graph.tracing.inputs)
    for hook in hooks:
        hook.remove()
    return counter.get_total_flops() // 2, sum(p.numel() for p in model.parameters()), sum(elements)


def costs_agree(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan | None = None) -> bool:
    """Whether the closed forms give what is counted on the network of the plan.

    A model that holds parameters of its own, outside of layers, may convolve with them, where no hook sees it.
    """
    holders = [model, *(module for module in model.modules() if isinstance(module, nn.ParameterList))]
    seen = 2 if any(True for holder in holders for _ in holder.parameters(recurse=False)) else 3
    return counted(model, graph)[:seen] == (graph.flops(plan), graph.params(plan), graph.acts(plan))[:seen]


def outputs(model: nn.Module, graph: ChannelGraph) -> list[Tensor]:
    """The model's tensors for the graph's example inputs."""
    with torch.no_grad():
        out = graph.tracing.forward(model.eval(), *graph.tracing.inputs)
    return [t for t in tree_leaves(out) if isinstance(t, Tensor)]


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
