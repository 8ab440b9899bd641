"""Buffers that work like weights, such as the embeddings of class names that a network compares its features with."""

import random
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lwdna_mm.channels import analyze
from lwdna_mm.shrink.gates import attach_gates
from tests.oracle import halved_difference, masked_difference, random_plan


class Compared(nn.Module):
    """Features times a buffer, by some of the ways to say so."""

    def __init__(self, product: Callable[[Tensor, Tensor], Tensor], between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stem, self.embed, self.out = nn.Linear(5, 8), nn.Linear(8, 6), nn.Linear(4, 3)
        self.register_buffer("text", torch.randn(4, 6))
        self.product, self.between = product, between

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.product(self.between(self.embed(self.stem(x))), self.text))


PRODUCTS = {
    "F.linear": F.linear,
    "from the left": lambda x, text: (text @ x.mT).mT,
    "convolution": lambda x, text: F.conv2d(x[..., None, None], text[..., None, None]).flatten(1),
}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_group_that_a_buffer_reads_has_its_gates_at_the_layer_before(product: str) -> None:
    torch.manual_seed(0)
    model, x = Compared(PRODUCTS[product], F.relu).double().eval(), torch.randn(2, 5, dtype=torch.float64)
    graph = analyze(model, x)
    assert list(graph.free) == ["stem", "embed", "text"]
    assert graph.groups["embed"].consumers == (("text", 1),)
    assert graph.groups["embed"].gated == (("embed.weight", 0), ("embed.bias", 0))
    assert masked_difference(model, graph, random_plan(graph, random.Random(0))) < 1e-12
    assert halved_difference(model, graph) < 1e-12
    before = model(x)
    gates = attach_gates(model, graph)
    assert gates.names == ("stem", "embed", "text")
    assert torch.equal(model(x), before)
    model(x).sum().backward()
    assert bool(gates["embed"].grad.abs().min() > 0 or gates["embed"].grad.any())


def test_a_group_without_a_place_for_its_gates_is_frozen() -> None:
    model, x = Compared(F.linear, torch.sigmoid).double(), torch.randn(2, 5, dtype=torch.float64)
    graph = analyze(model, x)
    assert list(graph.free) == ["stem", "text"]
    assert "a sum by a buffer, of a value that does not vanish with its parameters" in graph.frozen["embed"]
    assert attach_gates(model, graph).names == ("stem", "text")


def test_a_buffer_that_reads_is_a_last_layer() -> None:
    class Last(Compared):
        def forward(self, x: Tensor) -> Tensor:
            return F.linear(self.embed(self.stem(x)), self.text)

    graph = analyze(Last(None, None), torch.randn(2, 5))
    assert graph.last == ("embed",)


def test_what_a_depthwise_buffer_blurs_vanishes_with_the_layer_before() -> None:
    class Blurred(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.read = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)
            self.register_buffer("kernel", torch.rand(8, 1, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            y = F.conv2d(self.stem(x), self.kernel, groups=self.kernel.shape[0])
            return self.read(y * (y * y).sum(1, keepdim=True))

    model = Blurred().double().eval()
    graph = analyze(model, torch.rand(1, 3, 8, 8, dtype=torch.float64))
    assert graph.groups["stem"].gated == (("read.weight", 1), ("stem.weight", 0), ("stem.bias", 0))
    assert masked_difference(model, graph, random_plan(graph, random.Random(0))) < 1e-12
