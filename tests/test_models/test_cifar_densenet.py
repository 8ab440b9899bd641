import pytest
import torch
from torch import nn

from lwdna_mm.errors import UserError
from lwdna_mm.models.cifar_densenet import CifarDenseNet


def test_it_is_densenet_40_of_the_paper():
    """Table 2: depth 40, growth 12, 1.0 M parameters with a classifier of ten classes."""
    model = CifarDenseNet(40, growth=12)
    (features,) = model(torch.rand(2, 3, 32, 32))
    assert features.shape == (2, 448, 8, 8)
    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert len(convs) == 39
    assert [conv.kernel_size for conv in convs].count((1, 1)) == 2
    params = sum(parameter.numel() for parameter in model.parameters()) + 449 * 10
    assert round(params / 1e6, 1) == 1.0


def test_every_layer_reads_all_before_it():
    model = CifarDenseNet(10, growth=4, base_channels=6)
    model.eval()  # returns None, as in all of mmpretrain's backbones
    layers = [module for module in model.stages if isinstance(module, nn.Sequential) and len(module) == 3]
    assert [layer[2].in_channels for layer in layers] == [6, 10, 14, 18, 22, 26]
    x = torch.rand(1, 6, 8, 8)
    assert torch.equal(layers[0](x)[:, :6], x)


@pytest.mark.parametrize("depth", [4, 41])
def test_other_depths_are_refused(depth: int):
    with pytest.raises(UserError, match=f"depth is {depth}, but must be 3n \\+ 4"):
        CifarDenseNet(depth)
