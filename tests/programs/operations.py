"""Steps that join, cut and move tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.programs.program import Program, Run, Writer


def activation(w: Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    kinds: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        ("relu", F.relu), ("sigmoid", torch.sigmoid), ("hardswish", F.hardswish), ("silu", F.silu),
        ("exp", lambda x: x.clamp(max=2).exp()), ("leaky", lambda x: F.leaky_relu(x, 0.1)),
        ("plus", lambda x: x + 0.5), ("times", lambda x: 0.5 * x), ("tanh", torch.tanh),
        ("relu_", lambda x: F.relu(x * 1.0, inplace=True)), ("abs", torch.abs), ("minus", lambda x: 1 - x),
        ("dropout", lambda x: F.dropout(x, 0.5, False)), ("contiguous", lambda x: x.contiguous().clone()),
    ]  # fmt: skip
    if w.rng.random() < 0.15:
        n = w.program.layer(nn.PReLU(w.rng.choice([1, c])))
        w.add("prelu", [i], lambda p, x: p.layers[n](x))
    else:
        title, function = w.rng.choice(kinds)
        w.add(title, [i], lambda p, x: function(x))


def join(w: Writer) -> None:
    i = w.image()
    j = w.alike(i)
    kinds: list[tuple[str, Run]] = [
        ("add", lambda p, x, y: x + y), ("add", lambda p, x, y: x + y), ("mul", lambda p, x, y: x * y),
        ("sub", lambda p, x, y: torch.sub(x, y)), ("max", lambda p, x, y: torch.maximum(x, y)),
        ("iadd", lambda p, x, y: (x * 1).add_(y)), ("stack-sum", lambda p, x, y: torch.stack([x, y], 1).sum(1)),
        ("stack-max", lambda p, x, y: torch.stack([x, y]).amax(0)), ("where", lambda p, x, y: torch.where(x > 0, x, y)),
        ("zeros+=", lambda p, x, y: torch.zeros_like(x).add_(x).add_(y)),
    ]  # fmt: skip
    title, run = w.rng.choice(kinds)
    w.add(title, [i, j], run)


def cat(w: Writer) -> None:
    i = w.image()
    size = w.values[i].shape[2:]
    found = [k for k, v in enumerate(w.values) if v.ndim == 4 and v.shape[2:] == size]
    reads = [i, *(w.rng.choice(found) for _ in range(w.rng.randint(1, 2)))]
    if sum(w.values[k].shape[1] for k in reads) > 24:
        return
    if w.rng.random() < 0.15:
        w.add("cat with a map", reads, lambda p, *x: torch.cat([*x, x[0].mean(1, keepdim=True)], 1))
    else:
        w.add("cat", reads, lambda p, *x: torch.cat(x, 1))


def split(w: Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    if c % 2 or c < 4:
        return
    kinds: list[tuple[str, bool, Run]] = [
        ("chunk", False, lambda p, x: list(x.chunk(2, 1))),
        ("glu", False, lambda p, x: (lambda a, b: a * torch.sigmoid(b))(*x.chunk(2, 1))),
        ("F.glu", False, lambda p, x: F.glu(x, 1)),
        ("split", True, lambda p, x: list(x.split(c // 2, 1))),
        ("slice", True, lambda p, x: x[:, : c // 2]),
        ("narrow", True, lambda p, x: x.narrow(1, 1, c - 2)),
        ("strided slice", False, lambda p, x: x[:, ::2]),
        ("half slice", False, lambda p, x: x[:, x.shape[1] // 2 :]),
        ("unbind", False, lambda p, x: x.unflatten(1, (2, -1)).unbind(1)[0]),
    ]
    title, constant, run = w.rng.choice(kinds)
    w.program.constant |= constant
    w.add(title, [i], run)


def shuffle(w: Writer) -> None:
    i = w.image()
    c, size = w.values[i].shape[1:3]
    kinds: list[tuple[str, bool, Run]] = [
        ("roll", False, lambda p, x: x.roll(1, 1)), ("flip", False, lambda p, x: x.flip(1)),
        ("roll space", False, lambda p, x: torch.roll(x, (1, 2), (2, 3))),
        ("repeat", False, lambda p, x: x.repeat(1, 2 if c < 10 else 1, 1, 1)),
        ("repeat_interleave", False, lambda p, x: x.repeat_interleave(2 if c < 10 else 1, 1)),
        ("pad space", False, lambda p, x: F.pad(x, (1, 1, 1, 1))[..., 1:-1, 1:-1]),
        ("replicate", False, lambda p, x: F.pad(x, (1, 1, 1, 1), mode="replicate")[..., 1:-1, 1:-1]),
        ("pad channels", True, lambda p, x: F.pad(x, (0, 0, 0, 0, 1, 1))),
    ]  # fmt: skip
    if c % 2 == 0:
        kinds += [
            ("shuffle", False, lambda p, x: F.channel_shuffle(x, 2)),
            ("shuffle by view", False, lambda p, x: x.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)),
            ("view to pairs, mean", False, lambda p, x: x.unflatten(1, (-1, 2)).mean(2)),
            ("view to pairs, max", False, lambda p, x: x.unflatten(1, (2, -1)).amax(1)),
            ("view constant", True, lambda p, x: x.view(1, c // 2, 2, *x.shape[2:]).sum(1)),
            ("groups to batch", False, lambda p, x: x.reshape(2, -1, *x.shape[2:]).relu().reshape(x.shape)),
        ]
    if c % 4 == 0 and size <= 8:
        kinds += [("pixel_shuffle", False, lambda p, x: F.pixel_shuffle(x, 2))] * 3
    if size % 2 == 0 and c <= 4:
        kinds += [("pixel_unshuffle", False, lambda p, x: F.pixel_unshuffle(x, 2))]
    if w.rng.random() < 0.1:
        order = list(range(c))
        w.rng.shuffle(order)
        kinds = [("index", True, lambda p, x: x[:, order]), ("select", True, lambda p, x: x[:, 0:1] + x)]
    title, constant, run = w.rng.choice(kinds)
    # Two channels cut into (2, -1) cannot be told from a tensor of one channel.
    w.program.constant |= constant or c == 2
    w.add(title, [i], run)


def spatial(w: Writer) -> None:
    i = w.image()
    size = w.values[i].shape[2]
    kinds: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        ("avg 3", lambda x: F.avg_pool2d(x, 3, 1, 1)), ("max 3", lambda x: F.max_pool2d(x, 3, 1, 1)),
        ("permute", lambda x: x.permute(0, 1, 3, 2)), ("unsqueeze", lambda x: x[:, :, None].squeeze(2)),
        ("unbound rows", lambda x: torch.stack(x.unbind(2)[::-1], 2)),
        ("first pixel", lambda x: x * x[:, :, 0, 0][..., None, None]),
    ]  # fmt: skip
    if size >= 4:
        kinds += [("max 2", lambda x: F.max_pool2d(x, 2)), ("stride", lambda x: x[..., ::2, ::2])]
        kinds += [("adaptive", lambda x: F.adaptive_avg_pool2d(x, 2))]
    if size <= 4:
        kinds += [("nearest", lambda x: F.interpolate(x, scale_factor=2))]
        kinds += [("bilinear", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))]
    title, function = w.rng.choice(kinds)
    w.add(title, [i], lambda p, x: function(x))


def attention(w: Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    kind = w.rng.choice(["se", "se", "mean", "max", "sum", "softmax", "norm", "gram", "std", "argmax", "cumsum"])
    if kind == "se":
        a, b = w.program.layer(nn.Conv2d(c, 3, 1)), w.program.layer(nn.Conv2d(3, c, 1))
        w.add("se", [i], lambda p, x: x * p.layers[b](F.relu(p.layers[a](x.mean((2, 3), keepdim=True)))).sigmoid())
        return
    runs: dict[str, Run] = {
        "mean": lambda p, x: x * x.mean(1, keepdim=True), "max": lambda p, x: x * x.amax(1, keepdim=True),
        "sum": lambda p, x: x * x.sum(1, keepdim=True), "softmax": lambda p, x: x.softmax(1),
        "norm": lambda p, x: F.normalize(x, dim=1), "std": lambda p, x: x / (1 + x.std(1, correction=0, keepdim=True)),
        "gram": lambda p, x: (x.flatten(2) @ (x.flatten(2).mT @ x.flatten(2)).softmax(-1)).view_as(x) * 0.1,
        "argmax": lambda p, x: x * x.argmax(1, keepdim=True), "cumsum": lambda p, x: x.cumsum(1),
    }  # fmt: skip
    w.add(kind, [i], runs[kind])


def write(w: Writer) -> None:
    i = w.image()
    j = w.alike(i)
    c = w.values[i].shape[1]
    half = max(c // 2, 1)
    constant = w.rng.random() < 0.5

    def run(p: Program, x: Tensor, y: Tensor) -> Tensor:
        out = x.clone() if constant else torch.zeros_like(x)
        k = half if constant else x.shape[1] // 2
        out[:, :k] = y[:, :k]
        return out

    w.program.constant |= constant
    w.add("write a slice", [i, j], run)


def correlate(w: Writer) -> None:
    i = w.image()
    j = w.alike(i)
    kind = w.rng.choice(["full", "depthwise", "grouped"])
    if kind == "full":
        w.add("correlate", [i, j], lambda p, x, z: F.conv2d(x, z.mean((2, 3), keepdim=True)))
    elif kind == "depthwise":
        w.add(
            "correlate depthwise",
            [i, j],
            lambda p, x, z: F.conv2d(x, z.mean((2, 3))[0][:, None, None, None], groups=x.shape[1]),
        )
    else:
        w.add(
            "correlate by groups",
            [i, j],
            lambda p, x, z: F.conv2d(
                torch.cat([x, x]).reshape(1, -1, *x.shape[2:]), torch.cat([z, z])[..., :1, :1], groups=2
            )[:, :1],
        )
