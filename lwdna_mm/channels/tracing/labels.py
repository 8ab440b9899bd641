"""Channel labels: which channel of which parameter an element of a tensor belongs to.

Every dimension of every parameter and floating-point buffer gets one id per index. A traced tensor
carries *planes*: integer tensors of its own shape that hold an id per element. An activation usually has
one plane (its channels); a convolution weight has one per dimension. Axes along which a plane does not
vary have stride 0, so planes are small, and whatever moves data can simply be run on them.

Id 0 means "the same value everywhere" (a tensor of zeros or ones); no plane at all along an axis means
that nothing is known about it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

Site = tuple[str, int]

# Why what a model puts out keeps its channels.
OUTPUT = "an output of the model"
"""A dimension of a parameter: ``(parameter name, dim)``."""

Term = tuple[str, int, list[tuple[list[np.ndarray], int]]]
"""The module that runs, a cost, and the axes that it is a product of: the ids along each, from every plane that varies
there, and its size."""


@dataclass
class Value:
    """What is known about one traced tensor.

    Attributes:
        planes: label tensors of the traced tensor's shape.
        source: the parameter that the tensor is, up to data movement and scaling; None for anything else.
        deps: indices of the model inputs it was computed from.
        sites: parameter dimensions that scale it linearly, so that zeroing a channel there zeroes that
            channel here; None where no such set is known.
    """

    planes: list[Tensor] = field(default_factory=list)
    source: str | None = None
    deps: frozenset[int] = frozenset()
    sites: frozenset[Site] | None = None


def core(plane: Tensor) -> Tensor:
    """The plane with every stride-0 axis narrowed to size 1."""
    steps = plane.stride()
    return collapse(plane, [axis for axis, step in enumerate(steps) if step == 0]) if 0 in steps else plane


def varying(plane: Tensor) -> list[int]:
    """The axes along which the plane's ids differ."""
    shape, steps = plane.shape, plane.stride()
    axes = [axis for axis, step in enumerate(steps) if step and shape[axis] > 1]
    if len(axes) == 1:  # most often, and most often the ends tell
        line = plane.as_strided((shape[axes[0]],), (steps[axes[0]],)).numpy()
        return axes if line[0] != line[-1] or (line != line[0]).any() else []
    ids = core(plane).numpy()
    return [axis for axis in axes if (ids != ids.take([0], axis)).any()]


def tighten(plane: Tensor) -> Tensor:
    """Give stride 0 to every axis along which the plane does not vary."""
    return collapse(plane, set(range(plane.ndim)).difference(varying(plane))).expand(plane.shape)


def is_uniform(value: Value) -> bool:
    """Whether the tensor holds one constant that does not depend on any width."""
    return bool(value.planes) and not any(core(p).numpy().any() for p in value.planes)


def place(ids: Tensor, axis: int, shape: Sequence[int]) -> Tensor:
    """A plane of ``shape`` in which ``ids`` run along ``axis``."""
    return ids.as_strided(shape, [ids.stride(0) if a == axis else 0 for a in range(len(shape))])


def collapse(plane: Tensor, axes: Collection[int]) -> Tensor:
    """The plane with the given axes narrowed to their first index (size 1)."""
    shape = [min(size, 1) if axis in axes else size for axis, size in enumerate(plane.shape)]
    return plane if shape == list(plane.shape) else plane.as_strided(shape, plane.stride())


