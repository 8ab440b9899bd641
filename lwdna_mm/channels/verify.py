"""Proof that a resized network is what its plan says."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.tracing.labels import Site
from lwdna_mm.channels.tracing.trace import evaluating
from lwdna_mm.channels.transfer import ResizeError, Transfer, assign, copy_structure, owners_of

# Relative errors of sums in another order. In float64 a misplaced channel shows through some fifty layers; float32 is
# for networks that insist on it.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-3}


def check(model: nn.Module, transfer: Transfer) -> None:
    """Raise ResizeError unless the resized network has the planned cost and computes the masked original."""
    plan = ChannelPlan(transfer.widths)
    for what in ("flops", "params", "acts"):
        planned, real = getattr(transfer.graph, what)(plan), getattr(transfer.traced, what)()
        if planned != real:
            raise ResizeError(f"the resized network has {real} {what}, its plan says {planned}")
    error, tolerance = mismatch(model, transfer)
    if not error <= tolerance:
        raise ResizeError(f"the resized network computes something else (relative error {error:.1e})")


def mismatch(model: nn.Module, transfer: Transfer) -> tuple[float, float]:
    """Largest difference of the outputs, relative to their size, between the original with the removed
    channels gated to zero and the resized network with the gates of ``n`` copies of a channel at ``1 / n``;
    and what rounding accounts for.

    Both get the same random values, in float64 where the network can be run so. Where an operation without
    parameters sums over a group, its gates are not linear, and all copies but one are gated to zero instead.

    Raises:
        ResizeError: if the outputs have nothing to compare.
    """
    original = randomized(model)
    try:
        return _compare(original.double(), transfer, torch.float64)
    except RuntimeError:  # it has tensors of its own type besides its parameters, or does not run at all
        return _compare(original.float(), transfer, torch.float32)


def _compare(original: nn.Module, transfer: Transfer, dtype: torch.dtype) -> tuple[float, float]:
    graph = transfer.graph
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
    precision = _Precision()
    with precision:
        expected, got = (_run(network, graph, dtype) for network in (original, resized))
    tolerance = TOLERANCE[torch.float32 if precision.lowered else dtype]
    if [t.shape for t in expected] != [t.shape for t in got]:
        return float("inf"), tolerance
    if any(t.is_meta for t in expected):
        raise ResizeError("it has no values on the meta device: build it on the CPU")
    if not any(t.isfinite().any() for t in expected):
        raise ResizeError("its outputs hold no finite number that could be compared")
    return max(_difference(a, b) for a, b in zip(expected, got, strict=True)), tolerance


def _difference(a: Tensor, b: Tensor) -> float:
    """The largest difference over the largest finite value; infinite where one alone is not finite."""
    if not (a.is_floating_point() or a.is_complex()):
        return 0.0 if torch.equal(a, b) else float("inf")
    differ = ~((a == b) | (a.isnan() & b.isnan()))
    if not differ.any():
        return 0.0
    size = a[a.isfinite()].abs()
    error = (a[differ] - b[differ]).abs().max() / (size.max() if size.numel() else size.new_zeros(())).clamp(min=1e-6)
    return float(error) if error.isfinite() else float("inf")


class _Precision(TorchDispatchMode):
    """Notes whether a computation in float64 has gone on in less."""

    lowered = False

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        before, after = (
            {t.dtype for t in tree_leaves(part) if isinstance(t, Tensor) and t.is_floating_point()}
            for part in ((args, kwargs), out)
        )
        self.lowered |= torch.float64 in before and bool(after - {torch.float64})
        return out


def scale(model: nn.Module, site: Site, positions: np.ndarray, gates: np.ndarray) -> None:
    """Multiply a parameter by one gate a channel along a dim, in place; positions: (width, multiplicity)."""
    name, dim = site
    path, _, key = name.rpartition(".")
    parameter = getattr(model.get_submodule(path), key)
    factors = torch.ones(parameter.shape[dim], dtype=torch.float64)  # a third is none in float32
    factors[torch.from_numpy(positions)] = torch.from_numpy(gates)[:, None].expand(positions.shape)
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


def _run(model: nn.Module, graph: ChannelGraph, dtype: torch.dtype) -> list[Tensor]:
    """The output's tensors for the example inputs, in which a constant image is replaced by noise."""
    generator = torch.Generator().manual_seed(0)

    def prepare(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor) or not leaf.is_floating_point() or leaf.is_meta:
            return leaf
        if leaf.numel() > 1 and leaf.min() == leaf.max():
            leaf = torch.rand(leaf.shape, generator=generator).to(leaf)
        return leaf.to(dtype, copy=True)

    with evaluating(model):
        output = graph.tracing.forward(model, *tree_map(prepare, graph.tracing.inputs))
    return [t.detach().clone() for t in tree_leaves(output) if isinstance(t, Tensor)]
