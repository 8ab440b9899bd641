"""The proof refuses wrong networks, however well they hide, and no right ones."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lwdna_mm.channels import ChannelPlan, analyze, resize
from lwdna_mm.channels.transfer import ResizeError, Transfer
from lwdna_mm.channels.verify import mismatch
from tests.check_networks import prepare
from tests.oracle import counted


class Eight(nn.Conv2d):
    """A trap: it computes something else at any other width than eight."""

    def forward(self, x):
        y = super().forward(x)
        return y if y.shape[1] == 8 else 2 * y.flip(1)


class Trapped(nn.Module):
    """The trap, and a function of its output as the network's."""

    def __init__(self, head, bias=True):
        super().__init__()
        self.trap, self.read, self.head = Eight(3, 8, 3, bias=bias), nn.Conv2d(8, 2, 1, bias=bias), head

    def forward(self, x):
        return self.head(self.read(self.trap(x)))


def shrink(network, inputs=None, name="trap"):
    inputs = torch.rand(1, 3, 16, 16) if inputs is None else inputs
    graph = analyze(network.eval(), inputs)
    return resize(network, graph, ChannelPlan({name: [0, 1, 2, 5, 6]}))


def test_behind_many_layers():
    layers = [Eight(3, 8, 3)]
    for _ in range(20):
        layers += [nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    with pytest.raises(ResizeError, match="group '0' fails: the resized network computes something else"):
        shrink(nn.Sequential(*layers, nn.Conv2d(8, 2, 1)), name="0")


@pytest.mark.parametrize(
    ("head", "bias"),
    [
        (lambda y: y, True),
        (lambda y: (y * 0, y.log()), True),  # not a number at some places
        (lambda y: (y.mean() * 0, y.argmax(1)), True),
        (lambda y: (y.masked_fill(y > 0, -torch.inf), 0 * y), True),
    ],
)
def test_in_any_output(head, bias):
    with pytest.raises(ResizeError, match="group 'trap' fails"):
        shrink(Trapped(head, bias))


def test_with_an_example_of_zeros():
    with pytest.raises(ResizeError, match="group 'trap' fails"):
        shrink(Trapped(lambda y: y, bias=False), torch.zeros(1, 3, 16, 16))


def test_outputs_without_any_finite_number_prove_nothing():
    with pytest.raises(ResizeError, match="no finite number"):
        shrink(Trapped(lambda y: y * torch.nan))


def test_infinite_and_undefined_places_of_a_right_network_are_no_difference():
    class Masked(nn.Sequential):
        def forward(self, x):
            y = super().forward(x)
            return y.masked_fill(x[:, :1, 1:-1, 1:-1] > 0.5, -torch.inf), y.log()

    small = shrink(Masked(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1)), name="0")
    assert small[0].out_channels == 5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_types_other_than_float32(dtype):
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 2, 1)).to(dtype).eval()
    graph = analyze(network, torch.rand(1, 3, 8, 8, dtype=dtype))
    wide = resize(network, graph, graph.scaled(2.0))
    assert {p.dtype for p in wide.parameters()} == {dtype}


def test_a_network_that_insists_on_float32():
    class Insisting(nn.Sequential):
        def forward(self, x):
            return super().forward(x.float())

    small = shrink(Insisting(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 1)), name="0")
    assert small[0].out_channels == 5


def test_inputs_and_buffers_are_left_as_they_are():
    class Writing(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1)
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, x):
            self.seen += 1
            return self.b(self.a(x.sub_(0.5).div_(0.25)))

    network, image = Writing(), torch.rand(1, 3, 8, 8)
    before = image.clone()
    small = shrink(network, image, name="a")
    assert torch.equal(image, before)
    assert network.seen == 0
    assert small.seen == 0


class OneWinner(nn.Module):
    """An attention with one winner everywhere, whatever the scale, by torch or by hand."""

    def __init__(self, attend):
        super().__init__()
        self.trap, self.value, self.out, self.attend = (
            *(nn.Conv2d(3, 8, 1) for _ in range(2)),
            nn.Conv2d(8, 2, 1),
            attend,
        )

    def forward(self, x):
        q, v = (layer(x).flatten(2).transpose(1, 2) for layer in (self.trap, self.value))
        return self.out(self.attend(1e4 * q, q, v).transpose(1, 2).unflatten(2, x.shape[2:]))


