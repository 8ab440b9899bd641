"""Rules of the operations that only move data: they are run on the label planes themselves."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from lwdna_mm.channels.tracing.labels import Value, collapse, core, is_uniform, tighten, varying
from lwdna_mm.channels.tracing.rules import Call, common_sites, deps_of, freeze_all, label_constant, rule
from lwdna_mm.channels.tracing.state import Trace


def move(trace: Trace, call: Call) -> None:
    """Run the operation on every plane of its one tensor argument."""
    source = call.tensors[0]
    value = trace.value(source)
    outs = [t for t in tree_leaves(call.out) if isinstance(t, Tensor)]
    moved = [tree_leaves(call.rerun({id(source): plane})) for plane in value.planes]
    for index, out in enumerate(outs):
        planes = [tighten(planes[index]) for planes in moved]
        trace.set(out, _like(value, planes))


def _like(value: Value, planes: list[Tensor]) -> Value:
    return Value(planes, value.source, value.deps, value.sites)


@rule("view", "_unsafe_view", "reshape", "_reshape_alias")
def view(trace: Trace, call: Call) -> None:
    """A change of shape; where it cuts a channel axis into several, only whole slices may go."""
    source = call.args[0]
    value = trace.value(source)
    planes = []
    for plane in value.planes:
        axes = varying(plane)
        moved = plane.reshape(call.out.shape)
        if moved.untyped_storage().data_ptr() != plane.untyped_storage().data_ptr():
            moved = tighten(moved)
        for ins, outs in _blocks(source.shape, call.out.shape):
            if len(outs) > 1 and set(ins) & set(axes):
                trace.recorder.split(moved, outs, outs, f"{call.title} cuts the channels into parts")
        planes.append(moved)
    trace.set(call.out, _like(value, planes))


def _blocks(before: tuple[int, ...], after: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """Pair the axes of two shapes of one size: the smallest runs whose products agree (sizes 1 left out)."""
    left = [a for a in range(len(before)) if before[a] != 1]
    right = [a for a in range(len(after)) if after[a] != 1]
    blocks = []
    while left and right:
        ins, outs = [left.pop(0)], [right.pop(0)]
        have, want = before[ins[0]], after[outs[0]]
        while have != want:
            if have < want:
                ins.append(left.pop(0))
                have *= before[ins[-1]]
            else:
                outs.append(right.pop(0))
                want *= after[outs[-1]]
        blocks.append((ins, outs))
    return blocks


@rule(
    "slice",
    "select",
    "split",
    "split_with_sizes",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "unbind",
    "narrow",
    "diagonal",
    "index_select",
    "chunk",
    "unfold",
)
def cut(trace: Trace, call: Call) -> None:
    """A part by constant positions: channels along the axis cannot go one by one."""
    source = call.args[0]
    axes = _cut_axes(call, source)
    for plane in trace.value(source).planes:
        if not axes.isdisjoint(varying(plane)):
            trace.recorder.make_rigid(plane, f"{call.title} takes channels by position")
    if call.name == "index_select":
        freeze_all(trace, source, f"{call.title} takes channels by position")
    move(trace, call)


def _cut_axes(call: Call, source: Tensor) -> set[int]:
    """The axes of which only a part is taken."""
    if call.name in {"select", "unbind"}:
        return {call.get(1, "dim", 0) % source.ndim}
    if call.name == "diagonal":
        return {call.get(2, "dim1", 0) % source.ndim, call.get(3, "dim2", 1) % source.ndim}
    outs = [t for t in tree_leaves(call.out) if isinstance(t, Tensor)]
    return {axis for axis in range(source.ndim) if any(out.size(axis) != source.size(axis) for out in outs)}


@rule(
    "roll", "flip", "repeat", "clone", "pixel_unshuffle", "expand", "permute", "t", "transpose", "unsqueeze", "squeeze"
)
def plain_move(trace: Trace, call: Call) -> None:
    """Data movement that treats all channels alike, or that the resized network repeats in its own size."""
    move(trace, call)


@rule("unsqueeze_", "squeeze_", "transpose_", "t_")
def move_in_place(trace: Trace, call: Call) -> None:
    """The same tensor in another shape; its labels are not changed in place, because others may share them."""
    value = trace.value(call.args[0])
    method = call.name.removesuffix("_")
    planes = [tighten(getattr(plane, method)(*call.args[1:], **call.kwargs)) for plane in value.planes]
    trace.set(call.out, _like(value, planes))


@rule("_to_copy", "lift_fresh", "detach", "alias")
def same(trace: Trace, call: Call) -> None:
    """A copy or a conversion: the labels stay."""
    trace.set(call.out, replace(trace.value(call.args[0])))


@rule("pixel_shuffle")
def pixel_shuffle(trace: Trace, call: Call) -> None:
    """C r^2 channels become C channels of r times the size: the r^2 of one output channel belong together."""
    source, factor = call.args
    value = trace.value(source)
    axis = source.ndim - 3
    for plane in value.planes:
        if axis in varying(plane):
            cut_plane = plane.unflatten(axis, (-1, factor * factor))
            trace.recorder.split(cut_plane, (axis, axis + 1), (axis,), f"{call.title} cuts the channels")
    move(trace, call)


@rule("channel_shuffle", "native_channel_shuffle")
def channel_shuffle(trace: Trace, call: Call) -> None:
    """A view as (groups, C / groups), transposed."""
    source, groups = call.args
    for plane in trace.value(source).planes:
        if 1 in varying(plane):
            cut_plane = plane.unflatten(1, (groups, -1))
            trace.recorder.split(cut_plane, (1, 2), (1, 2), f"{call.title} cuts the channels into parts")
    move(trace, call)


@rule("cat", "stack")
def cat(trace: Trace, call: Call) -> None:
    """Concatenation: the planes are concatenated."""
    tensors = call.args[0]
    values = [trace.value(t) for t in tensors]
    found = [[p for p in v.planes if varying(p)] for v in values]
    if any(len(planes) > 1 for planes in found):
        for tensor in tensors:
            freeze_all(trace, tensor, f"{call.title} of tensors with several channel axes")
        label_constant(trace, call, f"the result of {call.title}")
        return
    axis = call.get(1, "dim", 0) % call.out.ndim
    planes = []
    for tensor, value, labelled in zip(tensors, values, found, strict=True):
        if not labelled and not is_uniform(value) and call.name == "cat" and tensor.numel():
            labelled = trace.recorder.constant(
                tensor.shape,
                f"{call.title} of a tensor of unknown size",
                [a for a in range(tensor.ndim) if a != axis],
            )
        if call.name == "stack" or tensor.ndim == call.out.ndim:  # torch lets empty tensors of one axis pass
            planes.append(labelled[0] if labelled else uniform_like(tensor))
    if call.name == "cat":  # where no plane varies, one place is enough
        still = [a for a in range(call.out.ndim) if a != axis and not any(p.stride(a) for p in planes)]
        joined = torch.cat([collapse(p, still) for p in planes], axis).expand(call.out.shape)
    else:
        joined = call.func(planes, *call.args[1:], **call.kwargs)
    value = Value([tighten(joined)], None, deps_of(trace, call), common_sites(values))
    trace.set(call.out, value)


@rule("constant_pad_nd")
def pad(trace: Trace, call: Call) -> None:
    """Padding of space changes nothing; padding of a channel axis puts channels at constant places."""
    source, widths = call.args[0], list(call.args[1])
    value = trace.value(source)
    padded = [source.ndim - 1 - i // 2 for i, width in enumerate(widths) if width]
    planes = []
    for plane in value.planes:
        axes = set(varying(plane))
        if axes & set(padded):
            trace.recorder.make_rigid(plane, f"{call.title} pads the channels")
        own = [w if source.ndim - 1 - i // 2 in axes else 0 for i, w in enumerate(widths)]
        small = collapse(plane, [a for a in padded if a not in axes])
        planes.append(torch.ops.aten.constant_pad_nd(small, own, 0).expand(call.out.shape))
    sites = value.sites if call.get(2, "value", 0) == 0 else None
    trace.set(call.out, Value(planes, None, value.deps, sites))


@rule("copy_")
def copy(trace: Trace, call: Call) -> None:
    """Assignment. Into a part of a tensor it fixes the place of what is written."""
    target, source = call.args[0], call.args[1]
    into, value = trace.value(target), trace.value(source)
    incoming = [p.expand(target.shape) for p in value.planes if varying(p)]
    plane = into.planes[0] if len(into.planes) == 1 else None
    partial = plane is None or plane.numel() * plane.element_size() < plane.untyped_storage().nbytes()
    if not partial and 0 not in plane.stride() and len(incoming) <= 1:
        plane.copy_(incoming[0] if incoming else 0)
        trace.set(target, Value([plane], None, into.deps | value.deps, value.sites))
        return
    reason = f"{call.title} writes into a part of a tensor"
    for other in [*into.planes, *incoming]:
        trace.recorder.make_rigid(other, reason)
    overwrite(trace, into, incoming, reason)
    into.deps, into.sites = into.deps | value.deps, None


def overwrite(trace: Trace, into: Value, incoming: list[Tensor], reason: str) -> None:
    """Write labels into those of a tensor, which may be a part of another; freeze what cannot be followed."""
    plane = into.planes[0] if len(into.planes) == 1 else None
    writable = plane is not None and 0 not in plane.stride()
    if writable and len(incoming) == 1:
        plane.copy_(incoming[0])
        return
    for other in [*into.planes, *incoming]:
        trace.recorder.freeze(other, reason)
    if writable and incoming:
        unknown = trace.recorder.allocate(plane.numel())
        trace.recorder.freeze(unknown, reason)
        plane.copy_(unknown.view(plane.shape))


@rule("zeros", "ones", "full", "empty", "scalar_tensor", "new_zeros", "new_ones", "new_full", "new_empty")
def factory(trace: Trace, call: Call) -> None:
    """A tensor of one value throughout; writable labels, so that assignments into it are followed."""
    trace.set(call.out, Value([torch.zeros(call.out.shape, dtype=torch.int64)]))


@rule("zeros_like", "ones_like", "full_like", "empty_like")
def factory_like(trace: Trace, call: Call) -> None:
    """A tensor of one value whose sizes are another's: it shares that one's labels, in a copy to write into."""
    value = trace.value(call.args[0])
    trace.set(call.out, Value([plane.contiguous() for plane in value.planes], None, value.deps))


@rule("fill_", "zero_")
def fill(trace: Trace, call: Call) -> None:
    """One value throughout: what was known of a whole tensor stays true of its sizes."""
    trace.value(call.args[0]).sites = None


def uniform_like(out: Tensor) -> Tensor:
    """The plane of a tensor that holds one value throughout."""
    return core(torch.zeros((), dtype=torch.int64)).expand(out.shape)