class Recorder:
    """Collects what the operations of one forward pass demand of the ids.

    All demands are kept as arrays and evaluated once, at the end of the pass (see ``build.py``).
    """

    def __init__(self) -> None:
        self.count = 1  # id 0 is taken
        self.dims: dict[Site, tuple[int, int]] = {}  # site -> (first id, size)
        self.rank: dict[str, int] = {}  # number of dims of each parameter met
        self.ties: list[np.ndarray] = []
        self.frozen: list[tuple[np.ndarray, str]] = []
        self.rigid: list[tuple[np.ndarray, str]] = []
        self.splits: list[tuple[np.ndarray, tuple[int, ...], tuple[int, ...], str]] = []
        self.contracted: list[tuple[np.ndarray, frozenset[Site]]] = []
        self.terms: list[Term] = []  # multiply-adds
        self.outputs: list[Term] = []  # elements that convolutions and linear layers put out
        self.producers: dict[Site, None] = {}
        self.consumers: dict[Site, None] = {}
        self.remarks: dict[str, None] = {}  # notes on what belongs to no group
        self.single = False  # whether the model puts out a tensor without ids, such as one channel's

    def allocate(self, size: int) -> Tensor:
        """``size`` fresh ids."""
        ids = torch.from_numpy(np.arange(self.count, self.count + size))
        self.count += size
        return ids

    def parameter(self, name: str, shape: Sequence[int]) -> Value:
        """Label every dimension of a parameter or buffer. A dimension of size 1 has no channels to tell apart."""
        planes = []
        for dim, size in enumerate(shape):
            if size > 1:
                self.dims[(name, dim)] = (self.count, size)
                planes.append(place(self.allocate(size), dim, shape))
        self.rank[name] = len(shape)
        return Value(planes, source=name)

    def constant(self, shape: Sequence[int], reason: str, skip: Sequence[int] = ()) -> list[Tensor]:
        """Planes of a tensor whose sizes are given from outside: fresh ids that are all frozen."""
        planes = []
        for axis, size in enumerate(shape):
            if size > 1 and axis not in skip:
                ids = self.allocate(size)
                self.frozen.append((ids.numpy(), reason))
                planes.append(place(ids, axis, shape))
        return planes

    def sites_of(self, plane: Tensor, source: str) -> list[Site]:
        """The dimensions of parameter ``source`` whose ids the plane holds."""
        low, high = (int(x) for x in core(plane).aminmax())
        found = []
        for dim in range(self.rank[source]):
            start, size = self.dims.get((source, dim), (0, 0))
            if size and low < start + size and start <= high:
                found.append((source, dim))
        return found

    def tie(self, a: Tensor, b: Tensor) -> None:
        """Demand that elements at the same place belong to one unit (id 0 is passed over)."""
        a, b = core(a), core(b)
        if a.shape != b.shape:
            a, b = torch.broadcast_tensors(a, b)
        pairs = torch.stack([a, b]).view(2, -1).numpy()
        if pairs.size > 8192:
            pairs = np.stack(np.divmod(np.unique(pairs[0] * self.count + pairs[1]), self.count))
        self.ties.append(pairs)

    def tie_along(self, plane: Tensor, axes: Collection[int]) -> Tensor:
        """Tie all ids along ``axes``; return the plane narrowed to size 1 there."""
        small = collapse(plane, axes)
        if small is not plane:
            self.tie(plane, small)
        return small

    def put_out(self, shape: Sequence[int], planes: Sequence[Tensor]) -> None:
        """Tell that the model puts a tensor out, whose ids keep their number."""
        self.single |= (len(shape) > 1 and shape[1] == 1) or not any(varying(plane) for plane in planes)
        for plane in planes:
            self.freeze(plane, OUTPUT)

    def freeze(self, plane: Tensor, reason: str) -> None:
        """Demand that the ids keep their number."""
        self.frozen.append((np.unique(core(plane).numpy()), reason))

    def make_rigid(self, plane: Tensor, reason: str) -> None:
        """Demand that no channel is removed by itself: a constant position depends on their order."""
        self.rigid.append((np.unique(core(plane).numpy()), reason))

    def split(self, plane: Tensor, axes: Sequence[int], allowed: Sequence[int], reason: str) -> None:
        """A channel axis was cut into ``axes``: whole slices along one of ``allowed`` may go, nothing else."""
        self.splits.append((core(plane).numpy(), tuple(axes), tuple(allowed), reason))

    def contract(self, planes: Sequence[Tensor], sites: frozenset[Site] | None, reason: str) -> None:
        """The ids are summed over by an operation without parameters of its own."""
        for plane in planes:
            if sites is None:
                self.freeze(plane, f"{reason} of a value that does not vanish with its parameters")
            else:
                self.contracted.append((np.unique(core(plane).numpy()), sites))

    def term(self, module: str, flops: int, axes: Sequence[tuple[Value, Tensor, int]]) -> None:
        """Count ``flops`` multiply-adds of an operation whose cost is the product of the given axes' sizes."""
        self.terms.append((module, flops, self._forms(axes)))

    def output(self, module: str, elements: int, axes: Sequence[tuple[Value, Tensor, int]]) -> None:
        """Count the ``elements`` of a layer's output, whose number is the product of the given axes' sizes."""
        self.outputs.append((module, elements, self._forms(axes)))

    @staticmethod
    def _forms(axes: Sequence[tuple[Value, Tensor, int]]) -> list[tuple[list[np.ndarray], int]]:
        forms: list[tuple[list[np.ndarray], int]] = []
        for value, tensor, axis in axes:
            planes = [p for p in value.planes if p.stride(axis) and axis in varying(p)]
            lines = [collapse(p, [a for a in range(p.ndim) if a != axis]).reshape(-1) for p in planes]
            forms.append(([line.numpy().copy() for line in lines], tensor.shape[axis]))
        return forms
