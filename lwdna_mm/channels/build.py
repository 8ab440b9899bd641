"""From what a trace demands of the channel ids to channel groups."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import nn

from lwdna_mm.channels.complexity import Axis, Complexity, LayerTerm
from lwdna_mm.channels.garbage import uncollected
from lwdna_mm.channels.graph import ChannelGraph, ChannelGroup, Tracing
from lwdna_mm.channels.suggest import closest
from lwdna_mm.channels.tracing.labels import OUTPUT, Recorder, Site
from lwdna_mm.channels.tracing.trace import AnalysisError, trace


@uncollected()
def build_graph(model: nn.Module, tracing: Tracing) -> ChannelGraph:
    """Trace the model and form its channel groups."""
    recorder, program = trace(model, tracing.inputs, tracing.forward, tracing.amortized, tracing.whole, tracing.values)
    return _Builder(recorder, model, tracing).graph(program)


def _module_of(site: Site) -> str:
    path, _, last = site[0].rpartition(".")
    return path if path and last in ("weight", "bias") else site[0]


class _Builder:
    """Evaluates a recorder: ids tied together are a unit, units with equal membership a group."""

    def __init__(self, recorder: Recorder, model: nn.Module, tracing: Tracing) -> None:
        self.recorder = recorder
        self.model = model
        self.parameters = dict(model.named_parameters())
        self.tracing = tracing
        self.unit, self.count = self._units()
        self.sites = list(recorder.dims)
        self.rigid = self._mark(recorder.rigid)
        self._evaluate_splits()
        self.frozen = self._mark(recorder.frozen)
        self._freeze_products()
        self.contracted = self._mark([(ids, "") for ids, _ in recorder.contracted])
        self.kept: set[str] = set()  # names in ``keep`` that a group was found for

    def _units(self) -> tuple[np.ndarray, int]:
        """The unit of every id, and their number. Id 0 is a unit by itself."""
        ties = np.concatenate([np.zeros((2, 0), np.int64), *self.recorder.ties], axis=1)
        ties = ties[:, ties.all(0)]
        size = self.recorder.count
        graph = coo_array((np.ones(ties.shape[1], np.int8), tuple(ties)), (size, size))
        count, unit = connected_components(graph, directed=False)
        return unit, count

    def _mark(self, marks: list[tuple[np.ndarray, str]]) -> np.ndarray:
        """For every unit the index of the first mark that concerns it, or -1."""
        first = np.full(self.count, -1)
        for index in range(len(marks) - 1, -1, -1):
            ids = marks[index][0]
            first[self.unit[ids[ids != 0]]] = index
        return first

    def _evaluate_splits(self) -> None:
        """A cut channel axis is harmless where whole slices along one of its parts are units."""
        for plane, axes, allowed, reason in self.recorder.splits:
            units = self.unit[plane]
            uneven = [a for a in axes if (units != units.take([0], a)).any()]
            if len(uneven) > 1 or any(a not in allowed for a in uneven):
                ids = np.unique(plane)
                self.rigid[self.unit[ids[ids != 0]]] = len(self.recorder.rigid)
                self.recorder.rigid.append((ids, reason))

    def _freeze_products(self) -> None:
        """Freeze kinds of channels that lie along one counted axis, as in a row that holds a whole kernel: its size is
        no sum of widths."""
        changing = self._made() & (self.frozen < 0) & (self.rigid < 0)
        for module, _, axes in [*self.recorder.terms, *self.recorder.outputs]:
            for lines in (lines for lines, _ in axes if len(lines) > 1):
                kinds = {units.tobytes(): units for units in (self.unit[line] for line in lines)}.values()
                free = [units for units in kinds if changing[units].any() and (units != units[0]).any()]
                if len(free) > 1:
                    self.frozen[np.concatenate(free)] = len(self.recorder.frozen)
                    changing[np.concatenate(free)] = False
                    reason = f"channels of several kinds lie along one axis in module '{module}'"
                    self.recorder.frozen.append((np.concatenate(lines), reason))

    def _signatures(self) -> list[tuple[np.ndarray, list[tuple[int, slice]], np.ndarray]]:
        """Units by equal membership: for each kind the units, its sites with the columns of a table of
        positions, and that table (units x columns). What no layer makes, such as the sides of a kernel and the
        channels of an input, is left out."""
        spans = np.array(list(self.recorder.dims.values()), np.int64).reshape(-1, 2)
        site = np.repeat(np.arange(len(spans)), spans[:, 1])
        position = np.arange(len(site)) - np.repeat(np.cumsum(spans[:, 1]) - spans[:, 1], spans[:, 1])
        unit = self.unit[spans[site, 0] + position]
        order = np.argsort(unit, kind="stable")  # within a unit, by site and position
        order = order[self._made()[unit[order]]]
        unit, site, position = unit[order], site[order], position[order]
        starts = np.flatnonzero(np.diff(unit, prepend=-1))
        found = []
        for rows in self._kinds(unit[starts], site, starts):
            first = starts[rows[0]]
            width = (starts[rows[0] + 1] if rows[0] + 1 < len(starts) else len(unit)) - first
            own, begin = np.unique(site[first : first + width], return_index=True)
            stops = np.append(begin[1:], width)
            columns = [(int(s), slice(b, e)) for s, b, e in zip(own, begin, stops, strict=True)]
            found.append((unit[starts[rows]], columns, position[starts[rows][:, None] + np.arange(width)]))
        return sorted(found, key=lambda kind: (kind[1][0][0], kind[2][0, 0]))

    def _made(self) -> np.ndarray:
        """For every unit whether a layer makes it."""
        made = np.zeros(self.count, bool)
        for start, size in (self.recorder.dims[site] for site in self.recorder.producers):
            made[self.unit[start : start + size]] = True
        return made

    def _kinds(self, units: np.ndarray, site: np.ndarray, starts: np.ndarray) -> list[np.ndarray]:
        """The rows of equal sites and marks; row i is of unit ``units[i]`` and begins at ``site[starts[i]]``."""
        if not len(units):
            return []
        marks = np.stack([self.frozen[units], self.rigid[units], self.contracted[units]], 1)
        lengths = np.diff(starts, append=len(site))
        # Most rows are like the one before.
        before = np.arange(len(site)) - np.repeat(lengths, lengths)
        same = np.logical_and.reduceat(site == site[before], starts)
        same[1:] &= (lengths[1:] == lengths[:-1]) & (marks[1:] == marks[:-1]).all(1)
        same[0] = False
        kinds: dict[tuple, list[np.ndarray]] = {}
        for run in np.split(np.arange(len(units)), np.flatnonzero(~same)[1:]):
            first = starts[run[0]]
            sites = site[first : first + lengths[run[0]]]
            kinds.setdefault((sites.tobytes(), marks[run[0]].tobytes()), []).append(run)
        return [np.concatenate(runs) for runs in kinds.values()]

    def graph(self, program: list[tuple]) -> ChannelGraph:
        """Groups, notes and complexity."""
        groups: dict[str, ChannelGroup] = {}
        frozen: dict[str, str] = {}
        notes: dict[str, None] = {}
        taken: dict[str, int] = {}
        column_of = np.full(self.count, -1)
        free = 0
        for units, columns, table in self._signatures():
            group = self._group(units, columns, table, taken)
            why_frozen = self._why_frozen(group, int(units[0]))
            if why_frozen is not None:
                frozen[group.name] = why_frozen
                notes[f"'{group.name}' ({group.width} channels) is frozen: {why_frozen}"] = None
                continue
            groups[group.name] = group
            if group.rigid:
                reason = self.recorder.rigid[self.rigid[units[0]]][1]
                notes[f"'{group.name}' ({group.width} channels) is rigid: {reason}"] = None
            else:
                column_of[units] = free
                free += 1
        self._check_keep(groups, frozen)
        for name, parameter in self.parameters.items():
            if name not in self.recorder.rank and parameter.ndim > 0:
                notes[f"'{name}' keeps its shape: the traced pass, in eval mode, does not use it"] = None
        notes.update(dict.fromkeys(self.recorder.remarks))
        complexity = self._complexity(column_of, [g.width for g in groups.values() if not g.rigid])
        sizes = {site: size for site, (_, size) in self.recorder.dims.items()}
        last = self._last(groups)
        return ChannelGraph(groups, frozen, list(notes), complexity, last, self.tracing, sizes, program)

    def _last(self, groups: dict[str, ChannelGroup]) -> tuple[str, ...]:
        """The groups that layers read whose outputs the model puts out."""
        put_out = np.zeros(self.count, bool)
        for ids, reason in self.recorder.frozen:
            if reason == OUTPUT:
                put_out[self.unit[ids[ids != 0]]] = True
        spans = {site: self.recorder.dims[site] for site in self.recorder.producers}
        layers = {site[0] for site, (start, size) in spans.items() if put_out[self.unit[start : start + size]].any()}
        if self.recorder.single:
            # A layer of one output channel makes no ids, so that it cannot be told whether they are put out.
            layers |= {name for name, _ in self.recorder.consumers} - {name for name, _ in spans}
        return tuple(name for name, group in groups.items() if any(site[0] in layers for site in group.consumers))

    def _group(
        self, units: np.ndarray, columns: list[tuple[int, slice]], table: np.ndarray, taken: dict[str, int]
    ) -> ChannelGroup:
        made = [(index, span) for index, span in columns if self.sites[index] in self.recorder.producers]
        order = np.argsort(table[:, made[0][1].start], kind="stable")
        members = {self.sites[index]: table[order, span] for index, span in columns}
        producers = tuple(self.sites[index] for index, _ in made)
        consumers = tuple(site for site in members if site in self.recorder.consumers)
        name = _module_of(producers[0])
        taken[name] = taken.get(name, 0) + 1
        name = name if taken[name] == 1 else f"{name}:{taken[name]}"
        mark = self.contracted[units[0]]
        scaling: set[Site] = set()
        if mark >= 0:
            for ids, sites in self.recorder.contracted:
                if np.isin(self.unit[ids], units[:1]).any():
                    scaling |= sites
        # A buffer has no gates: what it sums over is contracted as well.
        reads = [site for site in consumers if site[0] in self.parameters]
        gated = (*reads, *(site for site in members if site in scaling and site not in reads))
        rigid = bool(self.rigid[units[0]] >= 0)
        return ChannelGroup(name, len(units), members, producers, consumers, gated, rigid, bool(mark >= 0))

    def _why_frozen(self, group: ChannelGroup, unit: int) -> str | None:
        kept = self._kept(group)
        self.kept.update(kept)
        if self.frozen[unit] >= 0:
            return self.recorder.frozen[self.frozen[unit]][1]
        if kept:
            return "kept as asked"
        return "all its channels are tied into one" if group.width == 1 else None

    def _kept(self, group: ChannelGroup) -> list[str]:
        """The names in ``keep`` that mean this group: its own, or a module around one of its producers."""
        names = {group.name, *map(_module_of, group.producers)}
        return [k for k in self.tracing.keep if any(n == k or n.startswith(f"{k}.") for n in names)]

    def _check_keep(self, groups: dict[str, ChannelGroup], frozen: dict[str, str]) -> None:
        if not self.tracing.keep:
            return
        known = {name for name, _ in self.model.named_modules()} | set(groups) | set(frozen)
        for name in self.tracing.keep:
            if name not in known:
                raise AnalysisError(f"keep: the model has no group or module '{name}'{closest(name, known)}")
            if name not in self.kept:
                raise AnalysisError(f"keep: '{name}' makes no channels; name the layer whose outputs are to stay")

    def _complexity(self, column_of: np.ndarray, widths: list[int]) -> Complexity:
        column = column_of[self.unit]

        def axis(ids: np.ndarray | slice) -> Axis | None:
            columns, units = column[ids], self.unit[ids]
            low, high = int(columns.min()), int(columns.max())
            if high < 0 or (units[0] == units[-1] and (units == units[0]).all()):
                return None
            if low == high:  # most often
                return Axis({low: len(columns) // widths[low]}, 0)
            counts = np.bincount(columns + 1)  # the first is of those that do not change
            weights = {int(c): int(counts[c + 1]) // widths[c] for c in np.flatnonzero(counts[1:])}
            return Axis(weights, int(counts[0]))

        def term(module: str, cost: int, axes: list[tuple[list[np.ndarray | slice], int]]) -> LayerTerm:
            factors = []
            for lines, size in axes:
                # No more than one kind along an axis can change.
                factor = next((found for ids in lines if (found := axis(ids)) is not None), None)
                if factor is not None:
                    factors.append(factor)
                    cost //= size
            return module, cost, factors

        flops, acts = ([term(*costs) for costs in terms] for terms in (self.recorder.terms, self.recorder.outputs))
        params = []
        for name, parameter in self.parameters.items():
            spans = [self.recorder.dims.get((name, dim)) for dim in range(parameter.ndim)]
            axes = [([slice(s[0], s[0] + s[1])], s[1]) for s in spans if s is not None]
            params.append(term(name.rpartition(".")[0], parameter.numel(), axes))
        return Complexity(flops, params, acts, len(widths))
