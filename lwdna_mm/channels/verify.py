"""Proof that a resized network is what its plan says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.channels.structure import randomized
from lwdna_mm.channels.tracing.labels import Site
from lwdna_mm.channels.tracing.program import Program
from lwdna_mm.channels.tracing.rules import tensors_in
from lwdna_mm.channels.tracing.trace import evaluating, output_tensors
from lwdna_mm.channels.transfer import ResizeError, Transfer

# Relative errors of sums in another order. In float64 a misplaced channel shows through some fifty layers; float32 is
# for networks that insist on it.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-3}

# Operations whose whole numbers are factors and summands.
_ARITHMETIC = frozenset({"add", "sub", "rsub", "mul", "div", "pow", "addcmul", "addcdiv"})

# The least side of an image's corner.
_CORNER = 64


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

    Whole numbers count in arithmetic on floating-point tensors only; elsewhere they are sizes and places.
    """
    if transfer.graph.tracing.values:  # numbers come from values
        return
    for (func, used, made), (other, others, _) in zip(transfer.graph.program, transfer.traced.program, strict=False):
        if func is not other:
            return
        if used == others:
            continue
        name = func._schema.name.split("::")[1]
        whole = name.rstrip("_") in _ARITHMETIC and made and made[0][0]
        for number, changed in zip(tree_leaves(used), tree_leaves(others), strict=False):
            same_kind = type(number) is type(changed) and (type(number) is float or (whole and type(number) is int))
            if same_kind and f"{number}" != f"{changed}":  # NaN is NaN
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
        ResizeError: if the outputs have nothing to compare, or a copy works with a parameter of ``model`` itself.
    """
    own = _storages(model)
    try:
        return _compare(randomized(model, torch.float64), transfer, torch.float64, own)
    except RuntimeError:  # it has tensors of its own type besides its parameters, or does not run at all
        return _compare(randomized(model, torch.float32), transfer, torch.float32, own)


def _storages(model: nn.Module) -> dict[int, str]:
    """Where the values of the model's floating-point parameters and buffers lie, and their names."""
    named = [*model.named_parameters(), *model.named_buffers()]
    names = {t.untyped_storage().data_ptr(): name for name, t in named if t.is_floating_point()}
    return {place: name for place, name in names.items() if place}  # none without values


def _compare(original: nn.Module, transfer: Transfer, dtype: torch.dtype, own: dict[int, str]) -> tuple[float, float]:
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
    expected, got, lowered = _outputs(original, resized, transfer, dtype, own)
    tolerance = TOLERANCE[torch.float32 if lowered else dtype]
    if [t.shape for t in expected] != [t.shape for t in got]:
        return float("inf"), tolerance
    if any(t.is_meta for t in expected):
        raise ResizeError("it has no values on the meta device: build it on the CPU")
    if not any(t.isfinite().any() for t in expected):
        raise ResizeError("its outputs hold no finite number that could be compared")
    return max(_difference(a, b) for a, b in zip(expected, got, strict=True)), tolerance


def _outputs(
    original: nn.Module, resized: nn.Module, transfer: Transfer, dtype: torch.dtype, own: dict[int, str]
) -> tuple[list[Tensor], list[Tensor], bool]:
    """The outputs of both networks, and whether they are less exact than ``dtype``.

    Of large images a corner is enough, where both networks do with it what they do with the whole.
    """
    graph, traced = transfer.graph, transfer.traced
    whole = graph.tracing.inputs
    corners = tree_map(_corner, whole)
    if any(a is not b for a, b in zip(tree_leaves(whole), tree_leaves(corners), strict=True)):
        with contextlib.suppress(Exception):  # such as a layer for images of one size
            a, b = (_Pass(network, graph, corners, dtype, own, noting=True) for network in (original, resized))
            if (a.steps, b.steps) == (graph.program, traced.program):
                return a.outputs, b.outputs, a.lowered or b.lowered
    a, b = (_Pass(network, graph, whole, dtype, own) for network in (original, resized))
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
    """A pass of inputs, in which a constant image is replaced by noise; random numbers are the same in every pass.

    Args:
        own: the name behind every storage that the pass of a copy has no business with.
        noting: whether to note the program.

    Attributes:
        outputs: the output's tensors.
        lowered: whether what began in float64 has gone on in less.
        steps: those of the program.
    """

    def __init__(
        self,
        model: nn.Module,
        graph: ChannelGraph,
        inputs: tuple,
        dtype: torch.dtype,
        own: dict[int, str],
        noting: bool = False,
    ) -> None:
        super().__init__()
        self.lowered = False
        self._own = own
        generator = torch.Generator().manual_seed(0)
        inputs = tree_map(lambda leaf: _prepare(leaf, dtype, generator), inputs)
        self._program = Program(model, inputs) if noting else None
        with _seeded(model), evaluating(model), self:
            output = graph.tracing.forward(model, *inputs)
        self.outputs = [t.detach().clone() for t in output_tensors(output)]
        self.steps = self._program.steps if self._program else []
        self._program = None  # and with it all intermediate results

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        tensors = list(tensors_in((args, kwargs)))
        for tensor in tensors:
            name = self._own.get(tensor.untyped_storage().data_ptr())
            if name is not None:
                raise ResizeError(
                    f"a copy of the network reads '{name}' of the original, which is held in a closure or a list: "
                    "read it from its module"
                )
        out = func(*args, **kwargs)
        if any(t.dtype == torch.float64 for t in tensors):
            self.lowered |= any(t.dtype != torch.float64 and t.is_floating_point() for t in tensors_in(out))
        if self._program:
            self._program.note(func, args, kwargs, out)
        return out


@contextlib.contextmanager
def _seeded(model: nn.Module) -> Iterator[None]:
    """The same random numbers every time, on the CPU and where the model is; the user's go on as before."""
    devices = {p.device for p in model.parameters() if p.is_cuda}
    with torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(0)
        for device in devices:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(0)
        yield


def _prepare(leaf: Any, dtype: torch.dtype, generator: torch.Generator) -> Any:
    if not isinstance(leaf, Tensor) or leaf.is_meta:
        return leaf
    if not leaf.is_floating_point():
        return leaf.clone()
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
