"""Steps that add layers and bare parameters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from tests.programs.program import Run, Writer


def conv(w: Writer) -> None:
    w.convolution(w.image(), w.rng.randint(2, 8), w.rng.choice([1, 3]), bias=w.rng.random() < 0.5)


def grouped(w: Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    if _divisors(c):
        g = w.rng.choice(_divisors(c))
        w.convolution(i, g * w.rng.randint(1, 3), w.rng.choice([1, 3]), g, w.rng.random() < 0.5)


def depthwise(w: Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    w.convolution(i, c * w.rng.choice([1, 1, 2]), 3, c, w.rng.random() < 0.5)


def transposed(w: Writer) -> None:
    i = w.image()
    c, size = w.values[i].shape[1], w.values[i].shape[2]
    if size > 8:
        return
    g = w.rng.choice([1, 1, *_divisors(c)])
    n = w.program.layer(nn.ConvTranspose2d(c, g * w.rng.randint(1, 3), 2, w.rng.choice([1, 2]), groups=g))
    w.add(f"transposed g{g}", [i], lambda p, x: p.layers[n](x))


def norm(w: Writer) -> None:
    i = w.image()
    c, size = w.values[i].shape[1:3]
    kinds = [nn.BatchNorm2d(c), nn.BatchNorm2d(c), nn.BatchNorm2d(c), nn.BatchNorm2d(c, affine=False)]
    if size > 1:
        kinds += [nn.InstanceNorm2d(c, affine=True), nn.InstanceNorm2d(c, track_running_stats=True)]
        kinds += [nn.GroupNorm(w.rng.choice([1, c, *_divisors(c)]), c)]
    norm = w.rng.choice(kinds)
    n = w.program.layer(norm.eval())
    w.add(type(norm).__name__, [i], lambda p, x: p.layers[n](x))


def layer_norm(w: Writer) -> None:
    i = w.image()
    n = w.program.layer(nn.LayerNorm(w.values[i].shape[1]))
    w.add("LayerNorm", [i], lambda p, x: p.layers[n](x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def bare(w: Writer) -> None:
    i = w.image()
    c, size = w.values[i].shape[1:3]
    kind = w.rng.choice(["scale", "shift", "F.conv2d", "einsum", "matmul", "product", "map", "standardised"])
    out = w.rng.randint(2, 6)
    if kind in ("scale", "shift"):
        n = w.program.parameter(1, c, 1, 1)
        w.add(kind, [i], lambda p, x: x * p.parameters_[n] if kind == "scale" else x + p.parameters_[n])
    elif kind == "map":
        n = w.program.parameter(1, c, size, size)
        w.add(kind, [i], lambda p, x: x + p.parameters_[n])
    elif kind == "product":
        n, m = w.program.parameter(out, c, 1, 1), w.program.parameter(out, 1, 1, 1)
        w.add("conv by a product", [i], lambda p, x: F.conv2d(x, p.parameters_[n] * p.parameters_[m]))
    elif kind == "standardised":
        n = w.program.parameter(out, c, 1, 1)
        w.add(
            "conv by a standardised weight",
            [i],
            lambda p, x: F.conv2d(x, p.parameters_[n] - p.parameters_[n].mean(1, keepdim=True)),
        )
    elif kind == "F.conv2d":
        n = w.program.parameter(out, c, 3, 3)
        w.add(kind, [i], lambda p, x: F.conv2d(x, p.parameters_[n], padding=1))
    else:
        n = w.program.parameter(out, c)
        w.program.least = 2 if kind == "einsum" else w.program.least
        runs: dict[str, Run] = {
            "einsum": lambda p, x: torch.einsum("nchw,dc->ndhw", x, p.parameters_[n]),
            "matmul": lambda p, x: (p.parameters_[n] @ x.flatten(2)).unflatten(2, x.shape[2:]),
        }
        w.add(kind, [i], runs[kind])


def linear(w: Writer) -> None:
    i = w.image()
    _, c, h, v = w.values[i].shape
    out = w.rng.randint(2, 6)
    kind = w.rng.choice(["pixelwise", "flatten", "pool", "tokens"])
    if kind == "pixelwise":
        n = w.program.layer(nn.Linear(c, out))
        w.add("linear per pixel", [i], lambda p, x: p.layers[n](x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))
    elif kind == "tokens":
        n = w.program.layer(nn.Linear(h * v, h * v))
        w.add("linear over space", [i], lambda p, x: p.layers[n](x.flatten(2)).view_as(x))
    else:
        n = w.program.layer(nn.Linear(c * h * v if kind == "flatten" else c, out))
        flat = kind == "flatten"
        w.add(
            f"linear {kind}", [i], lambda p, x: p.layers[n](x.flatten(1) if flat else x.mean((2, 3)))[..., None, None]
        )


def shared(w: Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    if w.rng.random() < 0.5:
        n = w.program.layer(nn.Conv2d(c, c, 1))
        w.add("conv twice", [i], lambda p, x: p.layers[n](F.relu(p.layers[n](x))))
    else:
        j = w.alike(i)
        n = w.program.layer(nn.Conv2d(c, w.rng.randint(2, 6), 3, padding=1))
        w.add("shared conv", [i, j], lambda p, x, y: [p.layers[n](x), p.layers[n](y)])


def _divisors(n: int) -> list[int]:
    return [d for d in range(2, n + 1) if n % d == 0]
