"""Rules of the operations that compute on each channel or over all: pointwise, reductions, norms, pooling."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from lwdna_mm.channels.tracing.labels import Site, Value, collapse, core, is_uniform, varying
from lwdna_mm.channels.tracing.rules import Call, common_sites, deps_of, freeze_all, need_label, produce, rule
from lwdna_mm.channels.tracing.rules_move import overwrite, uniform_like
from lwdna_mm.channels.tracing.state import Trace

# Functions of one tensor with f(0) = 0: a channel that vanishes stays so.
KEEP_ZERO = frozenset(
    {"relu", "leaky_relu", "gelu", "silu", "elu", "celu", "selu", "mish", "tanh", "hardswish", "hardtanh"}
    | {"_prelu_kernel", "neg", "abs", "sign", "sin", "tan", "sinh", "asinh", "atan", "erf", "expm1", "log1p"}
    | {"sqrt", "square", "pow", "mul", "div", "round", "floor", "trunc"}
)
# Functions of two tensors that vanish where either does, or only where both do.
PRODUCTS = {"mul", "addcmul"}
SUMS = {"add", "sub", "rsub", "maximum", "minimum", "hypot"}


@rule("pointwise", "hardswish", "_prelu_kernel", "log_sigmoid_forward", "rrelu_with_noise", "fill")
def pointwise(trace: Trace, call: Call) -> None:
    """Elements at the same place belong together (broadcast axes aside)."""
    out = next(t for t in tree_leaves(call.out) if isinstance(t, Tensor))
    tensors = [t for t in call.tensors if t.numel() > 1]
    values = [trace.value(t) for t in tensors]
    planes: list[Tensor] = []
    for index, value in enumerate(values):
        others = tensors[:index] + tensors[index + 1 :]
        for own in value.planes:
            plane = own.expand(out.shape)
            axes = varying(plane)
            if not axes:
                continue
            for axis in varying(own) if others else ():
                need_label(trace, call, own, axis, others)
            matches = [k for k, other in enumerate(planes) if not set(varying(other)).isdisjoint(axes)]
            for k in matches:
                trace.recorder.tie(planes[k], plane)
                if not core(planes[k]).numpy().all():
                    planes[k] = torch.where(planes[k] == 0, plane, planes[k])
            if not matches:
                planes.append(plane)
    name = call.name.rstrip("_") if call.func._schema.is_mutable else call.name
    sites = _sites(call, name, tensors, values) if len(planes) == 1 else None
    result = Value(planes, _source(call, name, values), deps_of(trace, call), sites)
    if not planes and all(is_uniform(v) for v in values):
        result.planes = [uniform_like(out)]
    if call.func._schema.is_mutable and call.tensors and out is call.tensors[0]:
        _write(trace, call, out, result)
    else:
        trace.set(out, result)


def _source(call: Call, name: str, values: list[Value]) -> str | None:
    """A parameter times something that is not an activation still scales with its own slices."""
    linear = name in {"mul", "div", "clone", "neg"} and values and not any(v.deps for v in values)
    return values[0].source if linear else None


def _sites(call: Call, name: str, tensors: list[Tensor], values: list[Value]) -> frozenset[Site] | None:
    if name in PRODUCTS | SUMS:
        labelled = [any(varying(p) for p in v.planes) for v in values]
    if name in PRODUCTS:
        return next(
            (v.sites for v, known in zip(values, labelled, strict=True) if known and v.sites is not None),
            None,
        )
    if name in SUMS:
        return common_sites(values) if len(tensors) == len(call.args) and all(labelled) else None
    if name in KEEP_ZERO and tensors and tensors[0] is call.args[0]:
        bounds = [a for a in call.args[1:] if isinstance(a, (int, float))]
        crosses_zero = name != "hardtanh" or not bounds or bounds[0] <= 0 <= bounds[-1]
        positive = name != "pow" or (bounds and bounds[0] > 0)
        return values[0].sites if crosses_zero and positive else None
    return None


def _write(trace: Trace, call: Call, out: Tensor, result: Value) -> None:
    """An operation in place: the tensor keeps its planes, which others may share."""
    value = trace.value(out)
    if is_uniform(value) and result.planes:
        plane = value.planes[0]
        if plane.numel() * plane.element_size() < plane.untyped_storage().nbytes():
            for other in result.planes:
                trace.recorder.make_rigid(other, f"{call.title} writes into a part of a tensor")
        overwrite(trace, value, result.planes, f"{call.title} writes into a tensor of constants")
    elif not value.planes:
        value.planes = result.planes
    value.deps, value.sites, value.source = result.deps, result.sites, result.source


@rule(
    "sum",
    "mean",
    "amax",
    "amin",
    "max",
    "min",
    "var",
    "std",
    "var_mean",
    "std_mean",
    "prod",
    "logsumexp",
    "linalg_vector_norm",
)
def reduction(trace: Trace, call: Call) -> None:
    """Over space nothing happens; over channels, all of them are needed."""
    source = call.args[0]
    value = trace.value(source)
    dims = call.get(1, "dim")
    if isinstance(dims, Tensor):  # max(a, b) of two tensors
        pointwise(trace, call)
        return
    if call.name == "linalg_vector_norm":
        dims = call.get(2, "dim")
    dims = [dims] if isinstance(dims, int) else dims
    dims = sorted({d % source.ndim for d in dims}) if dims else list(range(source.ndim))
    planes = []
    for plane in value.planes:
        axes = varying(plane)
        over = [a for a in axes if a in dims]
        if over and len(over) == len(axes):
            if call.name in {"sum", "linalg_vector_norm"}:
                trace.recorder.contract([plane], value.sites, call.title)
            else:
                trace.recorder.freeze(plane, f"{call.title} over the channels")
            continue
        trace.recorder.tie_along(plane, over)
        planes.append(collapse(plane, dims))
    sites = value.sites if call.name in {"sum", "mean", "amax", "amin"} else None
    for out in tree_leaves(call.out):
        trace.set(out, Value([p.reshape(out.shape) for p in planes], None, value.deps, sites))


@rule("_softmax", "_safe_softmax", "_log_softmax", "cumsum", "cumprod", "sort", "topk", "logcumsumexp")
def over_axis(trace: Trace, call: Call) -> None:
    """Every element depends on all along the axis."""
    source = call.args[0]
    value = trace.value(source)
    index = 2 if call.name == "topk" else 1
    axis = call.get(index, "dim", -1) % max(source.ndim, 1)
    planes = []
    for plane in value.planes:
        axes = varying(plane)
        if axis in axes and len(axes) > 1:  # as over the branches of one channel
            plane = trace.recorder.tie_along(plane, [axis]).expand(plane.shape)
        elif axis in axes:
            trace.recorder.freeze(plane, f"{call.title} over the channels")
        planes.append(plane)
    for out in tree_leaves(call.out):
        trace.set(out, Value(list(planes) if out.shape == source.shape else [], None, value.deps))


@rule(
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "cudnn_batch_norm",
)
def batch_norm(trace: Trace, call: Call) -> None:
    """Every channel by itself: its scale, shift and statistics go with it."""
    source, out = call.args[0], call.out[0]
    value = trace.value(source)
    channels = [p for p in value.planes if 1 in varying(p)]
    vectors = [t for t in call.args[1:5] if isinstance(t, Tensor)]
    for vector in vectors:
        for plane in trace.value(vector).planes:
            if not channels:
                trace.recorder.freeze(plane, f"{call.title} meets channels of unknown size")
            elif 0 in varying(plane):
                for mine in channels:
                    trace.recorder.tie(mine, plane.reshape(1, -1, *[1] * (source.ndim - 2)))
    weight, bias = call.args[1], call.args[2]
    affine = weight is not None and bias is not None
    sites = produce(trace, [trace.value(weight), trace.value(bias)]) if affine else None
    trace.set(out, Value(list(value.planes), None, value.deps, sites))


@rule("native_layer_norm", "native_group_norm")
def mixed_norm(trace: Trace, call: Call) -> None:
    """Statistics over several channels: none of them may go."""
    source, out = call.args[0], call.out[0]
    value = trace.value(source)
    first = source.ndim - len(call.args[1]) if call.name == "native_layer_norm" else 1
    for tensor in call.tensors[1:]:
        freeze_all(trace, tensor, f"{call.title} takes statistics over several channels")
    for plane in value.planes:
        if any(a >= first for a in varying(plane)):
            trace.recorder.freeze(plane, f"{call.title} takes statistics over several channels")
    trace.set(out, Value(list(value.planes), None, value.deps))


def _spatial_rank(name: str) -> int:
    return next(rank for rank in (3, 2, 1) if f"{rank}d" in name or (rank == 1 and "linear1d" in name))


def spatial(trace: Trace, call: Call) -> None:
    """Pooling, resampling and reflection: each channel by itself, all of its places together."""
    source = call.args[0]
    value = trace.value(source)
    outs = [t for t in tree_leaves(call.out) if isinstance(t, Tensor)]
    axes = range(source.ndim - _spatial_rank(call.name), source.ndim)
    planes = [trace.recorder.tie_along(p, [a for a in axes if a in varying(p)]) for p in value.planes]
    planes = [collapse(p, axes) for p in planes]
    for out in outs:
        trace.set(out, Value([p.expand(out.shape) for p in planes], None, value.deps, value.sites))


for _rank in ("1d", "2d", "3d"):
    for _name in (
        "max_pool{}", "max_pool{}_with_indices", "avg_pool{}", "adaptive_avg_pool{}", "_adaptive_avg_pool{}",
        "adaptive_max_pool{}", "upsample_nearest{}", "_upsample_nearest_exact{}", "upsample_bilinear{}",
        "_upsample_bilinear{}_aa", "upsample_bicubic{}", "upsample_trilinear{}", "upsample_linear{}",
        "_upsample_bicubic{}_aa", "reflection_pad{}", "replication_pad{}",
    ):  # fmt: skip
        rule(_name.format(_rank))(spatial)
