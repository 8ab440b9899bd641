"""Random CNN programs: every kind of layer and tensor operation, joined at random, in several spellings.

A program is an ``nn.Module`` that interprets a list of steps over a growing list of values. Steps marked
``constant`` spell a channel count as a Python number, which no resized network can follow: the engine has
to keep such channels or to refuse.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Run = Callable[..., Tensor | list[Tensor]]


class Program(nn.Module):
    """A random network.

    Attributes:
        steps: (title, indices of the values read, function) for each step.
        constant: whether a channel count is spelt as a Python number somewhere.
        least: the smallest width worth trying: torch.einsum multiplies instead of contracting where one
            channel is left, and torch's flop counter does not count that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.parameters_ = nn.ParameterList()
        self.steps: list[tuple[str, list[int], Run]] = []
        self.outputs: list[int] = []
        self.constant = False
        self.least = 1

    def layer(self, module: nn.Module) -> int:
        """Add a layer; return its index. Steps refer to layers by index, so that copies stay apart."""
        self.layers.append(module)
        return len(self.layers) - 1

    def parameter(self, *shape: int) -> int:
        """Add a bare parameter; return its index."""
        self.parameters_.append(nn.Parameter(torch.randn(*shape)))
        return len(self.parameters_) - 1

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        values = list(inputs)
        for _, reads, run in self.steps:
            out = run(self, *(values[i] for i in reads))
            values.extend(out if isinstance(out, (list, tuple)) else [out])
        return [values[i] for i in self.outputs]

    def listing(self) -> str:
        """The steps, for a report."""
        return "\n".join(f"{title} {reads}" for title, reads, _ in self.steps) + f"\noutputs {self.outputs}"


