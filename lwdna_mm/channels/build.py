"""From what a trace demands of the channel ids to channel groups."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import nn

from lwdna_mm.channels.complexity import Axis, Complexity, Polynomial
from lwdna_mm.channels.graph import AnalysisError, ChannelGraph, ChannelGroup, Tracing
from lwdna_mm.channels.labels import Recorder, Site
from lwdna_mm.channels.suggest import closest
from lwdna_mm.channels.trace import trace


def build_graph(model: nn.Module, tracing: Tracing) -> ChannelGraph:
    """Trace the model and form its channel groups."""
    return trace_graph(model, tracing)[0]


def trace_graph(model: nn.Module, tracing: Tracing) -> tuple[ChannelGraph, Any]:
    """Like :func:`build_graph`, with the model's output."""
    recorder, output = trace(model, tracing.inputs, tracing.forward, tracing.amortized, tracing.whole)
    return _Builder(recorder, model, tracing).graph(), output


def _module_of(site: Site) -> str:
    path, _, last = site[0].rpartition(".")
    return path if path and last in ("weight", "bias") else site[0]


class _Builder:
    """Evaluates a recorder: ids tied together are a unit, units with equal membership a group."""

    def __init__(self, recorder: Recorder, model: nn.Module, tracing: Tracing) -> None:
        self.recorder = recorder
        self.model = model
        self.tracing = tracing
        self.unit = self._units()
        self.positions = self._positions()
        self.rigid = self._reasons(recorder.rigid)
        self._evaluate_splits()
        self.frozen = self._reasons(recorder.frozen)
        self.contracted: dict[int, frozenset[Site]] = {}
        for ids, sites in recorder.contracted:
            for unit in np.unique(self.unit[ids]).tolist():
                self.contracted[unit] = self.contracted.get(unit, frozenset()) | sites

    def _units(self) -> np.ndarray:
        """The unit of every id."""
        ties = np.concatenate(self.recorder.ties) if self.recorder.ties else np.zeros((0, 2), np.int64)
        size = self.recorder.count
        graph = coo_array((np.ones(len(ties), np.int8), (ties[:, 0], ties[:, 1])), (size, size))
        return connected_components(graph, directed=False)[1]

    def _positions(self) -> dict[int, dict[Site, list[int]]]:
        """Where each unit lies: unit -> site -> positions along the dim."""
        positions: dict[int, dict[Site, list[int]]] = defaultdict(dict)
        for site, (start, size) in self.recorder.dims.items():
            for index, unit in enumerate(self.unit[start : start + size].tolist()):
                positions[unit].setdefault(site, []).append(index)
        return positions

    def _reasons(self, marks: list[tuple[np.ndarray, str]]) -> dict[int, str]:
        reasons: dict[int, str] = {}
        for ids, reason in marks:
            for unit in np.unique(self.unit[ids[ids != 0]]).tolist():
                reasons.setdefault(unit, reason)
        return reasons

    def _evaluate_splits(self) -> None:
        """A cut channel axis is harmless where whole slices along one of its parts are units."""
        for plane, axes, allowed, reason in self.recorder.splits:
            units = self.unit[plane]
            uneven = [a for a in axes if (units != units.take([0], a)).any()]
            if len(uneven) > 1 or any(a not in allowed for a in uneven):
                for unit in np.unique(units[plane != 0]).tolist():
                    self.rigid.setdefault(unit, reason)

    def graph(self) -> ChannelGraph:
        """Groups, notes and complexity."""
        signatures: dict[tuple, list[int]] = defaultdict(list)
        for unit, sites in self.positions.items():
            signature = (
                tuple((site, len(where)) for site, where in sites.items()),
                self.frozen.get(unit),
                self.rigid.get(unit),
                self.contracted.get(unit),
            )
            signatures[signature].append(unit)
        groups: dict[str, ChannelGroup] = {}
        frozen: dict[str, str] = {}
        notes: dict[str, None] = {}
        taken: dict[str, int] = {}
        members: dict[str, list[int]] = {}
        for (sites, why_frozen, why_rigid, _), units in signatures.items():
            if not any(site in self.recorder.producers for site, _ in sites):
                continue  # no layer makes these: the sides of a kernel, the channels of an input
            group = self._group([site for site, _ in sites], units, bool(why_rigid), taken)
            why_frozen = why_frozen or self._kept(group)
            if why_frozen is None and group.width == 1:
                why_frozen = "all its channels are tied into one"
            if why_frozen is None:
                groups[group.name] = group
                members[group.name] = units
                if why_rigid:
                    notes[f"'{group.name}' ({group.width} channels) is rigid: {why_rigid}"] = None
            else:
                frozen[group.name] = why_frozen
                notes[f"'{group.name}' ({group.width} channels) is frozen: {why_frozen}"] = None
        self._check_keep(groups, frozen)
        complexity = self._complexity({n: members[n] for n, g in groups.items() if not g.rigid})
        sizes = {site: size for site, (_, size) in self.recorder.dims.items()}
        return ChannelGraph(groups, frozen, list(notes), complexity, self.tracing, sizes)

    def _group(self, sites: list[Site], units: list[int], rigid: bool, taken: dict[str, int]) -> ChannelGroup:
        producers = tuple(s for s in self.recorder.producers if s in sites)
        first = next((s for s in sites if s in self.recorder.producers), sites[0])
        units.sort(key=lambda unit: self.positions[unit][first][0])
        name = _module_of(first)
        taken[name] = taken.get(name, 0) + 1
        name = name if taken[name] == 1 else f"{name}:{taken[name]}"
        consumers = tuple(s for s in self.recorder.consumers if s in sites)
        scaling = self.contracted.get(units[0], frozenset())
        gated = [*consumers, *(s for s in sites if s in scaling and s not in consumers)]
        members = {site: np.array([self.positions[unit][site] for unit in units]) for site in sites}
        return ChannelGroup(name, len(units), members, producers, consumers, tuple(gated), rigid, bool(scaling))

    def _kept(self, group: ChannelGroup) -> str | None:
        modules = {_module_of(site) for site in group.producers} | {group.name}
        return "kept as asked" if modules & set(self.tracing.keep) else None

    def _check_keep(self, groups: dict[str, ChannelGroup], frozen: dict[str, str]) -> None:
        known = {name for name, _ in self.model.named_modules()} | set(groups) | set(frozen)
        for name in self.tracing.keep:
            if name not in known:
                raise AnalysisError(f"keep: the model has no group or module '{name}'{closest(name, known)}")

    def _complexity(self, free: dict[str, list[int]]) -> Complexity:
        group_of = {unit: column for column, units in enumerate(free.values()) for unit in units}

        def axis(ids: np.ndarray) -> Axis | None:
            units = self.unit[ids]
            if (units == units[0]).all():
                return None
            weights: dict[int, int] = defaultdict(int)
            columns = [group_of.get(unit) for unit in units.tolist()]
            for column in columns:
                if column is not None:
                    weights[column] += 1
            if not weights:
                return None
            counted = {column: count // len(list(free.values())[column]) for column, count in weights.items()}
            return Axis(counted, columns.count(None))

        def term(cost: int, axes: list[tuple[np.ndarray | None, int]]) -> tuple[int, list[Axis]]:
            factors = []
            for ids, size in axes:
                factor = axis(ids) if ids is not None else None
                if factor is not None:
                    factors.append(factor)
                    cost //= size
            return cost, factors

        flops = [term(cost, axes) for cost, axes in self.recorder.terms]
        params = []
        for name, parameter in self.model.named_parameters():
            spans = [self.recorder.dims.get((name, dim)) for dim in range(parameter.ndim)]
            axes = [(np.arange(s[0], s[0] + s[1]), s[1]) for s in spans if s is not None]
            params.append(term(parameter.numel(), axes))
        return Complexity(Polynomial(flops, len(free)), Polynomial(params, len(free)))
