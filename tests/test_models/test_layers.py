import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

import lwdna_mm.models.layers  # noqa: F401
from lwdna_mm.shrink import GatedConv2d


def test_any_mm_config_can_name_the_gated_convolution():
    torch.manual_seed(0)
    gated = MODELS.build(dict(type="mmpretrain.ResNet", depth=18, conv_cfg=dict(type="GatedConv2d")))
    plain = MODELS.build(dict(type="mmpretrain.ResNet", depth=18))
    convolutions = [m for m in gated.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 20
    assert all(type(m) is GatedConv2d for m in convolutions)

    missing, unexpected = gated.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected
    assert {name.rpartition(".")[2] for name in missing} == {"z_in", "z_out"}
    x = torch.rand(2, 3, 32, 32)
    plain.eval()  # returns None
    gated.eval()
    (expected,), (y,) = plain(x), gated(x)
    assert torch.equal(y, expected)
    y.sum().backward()
    assert all(m.z_in.grad is not None and m.z_out.grad is not None for m in convolutions)


def test_it_is_found_from_another_scope():
    from mmcv.cnn import build_conv_layer

    with DefaultScope.overwrite_default_scope("mmagic"):
        assert type(build_conv_layer(dict(type="GatedConv2d"), 3, 4, 1)) is GatedConv2d