@pytest.mark.parametrize(
    "attend",
    [
        F.scaled_dot_product_attention,
        lambda q, k, v: (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1) @ v,
        lambda q, k, v: (q @ k.mT / q.shape[-1]).softmax(-1) @ v,
    ],
    ids=["by torch", "by hand", "by a whole number"],
)
def test_a_scale_that_depends_on_the_width(attend):
    with pytest.raises(
        ResizeError, match=r"'trap' fails: (mul|div) works with [\d.]+ in the original, and with [\d.]+ in the"
    ):
        shrink(OneWinner(attend))


def test_whole_numbers_among_places_are_no_scale():
    def attend(q, k, v):
        places = torch.arange(q.shape[-1]) * q.shape[-1]
        return q + k + v + 0 * places[:1]

    assert shrink(OneWinner(attend)).trap.out_channels == 5


def test_a_number_that_is_none_is_no_other_number():
    small = shrink(OneWinner(lambda q, k, v: (q * k.masked_fill(k > 1e9, float("nan"))) + v))
    assert small.trap.out_channels == 5


def test_attention_by_a_scale_of_its_own():
    small = shrink(OneWinner(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.3)))
    assert small.trap.out_channels == 5


def test_attention_costs_its_matrix_products():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.qkv, self.out = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 24, 1), nn.Conv2d(8, 2, 1)

        def forward(self, x):
            q, k, v = self.qkv(self.stem(x)).flatten(2).transpose(1, 2).chunk(3, dim=-1)
            return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).unflatten(2, x.shape[2:]))

    network = Attention().eval()
    graph = analyze(network, torch.rand(1, 3, 4, 4))
    assert graph.flops() == counted(network, graph)[0] == 16 * (3 * 8 + 8 * 24 + 8 * 2) + 2 * 16 * 16 * 8


def test_gates_of_three_copies_are_as_exact_as_the_rest() -> None:
    model, graph, _ = prepare("ResNet-20 (CIFAR)")
    sources = graph.resolve(graph.scaled(2.7))  # a third has no exact value in float32
    assert mismatch(model, Transfer(model, graph, sources))[0] < 1e-12


class TrapForLargeImages(nn.Conv2d):
    """Computes something else where an image is large and the width is not eight."""

    def forward(self, x):
        y = super().forward(x)
        return y if y.shape[1] == 8 or x.shape[2] < 100 else -y


def test_a_corner_is_no_proof_for_a_network_that_does_something_else_with_the_whole():
    network = nn.Sequential(TrapForLargeImages(3, 8, 3), nn.Conv2d(8, 2, 1))
    assert shrink(network, torch.rand(1, 3, 96, 96), "0")[0].out_channels == 5
    with pytest.raises(ResizeError, match="group '0' fails: the resized network computes something else"):
        shrink(network, torch.rand(1, 3, 128, 128), "0")


def test_a_corner_that_leaves_one_pixel_is_no_proof():
    """Of a map of one pixel nothing is left without its mean, whatever the network computes."""

    def center(y):
        y = F.max_pool2d(y, 62)
        return y - y.mean((2, 3), keepdim=True)

    with pytest.raises(ResizeError, match="group 'trap' fails: the resized network computes something else"):
        shrink(Trapped(center), torch.rand(1, 3, 128, 128))


def test_the_corner_of_an_image_is_enough(monkeypatch):
    sizes = []

    class Watched(nn.Sequential):
        def forward(self, x):
            sizes.append((x.shape[2:], x.device.type))
            return super().forward(x)

    small = shrink(Watched(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 1)), torch.rand(1, 3, 100, 224), name="0")
    assert small[0].out_channels == 5
    assert sizes == [((100, 224), "meta")] * 2 + [((68, 64), "cpu")] * 2
