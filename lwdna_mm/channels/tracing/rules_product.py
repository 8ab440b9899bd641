"""Rules of the operations that sum over channels with weights: convolution and matrix products."""

from __future__ import annotations

import torch
from torch import Tensor

from lwdna_mm.channels.tracing.labels import Site, Value, collapse, place, tighten, varying
from lwdna_mm.channels.tracing.rules import Call, count, count_output, deps_of, produce, rule
from lwdna_mm.channels.tracing.state import Trace


def _line(trace: Trace, plane: Tensor, axis: int) -> Tensor:
    """The ids along one axis; whatever varies along other axes as well is tied."""
    others = [a for a in varying(plane) if a != axis]
    plane = trace.recorder.tie_along(plane, others)
    return collapse(plane, [a for a in range(plane.ndim) if a != axis]).reshape(-1)


def _freeze_unmatched(trace: Trace, call: Call, planes: list[Tensor]) -> None:
    for plane in planes:
        trace.recorder.freeze(plane, f"{call.title} meets channels of unknown size")


def _read(
    trace: Trace, call: Call, weight: Value, weight_planes: list[Tensor], other: Value, planes: list[Tensor]
) -> None:
    """Note who sums over the channels: a parameter's dimension, a buffer's or an activation."""
    if weight.source in trace.buffers:
        trace.recorder.contract(planes, other.sites, f"{call.title}, a sum by a buffer,")
    if weight.source is not None:
        for plane in weight_planes:
            sites = trace.recorder.sites_of(plane, weight.source)
            trace.recorder.consumers.update(dict.fromkeys(sites))
    elif weight.deps:
        sites = other.sites if other.sites is not None else weight.sites
        trace.recorder.contract([*weight_planes, *planes], sites, f"{call.title}, a sum over two activations,")
    else:
        for plane in weight_planes:
            trace.recorder.freeze(plane, f"{call.title} by a computed weight")
        trace.recorder.remarks[f"{call.title} keeps its channels: its weight is computed"] = None


@rule("convolution", "convolution_overrideable")
def convolution(trace: Trace, call: Call) -> None:
    """Input channels meet the weight's; output channels are the weight's.

    In a grouped convolution a channel is tied to its namesakes in all conv-groups, whose number stays
    ("within"), or whole conv-groups go ("whole"; always so with one input channel a group: depthwise).
    """
    source, weight, bias = call.args[:3]
    transposed, groups = call.args[6], call.args[8]
    x, w = trace.value(source), trace.value(weight)
    axis_in, axis_out = (0, 1) if transposed else (1, 0)
    whole = groups > 1 and (trace.whole or source.size(1) == groups)
    # Channels as (conv-group, index in the group): both axes of the input, and the weight's axis 0.
    xs = [p.unflatten(1, (groups, -1)) for p in x.planes if 1 in varying(p)]
    ws = [p.unflatten(0, (groups, -1)) for p in w.planes]
    ins = [p for p in ws if axis_in + 1 in varying(p) or (not axis_in and 0 in varying(p))]
    if whole:
        lines = _whole_groups(trace, call, xs, ws, transposed, groups)
    else:
        _meet(trace, call, xs, ins, transposed)
        lines = _output_lines(trace, ws, transposed, groups)
        _read(trace, call, w, [p.flatten(0, 1) for p in ins], x, [p.flatten(1, 2) for p in xs])
    outs = [place(line, 1, call.out.shape) for line in lines]
    sites = _outputs(trace, call, w, [p for p in w.planes if (0 if whole else axis_out) in varying(p)], outs, bias, 1)
    if whole and bias is None and (w.source is None or w.source in trace.buffers):
        sites = x.sites or w.sites
    trace.set(call.out, Value(outs, None, deps_of(trace, call), sites))
    count(trace, call, [(source, 0), (weight, 0), (weight, 1)])
    count_output(trace, call, [source, weight], [(source, 0), (call.out, 1)])


def _meet(trace: Trace, call: Call, xs: list[Tensor], ins: list[Tensor], transposed: bool) -> None:
    """Tie the input's channels (N, G, I/G, ...) to those of the weight: (G, O/G, I/G, ...) or (G, I/G, O/G, ...)."""
    rec = trace.recorder
    axis = 1 if transposed else 2
    for weight_plane in ins:
        small = rec.tie_along(weight_plane, [a for a in varying(weight_plane) if a not in (0, axis)])
        small = collapse(small, [a for a in range(small.ndim) if a not in (0, axis)])
        if transposed:
            small = rec.tie_along(small, [0])
        small = small.reshape(1, small.size(0), small.size(axis))
        for plane in xs:
            rec.tie(plane, small.reshape(*small.shape, *[1] * (plane.ndim - 3)))
    if not ins:
        _freeze_unmatched(trace, call, xs)
    if not xs:
        _freeze_unmatched(trace, call, ins)


