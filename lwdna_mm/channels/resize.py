"""resize(): one routine that widens and shrinks a network to a plan; verify() proves the result.

Values are carried over by channel, not by position: the resized network is traced again, and where its
labels say that channel n of a group lies is where that channel's values go. So rolls, shuffles and
concatenations come out right without a rule for each.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from lwdna_mm.channels.attributes import adjust_attributes, initialize
from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.graph import ChannelGraph, ChannelGroup
from lwdna_mm.channels.labels import Site
from lwdna_mm.channels.plan import ChannelPlan
from lwdna_mm.errors import UserError

Sources = dict[str, list[int]]


class ResizeError(UserError):
    """A network that does not come out as planned.

    Attributes:
        group: the channel group at fault, where one could be found.
    """

    def __init__(self, message: str, group: str | None = None) -> None:
        super().__init__(message)
        self.group = group


def resize(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan, inherit: bool = True) -> nn.Module:
    """A new module of the same class whose channel groups have the widths of ``plan``.

    Args:
        model: the module that ``graph`` was made from; it is left as it is.
        inherit: keep the values of the channels (a repeated channel is a copy), or re-initialise the
            network by its layers' ``reset_parameters`` and then its own ``init_weights``.

    Raises:
        PlanError: if the plan does not fit the graph.
        ResizeError: if the resized network does not run, or is not what the plan says; it names the group.
    """
    from lwdna_mm.channels.verify import check

    sources = graph.resolve(plan)
    resized = named_failure(model, graph, sources)
    check(model, graph, sources, resized)
    if not inherit:
        initialize(resized)
    return resized


def verify(model: nn.Module, graph: ChannelGraph, plan: ChannelPlan) -> None:
    """Prove that ``model`` can be resized to ``plan``: it runs, has the planned FLOPs and parameters, and
    computes what ``model`` computes with the removed channels (or the repeats) masked.

    Raises:
        PlanError, ResizeError: as :func:`resize`.
    """
    resize(model, graph, plan)


def named_failure(model: nn.Module, graph: ChannelGraph, sources: Sources) -> nn.Module:
    """The resized network; where it fails, the error names the first group that fails by itself."""
    try:
        return build_resized(model, graph, sources)
    except Exception as error:
        for name, kept in sources.items():
            try:
                build_resized(model, graph, {name: kept})
            except Exception as own:
                width = f"{graph.groups[name].width} to {len(kept)}"
                raise ResizeError(f"resized from {width} channels, group '{name}' fails: {_brief(own)}", name) from own
        raise ResizeError(f"the resized network fails: {_brief(error)}") from error


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def build_resized(model: nn.Module, graph: ChannelGraph, sources: Sources) -> nn.Module:
    """Resize without the final proof.

    A dim of one channel cannot be told from a broadcast one, so groups that shrink to a single channel
    are traced with two, and the second is dropped.
    """
    probe = {name: kept if len(kept) > 1 else kept * 2 for name, kept in sources.items()}
    shaped = _with_shapes(model, graph, {name: len(kept) for name, kept in probe.items()})
    traced = build_graph(shaped, graph.tracing)
    indices = {}
    for site in _sites(graph, probe):
        indices[site] = _index(site, graph, traced, sources, probe)
    resized = copy.deepcopy(model)
    for name, owners in _owners(resized).items():
        dims = [dim for dim in range(_tensor(resized, name).ndim) if (name, dim) in indices]
        if dims:
            tensor = _tensor(resized, name)
            for dim in dims:
                tensor = tensor.index_select(dim, torch.from_numpy(indices[(name, dim)]).to(tensor.device))
            _assign(owners, tensor)
    adjust_attributes(resized, model, graph.tracing.whole)
    return resized


def _sites(graph: ChannelGraph, sources: Sources) -> list[Site]:
    """All parameter dims that change."""
    return list(dict.fromkeys(site for name in sources for site in graph.groups[name].members))


def _with_shapes(model: nn.Module, graph: ChannelGraph, widths: dict[str, int]) -> nn.Module:
    """A copy whose parameters have the shapes of the plan, and values of no meaning."""
    changes: dict[Site, int] = {}
    for name, width in widths.items():
        for site, positions in graph.groups[name].members.items():
            changes[site] = changes.get(site, 0) + (width - len(positions)) * positions.shape[1]
    shaped = copy.deepcopy(model)
    for name, owners in _owners(shaped).items():
        tensor = _tensor(shaped, name)
        shape = [size + changes.get((name, dim), 0) for dim, size in enumerate(tensor.shape)]
        if shape != list(tensor.shape):
            _assign(owners, tensor.new_ones(shape))
    adjust_attributes(shaped, model, graph.tracing.whole)
    return shaped


def _index(site: Site, graph: ChannelGraph, traced: ChannelGraph, sources: Sources, probe: Sources) -> np.ndarray:
    """For each position along the new dim, the old position that its values come from."""
    old: list[np.ndarray] = []
    new: list[np.ndarray] = []
    for name, group in graph.groups.items():
        if site not in group.members:
            continue
        before = group.members[site]
        kept = probe.get(name, range(group.width))
        after = _matching(name, site, group, traced, len(kept))
        drop = name in sources and len(sources[name]) < len(kept)
        old.append(before[list(kept)].reshape(-1))
        new.append(np.where(np.arange(len(kept))[:, None] > 0, -1, after).reshape(-1) if drop else after.reshape(-1))
    old_all, new_all = np.concatenate(old), np.concatenate(new)
    fixed_old = np.setdiff1d(np.arange(graph.sizes[site]), _covered_old(site, graph))
    if len(fixed_old):
        # Positions of frozen units, in order: what the groups leave over in the new dim.
        total = len(fixed_old) + sum(a.size for a in new)
        dropped = _dropped(site, traced, sources, probe)
        left = np.setdiff1d(np.arange(total), np.concatenate([new_all[new_all >= 0], dropped]))
        old_all, new_all = np.concatenate([old_all, fixed_old]), np.concatenate([new_all, left])
    alive = new_all >= 0
    return old_all[alive][np.argsort(new_all[alive], kind="stable")]


def _matching(name: str, site: Site, group: ChannelGroup, traced: ChannelGraph, width: int) -> np.ndarray:
    """The positions of the same group in the traced resized network."""
    other = traced.groups.get(name)
    if other is None or other.width != width or site not in other.members or other.rigid != group.rigid:
        raise ResizeError(f"its channels are coupled otherwise in the resized network ('{name}', {site[0]})", name)
    positions = other.members[site]
    if positions.shape[1] != group.members[site].shape[1]:
        raise ResizeError(f"its channels are coupled otherwise in the resized network ('{name}', {site[0]})", name)
    return positions


def _dropped(site: Site, traced: ChannelGraph, sources: Sources, probe: Sources) -> np.ndarray:
    lost = [
        traced.groups[name].members[site][len(kept) :].reshape(-1)
        for name, kept in sources.items()
        if len(kept) < len(probe[name]) and site in traced.groups[name].members
    ]
    return np.concatenate(lost) if lost else np.zeros(0, np.int64)


def _covered_old(site: Site, graph: ChannelGraph) -> np.ndarray:
    return np.concatenate([g.members[site].reshape(-1) for g in graph.groups.values() if site in g.members])


def _owners(model: nn.Module) -> dict[str, list[tuple[nn.Module, str]]]:
    """For every parameter and buffer, under its first name, all the places that hold it."""
    first: dict[int, str] = {}
    owners: dict[str, list[tuple[nn.Module, str]]] = {}
    for path, module in model.named_modules():
        for key, tensor in [*module._parameters.items(), *module._buffers.items()]:
            if tensor is not None:
                name = first.setdefault(id(tensor), f"{path}.{key}" if path else key)
                owners.setdefault(name, []).append((module, key))
    return owners


def _tensor(model: nn.Module, name: str) -> Tensor:
    path, _, key = name.rpartition(".")
    return getattr(model.get_submodule(path), key)


def _assign(owners: list[tuple[nn.Module, str]], tensor: Tensor) -> None:
    """Put a tensor where a parameter or buffer was, shared as it was."""
    old = getattr(*owners[0])
    new = tensor.detach().clone()
    if isinstance(old, nn.Parameter):
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    for module, key in owners:
        (module._parameters if isinstance(old, nn.Parameter) else module._buffers)[key] = new
