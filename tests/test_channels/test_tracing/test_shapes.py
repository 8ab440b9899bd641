"""A trace without values finds what a trace with values finds, and gives up where values are asked for."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_map

from lwdna_mm.channels import analyze
from lwdna_mm.channels.build import build_graph
from lwdna_mm.channels.tracing.rules import tensors_in
from lwdna_mm.channels.tracing.shapes import run
from tests.networks import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_graph_as_with_values(name):
    network = NETWORKS[name]
    model = network.build().eval()
    graph = analyze(model, network.inputs, forward=network.forward)
    assert not graph.tracing.values
    real = build_graph(model, replace(graph.tracing, values=True))
    assert (real.fingerprint, real.frozen, real.notes) == (graph.fingerprint, graph.frozen, graph.notes)
    assert (real.flops(), real.params(), real.acts()) == (graph.flops(), graph.params(), graph.acts())
    for mine, other in zip(real.groups.values(), graph.groups.values(), strict=True):
        assert (mine.producers, mine.consumers, mine.gated) == (other.producers, other.consumers, other.gated)
        assert all((other.members[site] == positions).all() for site, positions in mine.members.items())


class Asks(nn.Sequential):
    """Its way depends on a value."""

    def forward(self, x):
        y = super().forward(x)
        return y if y.sum() > 0 else -y


class Keeps(nn.Sequential):
    """Writes into a tensor that it keeps beside its parameters."""

    seen = torch.zeros(2)

    def forward(self, x):
        y = super().forward(x)
        self.seen.copy_(y.mean((0, 2, 3)))
        return y


@pytest.mark.parametrize("kind", [Asks, Keeps])
def test_values_where_they_are_asked_for(kind):
    graph = analyze(kind(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1)).eval(), torch.rand(1, 3, 8, 8))
    assert graph.tracing.values
    assert list(graph.free) == ["0"]


def test_values_where_another_networks_weights_are_used():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1)).eval()
    graph = analyze(model, torch.rand(1, 3, 8, 8), forward=lambda _, x: model(x))
    assert graph.tracing.values
    assert list(graph.free) == ["0"]


ATEN = torch.ops.aten
X, LINE, FLAT = torch.rand(2, 4, 5, 5), torch.rand(1, 4, 1, 1), torch.rand(4)


@pytest.mark.parametrize(
    ("func", "args"),
    [
        (ATEN.relu.default, (X,)),
        (ATEN.relu.default, (X.permute(0, 2, 3, 1),)),
        (ATEN.relu.default, (torch.ones(2, dtype=torch.int64),)),
        (ATEN.add.Tensor, (X, LINE)),
        (ATEN.add.Tensor, (LINE, X)),
        (ATEN.add.Tensor, (X, 2.0)),
        (ATEN.add.Tensor, (X, X.double())),
        (ATEN.mul.Tensor, (X, X.permute(0, 1, 3, 2))),
        (ATEN.div.Tensor, (torch.ones(2, dtype=torch.int64), 2)),
        (ATEN.clamp.default, (X, 0.0, 6.0)),
        (ATEN.hardtanh_.default, (X.clone(), 0.0, 6.0)),
        (ATEN.native_batch_norm.default, (X, FLAT, FLAT, FLAT, FLAT, False, 0.1, 1e-5)),
        (ATEN.native_batch_norm.default, (X, FLAT, FLAT, FLAT.clone(), FLAT.clone(), True, 0.1, 1e-5)),
        (ATEN.cat.default, ([X, X], 1)),
    ],
)
def test_shapes_are_those_with_values(func, args):
    name = func._schema.name.removeprefix("aten::")
    meta = tree_map(lambda leaf: leaf.to("meta") if torch.is_tensor(leaf) else leaf, args)
    got, expected = run(func, name, meta, {}, list(tensors_in(meta))), func(*args)
    pairs = zip(got, expected, strict=True) if isinstance(got, tuple) else [(got, expected)]
    for mine, real in pairs:
        assert mine.is_meta
        assert (mine.shape, mine.stride(), mine.dtype) == (real.shape, real.stride(), real.dtype)
