"""The proof's passes: what they leave as it is, and whose weights they read."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lwdna_mm.channels import ChannelPlan, ResizeError, analyze, resize


def shrink(network, inputs, name="0"):
    return resize(network, analyze(network.eval(), inputs), ChannelPlan({name: [0, 1, 2, 5, 6]}))


def test_inputs_of_whole_numbers_are_left_as_they_are():
    class Masking(nn.Sequential):
        def forward(self, x, places):
            return super().forward(x) * places.add_(1)

    network, places = Masking(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 2, 1)), torch.zeros(1, dtype=torch.int64)
    shrink(network, (torch.rand(1, 3, 8, 8), places))
    assert places == 0


def test_random_numbers_are_the_same_in_both_networks_and_the_users_go_on():
    class Autoencoder(nn.Sequential):
        def forward(self, x):
            mean = self[1](self[0](x))
            return self[3](self[2](mean + torch.randn_like(mean)))

    layers = (nn.Conv2d(a, b, 1) for a, b in ((3, 8), (8, 4), (4, 6), (6, 3)))
    network = Autoencoder(*layers).eval()
    graph = analyze(network, torch.rand(1, 3, 8, 8))
    state = torch.get_rng_state()
    assert resize(network, graph, graph.scaled(0.5))[0].out_channels == 4
    assert torch.equal(torch.get_rng_state(), state)


class Foreign(nn.Module):
    """Its copies read a weight of its own, or a teacher's."""

    def __init__(self, hold):
        super().__init__()
        self.trap, self.read, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1), nn.Conv2d(3, 2, 1)
        self.held = hold(self)

    def forward(self, x):
        weight = self.held() if callable(self.held) else self.held[0]
        return self.read(self.trap(x)) + F.conv2d(x, weight)


@pytest.mark.parametrize(
    "hold",
    [
        lambda model: [model.head.weight],
        lambda model: lambda: model.head.weight,
        lambda model: lambda: model.head.weight.detach().flip(0),
    ],
    ids=["in a list", "in a closure", "a view"],
)
def test_a_weight_that_is_still_the_originals(hold):
    with pytest.raises(ResizeError, match=r"reads 'head.weight' of the original, which is held in a closure or a list"):
        shrink(Foreign(hold), torch.rand(1, 3, 8, 8), "trap")


def test_a_teacher_beside_the_network_is_none_of_its_weights():
    small = shrink(Foreign(lambda model: [copy.deepcopy(model.head).weight]), torch.rand(1, 3, 8, 8), "trap")
    assert small.trap.out_channels == 5
