"""Where the values of a resized network come from.

Values are carried over by channel, not by position: a network of the planned shapes is traced, and where
its labels say that channel n of a group lies is where that channel's values go. So rolls, shuffles and
concatenations come out right without a rule for each.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from lwdna_mm.channels.attributes import adjust_attributes
from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.tracing.labels import Site
from lwdna_mm.errors import UserError

Sources = dict[str, list[int]]
"""For every group that changes, the old channel that each new one is taken from, sorted."""


class ResizeError(UserError):
    """A network that does not come out as planned.

    Attributes:
        group: the channel group at fault, where one could be found.
    """

    def __init__(self, message: str, group: str | None = None) -> None:
        super().__init__(message)
        self.group = group


class Transfer:
    """For every parameter dim that changes, the old position behind each new one.

    A dim of one channel cannot be told from a broadcast one, so a group that shrinks to a single channel
    is traced with two, and the second is dropped.

    Args:
        model: the network that ``graph`` describes.
        sources: what to resize it to, see :meth:`ChannelGraph.resolve`.

    Attributes:
        traced: the graph of the network of the planned shapes.
        widths: the widths it was traced at.

    Raises:
        ResizeError: if the channels of the resized network are coupled otherwise.
    """

    def __init__(self, model: nn.Module, graph: ChannelGraph, sources: Sources) -> None:
        self.graph = graph
        self.sources = sources
        self.widths = {name: max(2, len(kept)) for name, kept in sources.items()}
        self.traced = build_graph(self._shaped(model), graph.tracing)
        sites = dict.fromkeys(site for name in sources for site in graph.groups[name].members)
        self.origin = {site: self._origin(site) for site in sites}

    def apply(self, model: nn.Module) -> nn.Module:
        """A resized copy of ``model``, whose parameters have the shapes of the original's."""
        resized = copy_structure(model)
        for name, owners in owners_of(resized).items():
            tensor = getattr(*owners[0])
            for dim in range(tensor.ndim):
                if (name, dim) in self.origin:
                    origin = self.origin[(name, dim)]
                    tensor = tensor.index_select(dim, torch.from_numpy(origin[origin >= 0]).to(tensor.device))
            assign(owners, tensor.detach().clone())
        adjust_attributes(resized, model, self.graph.tracing.whole)
        return resized

    def positions(self, name: str, site: Site) -> np.ndarray:
        """Where the channels of a group lie in the resized network: (width, multiplicity)."""
        origin = self.origin[site]
        final = np.cumsum(origin >= 0) - 1
        return final[self._traced_positions(name, site)[: len(self.sources[name])]]

    def _shaped(self, model: nn.Module) -> nn.Module:
        """A copy with parameters of the planned shapes and values of no meaning."""
        growth: dict[Site, int] = {}
        for name, width in self.widths.items():
            for site, positions in self.graph.groups[name].members.items():
                growth[site] = growth.get(site, 0) + (width - len(positions)) * positions.shape[1]
        shaped = copy_structure(model)
        for name, owners in owners_of(shaped).items():
            tensor = getattr(*owners[0])
            shape = [size + growth.get((name, dim), 0) for dim, size in enumerate(tensor.shape)]
            if shape != list(tensor.shape):
                assign(owners, tensor.new_ones(shape))
        adjust_attributes(shaped, model, self.graph.tracing.whole)
        return shaped

    def _origin(self, site: Site) -> np.ndarray:
        """Old positions in the order of the traced network's; -1 where one is to be dropped."""
        origin: dict[int, int] = {}
        rest = np.ones(self.graph.sizes[site], bool)
        for name, group in self.graph.groups.items():
            if site not in group.members:
                continue
            before = group.members[site]
            rest[before.reshape(-1)] = False
            kept = self.sources.get(name, list(range(group.width)))
            after = self._traced_positions(name, site)
            origin.update(zip(after[: len(kept)].reshape(-1).tolist(), before[kept].reshape(-1).tolist(), strict=True))
            origin.update(dict.fromkeys(after[len(kept) :].reshape(-1).tolist(), -1))
        # Frozen channels keep their order in the places that are left over.
        left = [p for p in range(len(origin) + int(rest.sum())) if p not in origin]
        origin.update(zip(left, np.flatnonzero(rest).tolist(), strict=True))
        return np.array([origin[p] for p in range(len(origin))], np.int64)

    def _traced_positions(self, name: str, site: Site) -> np.ndarray:
        before = self.graph.groups[name]
        after = self.traced.groups.get(name)
        same = after is not None and (after.width, after.rigid, after.members.keys()) == (
            self.widths.get(name, before.width),
            before.rigid,
            before.members.keys(),
        )
        if not same or after.members[site].shape[1] != before.members[site].shape[1]:
            raise ResizeError(f"the channels of group '{name}' are coupled otherwise in the resized network", name)
        return after.members[site]


def copy_structure(model: nn.Module) -> nn.Module:
    """A deep copy that shares the parameters and buffers, which are to be replaced, not changed."""
    shared = {id(t): t for t in [*model.parameters(), *model.buffers()]}
    return copy.deepcopy(model, shared)


def owners_of(model: nn.Module) -> dict[str, list[tuple[nn.Module, str]]]:
    """For every parameter and buffer, under its first name, all the places that hold it."""
    first: dict[int, str] = {}
    owners: dict[str, list[tuple[nn.Module, str]]] = {}
    for path, module in model.named_modules():
        for key, tensor in [*module._parameters.items(), *module._buffers.items()]:
            if tensor is not None:
                name = first.setdefault(id(tensor), f"{path}.{key}" if path else key)
                owners.setdefault(name, []).append((module, key))
    return owners


def assign(owners: list[tuple[nn.Module, str]], tensor: Tensor) -> None:
    """Put a tensor where a parameter or buffer was, shared by all its owners."""
    old = getattr(*owners[0])
    new = nn.Parameter(tensor, requires_grad=old.requires_grad) if isinstance(old, nn.Parameter) else tensor
    for module, key in owners:
        (module._parameters if isinstance(old, nn.Parameter) else module._buffers)[key] = new
