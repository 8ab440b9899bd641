"""Proof that a resized network is what its plan says."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.structure import assign, copy_structure, owners_of
from lwdna_mm.channels.tracing.labels import Site
from lwdna_mm.channels.tracing.program import Program
from lwdna_mm.channels.tracing.rules import tensors_in
from lwdna_mm.channels.tracing.trace import evaluating
from lwdna_mm.channels.transfer import ResizeError, Transfer

# Relative errors of sums in another order. In float64 a misplaced channel shows through some fifty layers; float32 is
# for networks that insist on it.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-3}

# The least side of an image's corner.
_CORNER = 64

# Where the values of a tensor begin in the noise: every _STEP values, round a number that has no divisor.
_STEP, _BEGINNINGS = 1009, 8191


def check_costs(transfer: Transfer) -> None:
    """Raise ResizeError unless the network of the planned shapes has the planned cost."""
    plan = ChannelPlan(transfer.widths)
    for what in ("flops", "params", "acts"):
        planned, real = getattr(transfer.graph, what)(plan), getattr(transfer.traced, what)()
        if planned != real:
            raise ResizeError(f"the resized network has {real} {what}, its plan says {planned}")


def check_numbers(transfer: Transfer) -> None:
    """Raise ResizeError if an operation works with a number that depends on a width, such as the default scale of an
    attention: its effect can be too small to be found among values, as where a softmax has one winner.
    """
    if transfer.graph.tracing.values:  # numbers come from values
        return
    for (func, used, _), (other, others, _) in zip(transfer.graph.program, transfer.traced.program, strict=False):
        if func is not other:
            return
        if used == others:
            continue
        for number, changed in zip(tree_leaves(used), tree_leaves(others), strict=False):
            if isinstance(number, float) and isinstance(changed, float) and f"{number}" != f"{changed}":  # NaN is NaN
                name = func._schema.name.split("::")[1]
                raise ResizeError(
                    f"{name} works with {number!r} in the original, and with {changed!r} in the resized network"
                )


def check_values(model: nn.Module, transfer: Transfer) -> None:
    """Raise ResizeError unless the resized network computes what the masked original computes."""
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
    try:
        return _compare(randomized(model, torch.float64), transfer, torch.float64)
    except RuntimeError:  # it has tensors of its own type besides its parameters, or does not run at all
        return _compare(randomized(model, torch.float32), transfer, torch.float32)


def _compare(original: nn.Module, transfer: Transfer, dtype: torch.dtype) -> tuple[float, float]:
    graph = transfer.graph
    resized = transfer.apply(original)
    masks: dict[Site, list[tuple[np.ndarray, np.ndarray]]] = {}
    shares: dict[Site, list[tuple[np.ndarray, np.ndarray]]] = {}
    for name, kept in transfer.sources.items():
        group = graph.groups[name]
        counts = np.bincount(kept, minlength=group.width)
        gates = (counts > 0).astype(float)
        if group.contracted:
            copies = np.array([float(n == 0 or kept[n] != kept[n - 1]) for n in range(len(kept))])
        else:
            copies = 1.0 / counts[kept]
        for site in group.gated:
            masks.setdefault(site, []).append((group.members[site], gates))
            shares.setdefault(site, []).append((transfer.positions(name, site), copies))
    scale(original, masks)
    scale(resized, shares)
    expected, got, lowered = _outputs(original, resized, transfer, dtype)
    tolerance = TOLERANCE[torch.float32 if lowered else dtype]
    if [t.shape for t in expected] != [t.shape for t in got]:
        return float("inf"), tolerance
    if any(t.is_meta for t in expected):
        raise ResizeError("it has no values on the meta device: build it on the CPU")
    if not any(t.isfinite().any() for t in expected):
        raise ResizeError("its outputs hold no finite number that could be compared")
    return max(_difference(a, b) for a, b in zip(expected, got, strict=True)), tolerance


def _outputs(
    original: nn.Module, resized: nn.Module, transfer: Transfer, dtype: torch.dtype
) -> tuple[list[Tensor], list[Tensor], bool]:
    """The outputs of both networks, and whether they are less exact than ``dtype``.

    Of large images a corner is enough, where both networks do with it what they do with the whole.
    """
    graph, traced = transfer.graph, transfer.traced
    whole = graph.tracing.inputs
    corners = tree_map(_corner, whole)
    if any(a is not b for a, b in zip(tree_leaves(whole), tree_leaves(corners), strict=True)):
        with contextlib.suppress(Exception):  # such as a layer for images of one size
            a, b = (_Pass(network, graph, corners, dtype, noting=True) for network in (original, resized))
            if (a.steps, b.steps) == (graph.program, traced.program):
                return a.outputs, b.outputs, a.lowered or b.lowered
    a, b = (_Pass(network, graph, whole, dtype) for network in (original, resized))
    return a.outputs, b.outputs, a.lowered or b.lowered


def _corner(leaf: Any) -> Any:
    """Of an image at least 64 pixels each way, as many as leave the sides what they are modulo 32."""
    if not isinstance(leaf, Tensor) or leaf.ndim != 4:
        return leaf
    height, width = (min(size, _CORNER + size % 32) for size in leaf.shape[2:])
    return leaf if (height, width) == leaf.shape[2:] else leaf[..., :height, :width]


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


class _Pass(TorchDispatchMode):
    """A pass of inputs, in which a constant image is replaced by noise.

    Args:
        noting: whether to note the program.

    Attributes:
        outputs: the output's tensors.
        lowered: whether what began in float64 has gone on in less.
        steps: those of the program.
    """

    def __init__(
        self, model: nn.Module, graph: ChannelGraph, inputs: tuple, dtype: torch.dtype, noting: bool = False
    ) -> None:
        super().__init__()
        self.lowered = False
        generator = torch.Generator().manual_seed(0)
        inputs = tree_map(lambda leaf: _prepare(leaf, dtype, generator), inputs)
        self._program = Program(model, inputs) if noting else None
        with evaluating(model), self:
            output = graph.tracing.forward(model, *inputs)
        self.outputs = [t.detach().clone() for t in tree_leaves(output) if isinstance(t, Tensor)]
        self.steps = self._program.steps if self._program else []
        self._program = None  # and with it all intermediate results

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if any(t.dtype == torch.float64 for t in tensors_in((args, kwargs))):
            self.lowered |= any(t.dtype != torch.float64 and t.is_floating_point() for t in tensors_in(out))
        if self._program:
            self._program.note(func, args, kwargs, out)
        return out


def _prepare(leaf: Any, dtype: torch.dtype, generator: torch.Generator) -> Any:
    if not isinstance(leaf, Tensor) or not leaf.is_floating_point() or leaf.is_meta:
        return leaf
    if leaf.numel() > 1 and leaf.min() == leaf.max():
        leaf = torch.rand(leaf.shape, generator=generator).to(leaf)
    return leaf.to(dtype, copy=True)


def scale(model: nn.Module, gates: dict[Site, list[tuple[np.ndarray, np.ndarray]]]) -> None:
    """Multiply parameters, in place, by gates of channels.

    Args:
        gates: for every dim of a parameter, for every group there, the positions of its channels, (width,
            multiplicity), and a gate for each, (width,).
    """
    parameters = dict(model.named_parameters())
    for (name, dim), groups in gates.items():
        parameter = parameters[name]
        factors = np.ones(parameter.shape[dim])  # float64: a third is none in float32
        for positions, values in groups:
            factors[positions] = values[:, None]
        with torch.no_grad():
            factor = torch.from_numpy(factors).to(parameter)
            parameter.mul_(factor.view([-1 if d == dim else 1 for d in range(parameter.ndim)]))


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
