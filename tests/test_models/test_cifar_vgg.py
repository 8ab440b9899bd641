import pytest
import torch
from mmpretrain.models.backbones.vgg import VGG
from torch import nn

from lwdna_mm.errors import UserError
from lwdna_mm.models.cifar_vgg import CifarVGG


@pytest.mark.parametrize("depth", [11, 16])
def test_at_width_one_it_is_mmpretrains(depth: int):
    ours, theirs = CifarVGG(depth), VGG(depth, norm_cfg=dict(type="BN"), num_classes=-1)
    ours.load_state_dict(theirs.state_dict())
    images = torch.rand(2, 3, 32, 32)
    ours.eval(), theirs.eval()
    assert torch.equal(ours(images)[0], theirs(images)[0])


def test_half_its_width_has_half_the_channels_everywhere():
    model = CifarVGG(11, 0.5)
    assert model(torch.rand(2, 3, 32, 32))[0].shape == (2, 256, 1, 1)
    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [32, 64, 128, 128, 256, 256, 256, 256]


def test_another_depth_is_refused():
    with pytest.raises(UserError, match="depth is 12, but must be one of 11, 13, 16, 19"):
        CifarVGG(12)
