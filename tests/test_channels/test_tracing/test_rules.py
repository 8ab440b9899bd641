"""Operations in their many spellings: exact, or kept with a note that names the operation and the module."""

import random
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lwdna_mm.channels import analyze
from tests.oracle import halved_difference, masked_difference, random_plan


class Between(nn.Module):
    """Two convolutions with something between them; ``self.extra`` is a parameter it may use."""

    def __init__(self, between: Callable, channels: int = 8, out: int | None = None, extra: tuple = ()) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.between = between
        self.extra = nn.Parameter(torch.randn(extra)) if extra else None
        self.op = nn.Identity()
        with torch.no_grad():
            width = self._middle(torch.zeros(1, 3, 8, 8)).shape[1]
        self.second = nn.Conv2d(width, 2, 1)

    def _middle(self, x: Tensor) -> Tensor:
        x = self.op(self.first(x))
        return self.between(x) if self.extra is None else self.between(x, self.extra)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self._middle(x))


EXACT = {
    "windows": lambda x: x.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5)),
    "moves in place": lambda x: x.clone().unsqueeze_(2).transpose_(3, 4).squeeze_(2),
    "softmax over branches": lambda x: (torch.stack([x, x.relu()], 1).softmax(1) * x[:, None]).sum(1),
    "method relu": lambda x: x.relu(),
    "in-place relu": lambda x: x.relu_(),
    "in-place hardswish": lambda x: F.hardswish(x, inplace=True),
    "in-place add": lambda x: x.add_(x.sigmoid()),
    "torch.add": lambda x: torch.add(x, x, alpha=2),
    "scalar on the left": lambda x: 1 - x,
    "roll of channels": lambda x: torch.roll(x, 3, 1),
    "roll of space": lambda x: torch.roll(x, (1, 1), (2, 3)),
    "flip": lambda x: x.flip(1),
    "interpolate nearest": lambda x: F.interpolate(x, scale_factor=2),
    "interpolate bilinear": lambda x: F.interpolate(x, size=(5, 5), mode="bilinear"),
    "interpolate bicubic": lambda x: F.interpolate(x, size=(5, 5), mode="bicubic"),
    "adaptive max": lambda x: F.adaptive_max_pool2d(x, 2),
    "max with indices": lambda x: F.max_pool2d(x, 2, return_indices=True)[0],
    "lp pool": lambda x: F.lp_pool2d(x, 2, 2),
    "pixel shuffle": lambda x: F.pixel_shuffle(x, 2),
    "pixel unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "pixel shuffle by view": lambda x: (
        x.view(1, -1, 2, 2, 8, 8).permute(0, 1, 4, 2, 5, 3).reshape(1, -1, 16, 16)
    ),
    "cat with itself": lambda x: torch.cat((x, x.relu()), dim=1),
    "repeat": lambda x: x.repeat(1, 3, 1, 1),
    "repeat_interleave": lambda x: x.repeat_interleave(2, dim=1),
    "unflatten and flatten": lambda x: x.unflatten(1, (-1, 1)).flatten(1, 2),
    "pairs by unflatten, mean": lambda x: x.unflatten(1, (-1, 2)).mean(2),
    "halves by unflatten, max": lambda x: x.unflatten(1, (2, -1)).amax(1),
    "reflection pad": lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
    "replication pad": lambda x: F.pad(x, (1, 1, 1, 1), mode="replicate"),
    "constant pad": lambda x: F.pad(x, (1, 1), value=1.0),
    "spatial slices": lambda x: x[:, :, 1:-1, ::2],
    "full slice": lambda x: x[:, 0:],
    "one pixel": lambda x: x[:, :, 0, 0][..., None, None],
    "last token": lambda x: x.flatten(2).mT[:, -1][..., None, None],
    "unbound rows": lambda x: torch.stack(x.unbind(2)[::-1], 2),
    "diagonal of space": lambda x: x.diagonal(0, 2, 3)[..., None],
    "spatial mean": lambda x: x.mean((2, 3), keepdim=True),
    "spatial softmax": lambda x: x.flatten(2).softmax(-1).view_as(x),
    "spatial variance": lambda x: x.var((2, 3), keepdim=True),
    "normalize": lambda x: F.normalize(x, dim=1),
    "sum over channels": lambda x: x * x.sum(1, keepdim=True),
    "spatial attention": lambda x: (x.flatten(2) @ torch.softmax(x.flatten(2).mT @ x.flatten(2), -1)).view_as(x),
    "safe softmax": lambda x: torch.ops.aten._safe_softmax(x.flatten(2), -1).view_as(x),
    "unsafe split of rows": lambda x: torch.cat(torch.unsafe_split(x, 4, 2)[::-1], 2),
    "einsum over channels": lambda x: x * torch.einsum("nchw,nchw->nhw", x, x)[:, None],
    "correlation with itself": lambda x: x * F.conv2d(x, x.mean((2, 3), keepdim=True)),
    "zeros_like": lambda x: torch.zeros_like(x) + x,
    "new_zeros, copied": lambda x: x.new_zeros(x.shape).copy_(x),
    "where": lambda x: torch.where(x > 0, x, 0.1 * x),
    "masked_fill": lambda x: x.masked_fill(x < 0, 0.5),
    "clamp": lambda x: x.clamp(-1, 1),
    "stack and sum": lambda x: torch.stack([x, x.relu()]).sum(0),
    "space to depth by slices": lambda x: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2]], 1),
    "channels_last": lambda x: x.to(memory_format=torch.channels_last).permute(0, 2, 3, 1).permute(0, 3, 1, 2),
    "float and back": lambda x: x.float().double(),
    "instance norm": lambda x: F.instance_norm(x),
    "unsqueeze and squeeze": lambda x: x[:, :, None].squeeze(2),
    "movedim": lambda x: x.movedim(1, -1).movedim(-1, 1),
    "dropout": lambda x: F.dropout2d(x, 0.5, training=False),
}  # fmt: skip

