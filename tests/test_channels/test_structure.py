"""Copies that share a network's values, or have none."""

import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from lwdna_mm.channels.structure import copy_shapes, copy_structure
from tests.networks import NETWORKS


class Odd(nn.Module):
    """All that a module may hold."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.again = self.conv
        self.tied = nn.Conv2d(3, 4, 1)
        self.tied.weight = self.conv.weight
        self.register_buffer("seen", torch.zeros(1), persistent=False)
        self.constant, self.cache, self.also = torch.ones(2, 2), {}, None
        self.also = self.cache
        self.nested = {"layers": [self.conv, nn.ReLU()], 3: OrderedDict(a=(1, [2]))}
        self.back = [self.nested]
        self.empty = nn.Sequential()


def test_it_is_what_deepcopy_makes():
    model = Odd()
    copied, memo = copy_structure(model), {id(t): t for t in [*model.parameters(), *model.buffers()]}
    assert vars(copied).keys() == vars(copy.deepcopy(model, memo)).keys()
    assert copied.conv.weight is model.conv.weight is copied.tied.weight
    assert copied.seen is model.seen
    assert copied.again is copied.conv is not model.conv
    assert copied.cache is copied.also is not model.cache
    assert copied.constant is not model.constant
    assert torch.equal(copied.constant, model.constant)
    assert copied.nested["layers"][0] is copied.conv
    assert copied.nested[3] == model.nested[3]
    assert copied.nested[3]["a"][1] is not model.nested[3]["a"][1]
    assert copied.back[0] is copied.nested
    copied.conv.register_forward_hook(lambda *_: None)
    copied.conv.out_channels = 7
    assert not model.conv._forward_hooks
    assert model.conv.out_channels == 4


def test_modules_that_say_how_they_are_copied():
    class Own(nn.Linear):
        def __deepcopy__(self, memo):
            return Own(2, 2)

    class Saved(nn.Linear):
        def __getstate__(self):
            return {**super().__getstate__(), "saved": True}

    model = nn.Sequential(Own(2, 5), Saved(5, 2), nn.Linear(2, 2))
    parametrize.register_parametrization(model[2], "weight", nn.Tanh())
    copied = copy_structure(model)
    assert copied[0].out_features == 2
    assert copied[1].saved
    assert copied[2].parametrizations.weight.original is model[2].parametrizations.weight.original
    assert torch.equal(copied[2].weight, model[2].weight)


@pytest.mark.parametrize("name", ["ResNet-20 (CIFAR)", "EfficientNet-B0"])
def test_a_copy_computes_the_same(name):
    network = NETWORKS[name]
    model = network.build().eval()
    with torch.no_grad():
        outputs = [network.forward(m, *network.inputs) for m in (model, copy_structure(model))]
        shapes = network.forward(copy_shapes(model), *(t.to("meta") for t in network.inputs))
    assert torch.equal(outputs[0][0], outputs[1][0])
    assert shapes[0].is_meta
    assert shapes[0].shape == outputs[0][0].shape