class _Writer:
    """Grows a program step by step, running each step to know the shapes."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.program = Program()
        self.values: list[Tensor] = []

    def add(self, title: str, reads: list[int], run: Run) -> None:
        with torch.no_grad():
            out = run(self.program, *(self.values[i].clone() for i in reads))
        self.program.steps.append((title, reads, run))
        self.values.extend(out if isinstance(out, (list, tuple)) else [out])

    def image(self) -> int:
        """The index of a random value of shape (1, C, H, W)."""
        found = [i for i, v in enumerate(self.values) if v.ndim == 4]
        return self.rng.choice(found[-4:] if self.rng.random() < 0.8 else found)

    def alike(self, index: int) -> int:
        """Another value of the same shape, made by a convolution where there is none."""
        shape = self.values[index].shape
        found = [i for i, v in enumerate(self.values) if v.shape == shape and i != index]
        if found and self.rng.random() < 0.8:
            return self.rng.choice(found)
        self.convolution(index, shape[1], bias=True)
        return len(self.values) - 1

    def convolution(self, index: int, out: int, kernel: int = 1, groups: int = 1, bias: bool = False) -> None:
        channels = self.values[index].shape[1]
        n = self.program.layer(nn.Conv2d(channels, out, kernel, 1, kernel // 2, groups=groups, bias=bias))
        self.add(f"conv {channels}->{out} k{kernel} g{groups}", [index], lambda p, x: p.layers[n](x))


def _divisors(n: int) -> list[int]:
    return [d for d in range(2, n + 1) if n % d == 0]


def _conv(w: _Writer) -> None:
    w.convolution(w.image(), w.rng.randint(2, 8), w.rng.choice([1, 3]), bias=w.rng.random() < 0.5)


def _grouped(w: _Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    if _divisors(c):
        g = w.rng.choice(_divisors(c))
        w.convolution(i, g * w.rng.randint(1, 3), w.rng.choice([1, 3]), g, w.rng.random() < 0.5)


def _depthwise(w: _Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    w.convolution(i, c * w.rng.choice([1, 1, 2]), 3, c, w.rng.random() < 0.5)


def _transposed(w: _Writer) -> None:
    i = w.image()
    c, size = w.values[i].shape[1], w.values[i].shape[2]
    if size > 8:
        return
    g = w.rng.choice([1, 1, *_divisors(c)])
    n = w.program.layer(nn.ConvTranspose2d(c, g * w.rng.randint(1, 3), 2, w.rng.choice([1, 2]), groups=g))
    w.add(f"transposed g{g}", [i], lambda p, x: p.layers[n](x))


def _norm(w: _Writer) -> None:
    i = w.image()
    c, size = w.values[i].shape[1:3]
    kinds = [nn.BatchNorm2d(c), nn.BatchNorm2d(c), nn.BatchNorm2d(c), nn.BatchNorm2d(c, affine=False)]
    if size > 1:
        kinds += [nn.InstanceNorm2d(c, affine=True), nn.InstanceNorm2d(c, track_running_stats=True)]
        kinds += [nn.GroupNorm(w.rng.choice([1, c, *_divisors(c)]), c)]
    norm = w.rng.choice(kinds)
    n = w.program.layer(norm.eval())
    w.add(type(norm).__name__, [i], lambda p, x: p.layers[n](x))


def _layer_norm(w: _Writer) -> None:
    i = w.image()
    n = w.program.layer(nn.LayerNorm(w.values[i].shape[1]))
    w.add("LayerNorm", [i], lambda p, x: p.layers[n](x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def _activation(w: _Writer) -> None:
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


def _join(w: _Writer) -> None:
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


def _cat(w: _Writer) -> None:
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


def _split(w: _Writer) -> None:
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


def _shuffle(w: _Writer) -> None:
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


def _spatial(w: _Writer) -> None:
    i = w.image()
    size = w.values[i].shape[2]
    kinds: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        ("avg 3", lambda x: F.avg_pool2d(x, 3, 1, 1)), ("max 3", lambda x: F.max_pool2d(x, 3, 1, 1)),
        ("permute", lambda x: x.permute(0, 1, 3, 2)), ("unsqueeze", lambda x: x[:, :, None].squeeze(2)),
    ]  # fmt: skip
    if size >= 4:
        kinds += [("max 2", lambda x: F.max_pool2d(x, 2)), ("stride", lambda x: x[..., ::2, ::2])]
        kinds += [("adaptive", lambda x: F.adaptive_avg_pool2d(x, 2))]
    if size <= 4:
        kinds += [("nearest", lambda x: F.interpolate(x, scale_factor=2))]
        kinds += [("bilinear", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))]
    title, function = w.rng.choice(kinds)
    w.add(title, [i], lambda p, x: function(x))


def _attention(w: _Writer) -> None:
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


def _bare(w: _Writer) -> None:
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


def _linear(w: _Writer) -> None:
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


def _shared(w: _Writer) -> None:
    i = w.image()
    c = w.values[i].shape[1]
    if w.rng.random() < 0.5:
        n = w.program.layer(nn.Conv2d(c, c, 1))
        w.add("conv twice", [i], lambda p, x: p.layers[n](F.relu(p.layers[n](x))))
    else:
        j = w.alike(i)
        n = w.program.layer(nn.Conv2d(c, w.rng.randint(2, 6), 3, padding=1))
        w.add("shared conv", [i, j], lambda p, x, y: [p.layers[n](x), p.layers[n](y)])


def _write(w: _Writer) -> None:
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


def _correlate(w: _Writer) -> None:
    i = w.image()
    j = w.alike(i)
    c = w.values[i].shape[1]
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
        del c


STEPS: list[tuple[Callable[[_Writer], None], int]] = [
    (_conv, 6), (_grouped, 2), (_depthwise, 2), (_transposed, 1), (_norm, 4), (_layer_norm, 1), (_activation, 4),
    (_join, 4), (_cat, 3), (_split, 2), (_shuffle, 3), (_spatial, 2), (_attention, 2), (_bare, 2), (_linear, 2),
    (_shared, 1), (_write, 1), (_correlate, 1),
]  # fmt: skip


def random_program(rng: random.Random, most: int = 12) -> tuple[Program, tuple[Tensor, ...]]:
    """A random program and inputs for it, in float64.

    Args:
        rng: where all decisions come from.
        most: the largest number of steps.
    """
    torch.manual_seed(rng.randrange(2**31))
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return _random_program(rng, most)
    finally:
        torch.set_default_dtype(default)


def _random_program(rng: random.Random, most: int) -> tuple[Program, tuple[Tensor, ...]]:
    writer = _Writer(rng)
    inputs = tuple(torch.randn(1, rng.choice([2, 3]), 6, 6) for _ in range(rng.choice([1, 1, 1, 2])))
    writer.values = list(inputs)
    for i in range(len(inputs)):
        writer.convolution(i, rng.randint(4, 8), 3, bias=True)
    kinds, weights = zip(*STEPS, strict=True)
    for _ in range(rng.randint(2, most)):
        rng.choices(kinds, weights)[0](writer)
    last = len(writer.values) - 1
    if rng.random() < 0.8 and writer.values[last].ndim == 4:
        writer.convolution(last, 2, 1, bias=True)
        last = len(writer.values) - 1
    program = writer.program
    program.outputs = [last]
    if rng.random() < 0.3:
        program.outputs.append(rng.randrange(len(inputs), last + 1))
    program.eval()
    for module in program.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return program, inputs
