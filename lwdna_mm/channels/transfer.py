"""Where the values of a resized network come from.

Values are carried over by channel, not by position: a network of the planned shapes is traced, and where
its labels say that channel n of a group lies is where that channel's values go. So rolls, shuffles and
concatenations come out right without a rule for each.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from lwdna_mm.channels.attributes import adjust_attributes
from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.graph import ChannelGraph
from lwdna_mm.channels.structure import assign, copy_shapes, copy_structure, owners_of
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
        groups_at: dict[Site, list[str]] = {}
        for name, group in graph.groups.items():
            for site in group.members:
                groups_at.setdefault(site, []).append(name)
        sites = dict.fromkeys(site for name in sources for site in graph.groups[name].members)
        for name in dict.fromkeys(name for site in sites for name in groups_at[site]):
            self._check_coupling(name)
        self.origin = {site: self._origin(site, groups_at[site]) for site in sites}

    def apply(self, model: nn.Module) -> nn.Module:
        """A resized copy of ``model``, whose parameters have the shapes of the original's."""
        resized = copy_structure(model)
        for name, owners in owners_of(resized).items():
            tensor = getattr(*owners[0]).detach()
            changed = False
            for dim in range(tensor.ndim):
                if (name, dim) in self.origin:
                    origin = self.origin[(name, dim)]
                    tensor = tensor.index_select(dim, torch.from_numpy(origin[origin >= 0]).to(tensor.device))
                    changed = True
            assign(owners, tensor if changed else tensor.clone())
        adjust_attributes(resized, model, self.graph.tracing.whole)
        return resized

    def positions(self, name: str, site: Site) -> np.ndarray:
        """Where the channels of a group lie in the resized network: (width, multiplicity)."""
        origin = self.origin[site]
        final = np.cumsum(origin >= 0) - 1
        return final[self.traced.groups[name].members[site][: len(self.sources[name])]]

    def _shaped(self, model: nn.Module) -> nn.Module:
        """A copy with parameters of the planned shapes, which have values, of no meaning, only if they must."""
        growth: dict[Site, int] = {}
        for name, width in self.widths.items():
            for site, positions in self.graph.groups[name].members.items():
                growth[site] = growth.get(site, 0) + (width - len(positions)) * positions.shape[1]
        shaped = copy_structure(model) if self.graph.tracing.values else copy_shapes(model)
        for name, owners in owners_of(shaped).items():
            tensor = getattr(*owners[0])
            shape = [size + growth.get((name, dim), 0) for dim, size in enumerate(tensor.shape)]
            if shape != list(tensor.shape):
                assign(owners, tensor.new_ones(shape))
        adjust_attributes(shaped, model, self.graph.tracing.whole)
        return shaped

    def _origin(self, site: Site, groups: list[str]) -> np.ndarray:
        """Old positions in the order of the traced network's; -1 where one is to be dropped."""
        rest = np.ones(self.graph.sizes[site], bool)
        moves = []
        for name in groups:
            before, after = self.graph.groups[name].members[site], self.traced.groups[name].members[site]
            rest[before.reshape(-1)] = False
            kept = self.sources.get(name, slice(None))
            moved = np.full(after.shape, -1)
            moved[: len(before[kept])] = before[kept]
            moves.append((after, moved))
        origin = np.full(sum(after.size for after, _ in moves) + int(rest.sum()), -2)
        for after, moved in moves:
            origin[after] = moved
        # Frozen channels keep their order in the places that are left over.
        origin[origin == -2] = np.flatnonzero(rest)
        return origin

    def _check_coupling(self, name: str) -> None:
        before, after = self.graph.groups[name], self.traced.groups.get(name)
        width = self.widths.get(name, before.width)
        same = (
            after is not None
            and (after.width, after.rigid, after.members.keys()) == (width, before.rigid, before.members.keys())
            and all(after.members[site].shape[1] == index.shape[1] for site, index in before.members.items())
        )
        if not same:
            raise ResizeError(f"the channels of group '{name}' are coupled otherwise in the resized network", name)