KEPT = {
    "chunk": (lambda x: x.chunk(2, 1)[0], "split"),
    "unsafe split": (lambda x: torch.cat(torch.unsafe_split(x, 4, 1)[::-1], 1), "unsafe_split"),
    "split": (lambda x: torch.cat(x.split([2, 6], 1)[::-1], 1), "split_with_sizes"),
    "slice": (lambda x: x[:, :3], "slice"),
    "slice of one": (lambda x: x[:, 0:1] + x, "slice"),
    "select": (lambda x: x[:, 1][:, None] + x, "select"),
    "unbound channels": (lambda x: x + x.unbind(1)[0][:, None], "unbind"),
    "diagonal of channels": (lambda x: x.diagonal(0, 1, 2).mT[..., None], "diagonal"),
    "fancy index": (lambda x: x[:, [1, 0, 3, 2, 5, 4, 7, 6]], "index"),
    "index_select": (lambda x: x.index_select(1, torch.tensor([2, 1, 0])), "index_select"),
    "gather": (lambda x: x.gather(1, torch.zeros(1, 1, 8, 8, dtype=torch.long)), "gather"),
    "channel shuffle": (lambda x: F.channel_shuffle(x, 2), "channel_shuffle"),
    "shuffle by view": (lambda x: x.view(1, 2, 4, 8, 8).transpose(1, 2).reshape(1, 8, 8, 8), "view"),
    "softmax over channels": (lambda x: x.softmax(1), "_softmax"),
    "log_softmax over channels": (lambda x: F.log_softmax(x, 1), "_log_softmax"),
    "mean over channels": (lambda x: x * x.mean(1, keepdim=True), "mean"),
    "max over channels": (lambda x: x * x.max(1, keepdim=True)[0], "max"),
    "std over channels": (lambda x: x / x.std(1, keepdim=True), "std"),
    "sum of sigmoids": (lambda x: x * x.sigmoid().sum(1, keepdim=True), "sum"),
    "argmax": (lambda x: x * x.argmax(1, keepdim=True), "argmax"),
    "cumsum": (lambda x: x.cumsum(1), "cumsum"),
    "sort": (lambda x: x.sort(1)[0], "sort"),
    "layer norm": (lambda x: F.layer_norm(x, (8, 8, 8)), "native_layer_norm"),
    "group norm": (lambda x: F.group_norm(x, 2), "native_group_norm"),
    "pad of channels": (lambda x: F.pad(x, (0, 0, 0, 0, 2, 2)), "constant_pad_nd"),
    "slice write": (lambda x: _write(x), "copy_"),
    "glu": (lambda x: F.glu(x, 1), "glu"),
    "local response norm": (lambda x: F.local_response_norm(x, 3), "constant_pad_nd"),
    "unfold": (lambda x: F.unfold(x, 3, padding=1).view(1, 72, 8, 8), "im2col"),
    "constant tensor": (lambda x: x * torch.arange(8.0).view(1, 8, 1, 1), "arange"),
    "item": (lambda x: x * float(x[0, 0, 0, 0].detach()), "_local_scalar_dense"),
}  # fmt: skip


def _write(x: Tensor) -> Tensor:
    out = torch.zeros_like(x)
    out[:, :4] = x[:, 4:]
    return out


@pytest.mark.parametrize("title", EXACT)
def test_is_exact(title: str) -> None:
    torch.manual_seed(0)
    model = Between(EXACT[title]).double().eval()
    graph = analyze(model, torch.randn(1, 3, 8, 8, dtype=torch.float64))
    assert "first" in graph.free, graph.notes
    for seed in range(3):
        # Where one channel is left, einsum multiplies, which torch's flop counter does not count.
        plan = random_plan(graph, random.Random(seed), least=2 if "einsum" in title else 1)
        assert masked_difference(model, graph, plan) < 1e-9
    assert halved_difference(model, graph) < 1e-9


