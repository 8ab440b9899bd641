import pytest
import torch
from torch import nn

from lwdna_mm.models.mobilenet_v1 import MobileNetV1


@pytest.mark.parametrize(("width", "params"), [(1.0, 3_206_976), (0.5, 818_592)])
def test_parameters_are_those_of_the_paper(width: float, params: int):
    """4.2 M at width 1 with the paper's 1000-class layer of 1,025,000, 1.3 M at 0.5 with its 513,000."""
    model = MobileNetV1(width)
    assert sum(parameter.numel() for parameter in model.parameters()) == params
    with_classifier = params + (int(1024 * width) + 1) * 1000
    assert round(with_classifier / 1e6, 1) == {1.0: 4.2, 0.5: 1.3}[width]


def test_it_reduces_an_image_by_32_in_13_separable_blocks():
    model = MobileNetV1(0.5)
    (features,) = model(torch.rand(2, 3, 64, 64))
    assert features.shape == (2, 512, 2, 2)
    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert len(convs) == 1 + 2 * 13
    assert [conv.groups for conv in convs[1::2]] == [conv.in_channels for conv in convs[1::2]]
    assert [conv.kernel_size for conv in convs[2::2]] == [(1, 1)] * 13
