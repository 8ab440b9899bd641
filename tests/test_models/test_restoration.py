from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from torch import nn

from lwdna_mm.channels import ChannelPlan, analyze, resize
from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.restoration import Bicubic, DnCNN, RestorationPreprocessor, RestorationUNet
from lwdna_mm.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def randomize(model: nn.Module) -> nn.Module:
    """Give every parameter and statistic a value of its own, so that no channel is idle."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
    for parameter in model.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 4
        nn.init.normal_(parameter, std=fan_in**-0.5)
    return model.eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("options", [dict(), dict(down="pooled"), dict(levels=3)])
def test_unet_keeps_any_size(channels: int, options: dict):
    unet = RestorationUNet(channels, mid_channels=4, **options)
    for size in [(16, 24), (21, 13), (3, 5)]:
        assert unet(torch.rand(2, channels, *size)).shape == (2, channels, *size)


def test_unet_reads_its_skips_and_pads_only_what_is_needed():
    unet = randomize(RestorationUNet(mid_channels=4))
    x = torch.rand(1, 1, 21, 13)
    padded = nn.functional.pad(x, (0, 3, 0, 3), mode="replicate")
    torch.testing.assert_close(unet(x), unet(padded)[..., :21, :13])
    nn.init.zeros_(unet.up[-1].weight)  # only the first level's skip is left
    nn.init.zeros_(unet.up[-1].bias)
    assert (unet(x) - x).std() > 1e-3


def test_unet_refuses_another_way_down():
    with pytest.raises(ValueError, match="'strided' or 'pooled', not 'max'"):
        RestorationUNet(down="max")


def test_dncnn_begins_near_the_identity_and_lets_gradients_through():
    net = DnCNN(mid_channels=8, depth=5)
    net.init_weights()
    x = torch.rand(2, 1, 12, 12)
    out = net(x)
    assert 0 < (out - x).abs().max() < 0.05
    out.square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in net.parameters() if parameter.ndim == 4)


def test_dncnn_has_seventeen_convolutions():
    convs = [module for module in DnCNN().modules() if isinstance(module, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [64] * 16 + [1]
    assert sum(isinstance(module, nn.BatchNorm2d) for module in DnCNN().modules()) == 15


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_is_matlabs(scale: int):
    from mmagic.datasets.transforms import MATLABLikeResize

    image = np.random.default_rng(0).uniform(0, 255, (11, 14, 3)).astype(np.float32)
    expected = MATLABLikeResize(keys=[], scale=scale)._resize(image)
    found = Bicubic(scale)(torch.from_numpy(image).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-3)


def test_preprocessor_gives_8_bit_images_without_touching_what_it_is_given():
    options = dict(mean=[0], std=[255])
    outputs = torch.tensor([-0.1, 0.1, 0.5, 1.2]).view(1, 1, 2, 2)
    kept = outputs.clone()
    assert RestorationPreprocessor(**options).destruct(outputs).flatten().tolist() == [0, 26, 128, 255]
    raw = RestorationPreprocessor(**options, eight_bit=False).destruct(outputs)
    torch.testing.assert_close(raw, kept * 255)
    assert torch.equal(outputs, kept)


# Published: EDSR-baseline 1.37 M (x2), 1.55 M (x3), 1.52 M (x4); SRResNet without batch norm 1.52 M; DnCNN-S 0.56 M.
@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("super_resolution/edsr_x2c64b16_1xb16-300k_div2k.py", 1_369_859),
        ("super_resolution/edsr_x3c64b16_1xb16-300k_div2k.py", 1_554_499),
        ("super_resolution/edsr_x4c64b16_1xb16-300k_div2k.py", 1_517_571),
        ("super_resolution/srresnet_x4c64b16_1xb16-1000k_div2k.py", 1_517_571),
        ("denoising/dncnn_sigma25_1xb128-80k_train400.py", 556_097),
    ],
)
def test_sizes_are_the_published_ones(name: str, params: int):
    model = build_model(load_config(CONFIGS / name))
    assert sum(parameter.numel() for parameter in model.parameters()) == params


RGB = dict(in_channels=3, out_channels=3, mid_channels=6, num_blocks=2)
NETWORKS = {
    "EDSR x2": dict(type="mmagic.EDSRNet", upscale_factor=2, **RGB),
    "EDSR x3": dict(type="mmagic.EDSRNet", upscale_factor=3, **RGB),
    "EDSR x4": dict(type="mmagic.EDSRNet", upscale_factor=4, **RGB),
    "SRResNet x4": dict(type="mmagic.MSRResNet", upscale_factor=4, **RGB),
    "DnCNN": dict(type="lwdna_mm.DnCNN", channels=3, mid_channels=6, depth=5),
    "U-Net strided": dict(type="lwdna_mm.RestorationUNet", channels=3, mid_channels=4, down="strided"),
    "U-Net pooled": dict(type="lwdna_mm.RestorationUNet", channels=3, mid_channels=4, down="pooled"),
}


def edit_model(generator: dict) -> nn.Module:
    init_default_scope("mmagic")
    preprocessor = dict(type="lwdna_mm.RestorationPreprocessor", mean=[0, 0, 0], std=[255, 255, 255])
    return MODELS.build(
        dict(
            type="mmagic.BaseEditModel",
            generator=generator,
            pixel_loss=dict(type="mmagic.L1Loss"),
            data_preprocessor=preprocessor,
        )
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_removed_channels_are_those_that_were_silenced(name: str):
    """Cutting channels out equals zeroing them: through pixel shuffles, global skips and concatenations."""
    model = randomize(edit_model(NETWORKS[name]))
    x = torch.rand(1, 3, 16, 16)
    graph = analyze(model, x)
    draw = np.random.default_rng(0)
    kept = {
        group: sorted(draw.choice(found.width, found.width // 2 + 1, replace=False).tolist())
        for group, found in graph.free.items()
    }
    assert len(kept) >= 4
    small = resize(model, graph, ChannelPlan(kept)).eval()

    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for group, positions in kept.items():
            gone = np.setdiff1d(np.arange(graph.groups[group].width), positions)
            for (parameter, dim), members in graph.groups[group].members.items():
                if parameter in parameters:
                    index = torch.from_numpy(members[gone].ravel())
                    parameters[parameter].index_fill_(dim, index, 0)
        expected, found = model(x, mode="tensor"), small(x, mode="tensor")
    assert found.std() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    convs = [module for module in small.modules() if isinstance(module, nn.Conv2d)]
    assert convs[0].in_channels == 3
    assert found.shape[1] == 3
    assert sum(p.numel() for p in small.parameters()) < sum(p.numel() for p in model.parameters())
