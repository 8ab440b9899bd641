"""Proof that a resized network is what its plan says."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.labels import Site
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.trace import evaluating
from lwdna_mm.channels.transfer import ResizeError, Transfer, assign, copy_structure, owners_of

# float32 sums in another order; a misplaced channel changes a random network's output by far more.
TOLERANCE = 1e-3


def check(model: nn.Module, transfer: Transfer) -> None:
    """Raise ResizeError unless the resized network has the planned cost and computes the masked original."""
    plan = ChannelPlan(transfer.widths)
    for what in ("flops", "params"):
        planned, real = getattr(transfer.graph, what)(plan), getattr(transfer.traced, what)()
        if planned != real:
            raise ResizeError(f"the resized network has {real} {what}, its plan says {planned}")
    error = mismatch(model, transfer)
    if not error <= TOLERANCE:
        raise ResizeError(f"the resized network computes something else (relative error {error:.1e})")


def mismatch(model: nn.Module, transfer: Transfer) -> float:
    """Largest difference of the outputs, relative to their size, between the original with the removed
    channels gated to zero and the resized network with the gates of ``n`` copies of a channel at ``1 / n``.

    Both get the same random values. Where an operation without parameters sums over a group, its gates
    are not linear, and all copies but one are gated to zero instead.
    """
    graph = transfer.graph
    original = randomized(model)
    resized = transfer.apply(original)
    for name, kept in transfer.sources.items():
        group = graph.groups[name]
        counts = np.bincount(kept, minlength=group.width)
        gates = (counts > 0).astype(float)
        if group.contracted:
            copies = np.array([float(n == 0 or kept[n] != kept[n - 1]) for n in range(len(kept))])
        else:
            copies = 1.0 / counts[kept]
        for site in group.gated:
            scale(original, site, group.members[site], gates)
            scale(resized, site, transfer.positions(name, site), copies)
    expected, got = _run(original, graph), _run(resized, graph)
    if [t.shape for t in expected] != [t.shape for t in got]:
        return float("inf")
    pairs = zip(expected, got, strict=True)
    return max((float((a - b).abs().max() / a.abs().max().clamp(min=1e-6)) for a, b in pairs), default=0.0)


def scale(model: nn.Module, site: Site, positions: np.ndarray, gates: np.ndarray) -> None:
    """Multiply a parameter by one gate a channel along a dim, in place; positions: (width, multiplicity)."""
    name, dim = site
    path, _, key = name.rpartition(".")
    parameter = getattr(model.get_submodule(path), key)
    factors = torch.ones(parameter.shape[dim])
    factors[torch.from_numpy(positions)] = torch.from_numpy(gates).float()[:, None].expand(positions.shape)
    with torch.no_grad():
        parameter.mul_(factors.to(parameter).view([-1 if d == dim else 1 for d in range(parameter.ndim)]))


def randomized(model: nn.Module) -> nn.Module:
    """A copy with random, well-conditioned values: freshly initialised networks hide whole branches
    behind zeros, and then no output could tell a right network from a wrong one."""
    model = copy_structure(model)
    generator = torch.Generator().manual_seed(0)
    for name, owners in owners_of(model).items():
        tensor = getattr(*owners[0])
        if not tensor.is_floating_point():
            continue
        noise = torch.empty(tensor.shape).uniform_(-1.7, 1.7, generator=generator).to(tensor)
        if isinstance(tensor, nn.Parameter):
            fan_in = max(tensor[0].numel(), 1) if tensor.ndim > 1 else 4
            noise = noise / fan_in**0.5 + (1.0 if tensor.ndim == 1 and name.endswith("weight") else 0.0)
        elif name.endswith("running_var"):
            noise = 1 + 0.5 * noise.tanh()
        elif not name.endswith("running_mean"):
            noise = tensor.clone()
        assign(owners, noise)
    return model


def _run(model: nn.Module, graph: ChannelGraph) -> list[Tensor]:
    with evaluating(model):
        output = graph.tracing.forward(model, *graph.tracing.inputs)
    return [t.detach().clone() for t in tree_leaves(output) if isinstance(t, Tensor) and t.is_floating_point()]