@pytest.mark.parametrize("title", KEPT)
def test_is_kept_with_a_note(title: str) -> None:
    between, operation = KEPT[title]
    graph = analyze(Between(between).eval(), torch.randn(1, 3, 8, 8))
    assert "first" not in graph.free
    assert any("first" in note and operation in note for note in graph.notes), graph.notes


PARAMETERS = {
    "matrix times vector": (lambda x, p: x * (x.squeeze(0).flatten(1).mT @ p).view(1, 1, 8, 8), (8,), True),
    "layer scale": (lambda x, p: x * p, (1, 8, 1, 1), True),
    "F.conv2d": (lambda x, p: F.conv2d(x, p), (5, 8, 1, 1), True),
    "grouped F.conv2d by a parameter": (lambda x, p: F.conv2d(x, p, groups=2), (6, 4, 1, 1), True),
    "F.linear per pixel": (lambda x, p: F.linear(x.permute(0, 2, 3, 1), p).permute(0, 3, 1, 2), (5, 8), True),
    "einsum": (lambda x, p: torch.einsum("nchw,dc->ndhw", x, p), (5, 8), True),
    "matmul from the left": (lambda x, p: (p @ x.flatten(2)).view(1, -1, 8, 8), (5, 8), True),
    "addmm": (lambda x, p: torch.addmm(x.new_zeros(1), x.mean((2, 3)), p)[..., None, None], (8, 5), True),
    "prelu": (lambda x, p: F.prelu(x, p), (8,), True),
    "batch_norm without running stats": (lambda x, p: F.batch_norm(x, None, None, p, p, True), (8,), True),
    "standardised weight": (lambda x, p: F.conv2d(x, p - p.mean(1, keepdim=True)), (5, 8, 1, 1), False),
    "position map": (lambda x, p: x + p, (1, 8, 8, 8), True),
    "softmaxed weight": (lambda x, p: F.conv2d(x, p.softmax(1)), (5, 8, 1, 1), False),
}  # fmt: skip


@pytest.mark.parametrize("title", PARAMETERS)
def test_bare_parameters(title: str) -> None:
    between, shape, free = PARAMETERS[title]
    torch.manual_seed(0)
    model = Between(between, extra=shape).double().eval()
    graph = analyze(model, torch.randn(1, 3, 8, 8, dtype=torch.float64))
    assert ("first" in graph.free) == free, graph.notes
    assert masked_difference(model, graph, random_plan(graph, random.Random(1), 2)) < 1e-9
    assert halved_difference(model, graph) < 1e-9


@pytest.mark.parametrize(
    ("norm", "reason"),
    [
        (nn.utils.parametrizations.weight_norm, "convolution in module '0' keeps its channels: its weight is computed"),
        (nn.utils.parametrizations.spectral_norm, "no rule for vdot in module '0.parametrizations.weight.0'"),
    ],
)
def test_a_computed_weight_keeps_its_channels_with_a_note(norm: Callable, reason: str) -> None:
    net = nn.Sequential(norm(nn.Conv2d(3, 8, 1)), nn.ReLU(), nn.Conv2d(8, 2, 1)).eval()
    graph = analyze(net, torch.randn(1, 3, 4, 4))
    assert not graph.free
    assert any(note.endswith(reason) for note in graph.notes), graph.notes


def test_a_note_names_operation_and_module() -> None:
    class Softmax(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.softmax(1)

    net = nn.Sequential(nn.Conv2d(3, 8, 1), Softmax(), nn.Conv2d(8, 2, 1))
    graph = analyze(net, torch.randn(1, 3, 4, 4))
    assert graph.notes[0] == "'0' (8 channels) is frozen: _softmax in module '1' over the channels"


def test_two_kinds_of_channels_along_one_axis_are_frozen() -> None:
    """Kernels mixed for every image, by a product with rows that are whole kernels."""

    class Dynamic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(6, 2, 1)
            self.choose, self.kernels = nn.Linear(8, 4), nn.Parameter(torch.randn(4, 6, 8, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x).relu()
            shares = self.choose(x.mean((2, 3))).softmax(1)
            mixed = shares @ self.kernels.flatten(1)
            return self.second(F.conv2d(x, mixed.view(self.kernels.shape[1:])))

    model = Dynamic().double().eval()
    graph = analyze(model, torch.randn(1, 3, 4, 4, dtype=torch.float64))
    assert graph.frozen["first"].startswith("channels of several kinds lie along one axis in")
    assert not graph.free


def test_python_constant_is_refused_by_name_or_frozen() -> None:
    model = Between(lambda x: x.view(1, 4, -1, 8, 8).mean(1)).eval()
    x = torch.randn(1, 3, 8, 8)
    graph = analyze(model, x, on_failure="freeze")
    plan = random_plan(graph, random.Random(0))
    assert masked_difference(model, graph, plan) < 1e-5