def _output_lines(trace: Trace, ws: list[Tensor], transposed: bool, groups: int) -> list[Tensor]:
    """The ids of the output channels, tied over the conv-groups."""
    lines = []
    for plane in ws:
        axes = varying(plane)
        if transposed and 2 in axes:
            lines.append(_line(trace, plane, 2).repeat(groups))
        elif not transposed and (1 in axes or (0 in axes and 2 not in axes)):
            kept = trace.recorder.tie_along(plane, [a for a in axes if a > 1])
            trace.recorder.tie_along(kept, [0])
            lines.append(collapse(kept, range(2, kept.ndim)).reshape(-1))
    return lines


def _whole_groups(
    trace: Trace, call: Call, xs: list[Tensor], ws: list[Tensor], transposed: bool, groups: int
) -> list[Tensor]:
    """Everything in a conv-group is one unit; the size of a conv-group stays."""
    rec = trace.recorder
    lines = []
    by_group = [p for p in ws if 0 in varying(p)]
    for plane in ws:
        axes = varying(plane)
        if 0 not in axes and 2 in axes:
            rec.freeze(plane, f"{call.title} keeps the size of its groups")
    for plane in by_group:
        first = rec.tie_along(plane, [a for a in varying(plane) if a != 0])
        first = collapse(first, range(1, first.ndim)).reshape(-1)
        for mine in xs:
            rec.tie(mine, first.reshape(1, groups, *[1] * (mine.ndim - 2)))
        if transposed:
            lines.append(first.repeat_interleave(call.out.size(1) // groups))
        else:
            lines.append(collapse(plane, range(2, plane.ndim)).reshape(-1))
    if not by_group:
        _freeze_unmatched(trace, call, xs)
    if not xs:
        _freeze_unmatched(trace, call, by_group)
    return lines


def _outputs(
    trace: Trace,
    call: Call,
    weight: Value,
    planes: list[Tensor],
    outs: list[Tensor],
    bias: Tensor | None,
    axis: int,
) -> frozenset[Site] | None:
    """Tie the bias to the output channels and note what produces them; return the sites that scale them."""
    values = []
    if bias is not None and bias.numel() > 1:
        value = trace.value(bias)
        values.append(value)
        for plane in value.planes:
            plane = place(plane, axis, call.out.shape) if plane.ndim == 1 else plane.expand(call.out.shape)
            meeting = [out for out in outs if set(varying(out)) & set(varying(plane))]
            for out in meeting:
                trace.recorder.tie(out, plane)
            if not meeting:
                _freeze_unmatched(trace, call, [plane])
    if weight.source is None:
        return weight.sites if not values else None
    return produce(trace, [Value(planes, weight.source), *values])


@rule("mm", "addmm", "bmm", "baddbmm", "mv", "addmv")
def matmul(trace: Trace, call: Call) -> None:
    """(..., n, k) times (..., k, m): channels along k meet; those along n and m go on."""
    rec = trace.recorder
    bias = call.args[0] if call.name in {"addmm", "baddbmm", "addmv"} else None
    left, right = call.args[-2:] if bias is None else call.args[1:3]
    a, b = trace.value(left), trace.value(right)
    ka, kb = left.ndim - 1, max(right.ndim - 2, 0)
    meet_a = [p for p in a.planes if ka in varying(p)]
    meet_b = [p for p in b.planes if kb in varying(p)]
    column = 1 if right.ndim == 1 else 0
    for p in meet_a:
        for q in meet_b:
            q = q.unsqueeze(-1) if column else q
            rec.tie(p.unsqueeze(-1), q.unsqueeze(-3))
    if not meet_b:
        _freeze_unmatched(trace, call, meet_a)
    if not meet_a:
        _freeze_unmatched(trace, call, meet_b)
    by_right = not a.source or (b.source and (b.source not in trace.buffers or a.source in trace.buffers))
    weight, other, planes, others = (b, a, meet_b, meet_a) if by_right else (a, b, meet_a, meet_b)
    _read(trace, call, weight, planes, other, others)
    if weight.source is None:
        for p in [*meet_a, *meet_b]:
            if len(varying(p)) > 1:
                rec.freeze(p, f"{call.title} over one of several channel axes")
    shape = call.out.shape
    outs = [_stretch(p, ka, shape, column) for p in a.planes if ka not in varying(p) and varying(p)]
    from_b = [_stretch(q, kb, shape, 0) for q in b.planes if kb not in varying(q) and varying(q)] if not column else []
    own = [p for p in weight.planes if (kb if weight is b else ka) not in varying(p)]
    sites = _outputs(trace, call, weight, own, [*outs, *from_b], bias, len(shape) - 1)
    if outs if weight is b else from_b:
        sites = None  # channels of the other side come through, which the weight does not scale
    trace.set(call.out, Value([*outs, *from_b], None, deps_of(trace, call), sites))
    *rows, summed = [(left, axis) for axis in range(left.ndim)]
    columns = [] if column else [(right, right.ndim - 1)]
    count(trace, call, [*rows, summed, *columns])
    count_output(trace, call, [left, right], [*rows, *columns])


def _stretch(plane: Tensor, axis: int, shape: torch.Size, column: int) -> Tensor:
    """A factor's plane as one of the product: the summed axis gives way to the other factor's."""
    plane = plane.narrow(axis, 0, 1)
    if column:
        plane = plane.select(axis, 0)
    return tighten(plane.expand(shape))
