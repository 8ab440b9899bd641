import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from lwdna_mm.errors import UserError
from lwdna_mm.registry import MODELS

EFFICIENTNET = dict(type="EfficientNet", arch="b0")


def build(config: dict) -> nn.Module:
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        return MODELS.build(config)


def test_named_convolutions_keep_the_size_and_nothing_else_changes():
    images = torch.rand(1, 3, 32, 32)
    original = build(EFFICIENTNET)
    modules = ["layers.0.conv", "layers.3.0.depthwise_conv.conv"]
    changed = build(dict(type="lwdna_mm.StrideOne", backbone=EFFICIENTNET, modules=modules))
    assert type(changed) is type(original)
    changed.load_state_dict(original.state_dict())
    for model in (original, changed):
        model.eval()
    assert [model(images)[0].shape[-1] for model in (original, changed)] == [1, 4]
    for name in modules:
        changed.get_submodule(name).stride = (2, 2)
    assert torch.equal(original(images)[0], changed(images)[0])


@pytest.mark.parametrize("name", ["layers.0", "layers.9.conv", "layers.6.conv"])
def test_a_name_that_is_no_strided_convolution_is_told(name: str):
    with pytest.raises(UserError, match=rf"'{name}' is no convolution with a stride; there are layers.0.conv, "):
        build(dict(type="lwdna_mm.StrideOne", backbone=EFFICIENTNET, modules=[name]))
