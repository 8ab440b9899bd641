"""The networks that the channel engine is held to, small enough in their inputs to be checked one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from torch import Tensor, nn

import lwdna_mm.models  # noqa: F401  (registers our networks)


@dataclass(frozen=True)
class Network:
    """How to build a network and what to feed it.

    Attributes:
        build: makes the module.
        shapes: shape of every input, without the batch.
        mode: whether it is an mm model, called with ``mode='tensor'``.
        batch: how many samples of each input.
    """

    build: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...] = ((3, 64, 64),)
    mode: bool = True
    batch: int = 1

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """A batch of each input."""
        generator = torch.Generator().manual_seed(0)
        return tuple(torch.rand(self.batch, *shape, generator=generator) for shape in self.shapes)

    def forward(self, model: nn.Module, *inputs: Tensor) -> Any:
        """Run the whole network."""
        return model(*inputs, mode="tensor") if self.mode else model(*inputs)


def classifier(backbone: dict, channels: int, neck: Any = "pool") -> Callable[[], nn.Module]:
    """A full mmpretrain classifier of ten classes."""

    def build() -> nn.Module:
        from mmpretrain.models import build_classifier

        pool = dict(type="GlobalAveragePooling")
        head = dict(type="LinearClsHead", num_classes=10, in_channels=channels)
        model = dict(type="ImageClassifier", backbone=backbone, neck=pool if neck == "pool" else neck, head=head)
        with DefaultScope.overwrite_default_scope("mmpretrain"):
            return build_classifier(model)

    return build


def generator(**config: Any) -> Callable[[], nn.Module]:
    """An mmagic or own restoration network."""

    def build() -> nn.Module:
        from mmagic.registry import MODELS

        with DefaultScope.overwrite_default_scope("mmagic"):
            return MODELS.build(dict(type="BaseEditModel", generator=config, pixel_loss=dict(type="L1Loss")))

    return build


def siamese(head: dict, backbone: str = "AlexNetV1", **options: Any) -> Callable[[], nn.Module]:
    """A tracker, called on an exemplar and a search image."""

    def build() -> nn.Module:
        from lwdna_mm.registry import MODELS

        localizer = dict(type="AnchorSearch" if head["type"] == "SiamRPNHead" else "ScaleSearch")
        config = dict(type="SiameseNetwork", backbone=dict(type=backbone, **options), head=head, localizer=localizer)
        with DefaultScope.overwrite_default_scope("lwdna_mm"):
            return MODELS.build(config)

    return build


class Inception(nn.Module):
    """Branches of several widths, concatenated twice, with a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = self._unit(3, 16, 3)
        self.a, self.b, self.c = self._unit(16, 8, 1), self._unit(16, 12, 3), self._unit(16, 4, 5)
        self.d, self.e = self._unit(24, 10, 1), self._unit(24, 6, 3)
        self.fc = nn.Linear(16 + 24, 10)

    @staticmethod
    def _unit(inner: int, outer: int, kernel: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(inner, outer, kernel, padding=kernel // 2), nn.BatchNorm2d(outer), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.cat([self.a(x), self.b(x), F.max_pool2d(self.c(x), 3, 1, 1)], 1)
        return self.fc(torch.cat([self.d(x), self.e(x), x], 1).mean((2, 3)))


class SRResNet(nn.Module):
    """The original SRResNet (Ledig et al., 2017): PReLU and batch norm, pixel shuffle, global skip."""

    def __init__(self, channels: int = 16, blocks: int = 3) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(3, channels, 9, padding=4), nn.PReLU())
        self.body = nn.ModuleList(self._block(channels) for _ in range(blocks))
        self.join = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels))
        self.up = nn.Sequential(nn.Conv2d(channels, 4 * channels, 3, padding=1), nn.PixelShuffle(2), nn.PReLU(channels))
        self.last = nn.Conv2d(channels, 3, 9, padding=4)

    @staticmethod
    def _block(channels: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        first = self.head(x)
        y = first
        for block in self.body:
            y = y + block(y)
        return self.last(self.up(first + self.join(y)))


class SiameseAlexNet(nn.Module):
    """AlexNet's grouped convolutions on two inputs, correlated per sample by a grouped ``F.conv2d``."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 24, 11, 2), nn.BatchNorm2d(24), nn.ReLU(True), nn.MaxPool2d(3, 2),
            nn.Conv2d(24, 32, 5, groups=2), nn.BatchNorm2d(32), nn.ReLU(True), nn.MaxPool2d(3, 2),
            nn.Conv2d(32, 48, 3), nn.BatchNorm2d(48), nn.ReLU(True), nn.Conv2d(48, 32, 3, groups=2),
        )  # fmt: skip

    def forward(self, z: Tensor, x: Tensor) -> Tensor:
        z, x = self.net(z), self.net(x)
        n, c, h, w = x.shape
        return F.conv2d(x.reshape(1, n * c, h, w), z, groups=n).reshape(n, 1, -1)


_HEAD = dict(type="CrossCorrelationHead", loss=dict(type="BalancedBCELoss"))
_RPN = dict(type="SiamRPNHead", in_channels=256, channels=64, correlation="depthwise")
_HRNET_NECK = [dict(type="HRFuseScales", in_channels=(18, 36, 72, 144)), dict(type="GlobalAveragePooling")]

NETWORKS: dict[str, Network] = {
    "ResNet-18": Network(classifier(dict(type="ResNet", depth=18), 512)),
    "ResNet-50": Network(classifier(dict(type="ResNet", depth=50), 2048)),
    "ResNet-18 (CIFAR)": Network(classifier(dict(type="ResNet_CIFAR", depth=18), 512), ((3, 32, 32),)),
    "ResNet-20 (CIFAR)": Network(classifier(dict(type="lwdna_mm.CifarResNet", depth=20), 64), ((3, 32, 32),)),
    "VGG-16-BN": Network(classifier(dict(type="VGG", depth=16, norm_cfg=dict(type="BN")), 512)),
    "RegNetX-400MF": Network(classifier(dict(type="RegNet", arch="regnetx_400mf"), 384)),
    "RegNetX-4.0GF": Network(classifier(dict(type="RegNet", arch="regnetx_4.0gf"), 1360)),
    "MobileNetV1": Network(
        classifier(dict(type="TIMMBackbone", model_name="mobilenetv1_100"), 1024)
    ),
    "MobileNetV2": Network(classifier(dict(type="MobileNetV2"), 1280)),
    "MobileNetV3-small": Network(classifier(dict(type="MobileNetV3", arch="small"), 576)),
    "MobileNetV3-large": Network(classifier(dict(type="MobileNetV3", arch="large"), 960)),
    "MNASNet": Network(classifier(dict(type="TIMMBackbone", model_name="mnasnet_100"), 1280)),
    "EfficientNet-B0": Network(classifier(dict(type="EfficientNet", arch="b0"), 1280)),
    "DenseNet-121": Network(classifier(dict(type="DenseNet", arch="121"), 1024)),
    "DenseNet-40 (CIFAR)": Network(
        classifier(dict(type="DenseNet", arch=dict(growth_rate=12, depths=[12, 12, 12], init_channels=24)), 258),
        ((3, 32, 32),),
    ),
    "SEResNet-50": Network(classifier(dict(type="SEResNet", depth=50), 2048)),
    "ResNeXt-50": Network(classifier(dict(type="ResNeXt", depth=50, groups=32, width_per_group=4), 2048)),
    "ShuffleNetV2": Network(classifier(dict(type="ShuffleNetV2"), 1024)),
    "HRNet-W18": Network(classifier(dict(type="HRNet", arch="w18"), 2048, _HRNET_NECK)),
    "ConvNeXt-tiny": Network(classifier(dict(type="ConvNeXt", arch="tiny", out_indices=(3,)), 768, None)),
    "Inception-style": Network(Inception, ((3, 32, 32),), mode=False),
    "EDSR x2": Network(
        generator(type="EDSRNet", in_channels=3, out_channels=3, mid_channels=16, num_blocks=4, upscale_factor=2),
        ((3, 16, 16),),
    ),
    "EDSR x4": Network(
        generator(type="EDSRNet", in_channels=3, out_channels=3, mid_channels=16, num_blocks=4, upscale_factor=4),
        ((3, 16, 16),),
    ),
    "MSRResNet x4": Network(
        generator(type="MSRResNet", in_channels=3, out_channels=3, mid_channels=16, num_blocks=4, upscale_factor=4),
        ((3, 16, 16),),
    ),
    "SRResNet (PReLU, BN)": Network(SRResNet, ((3, 16, 16),), mode=False),
    "DnCNN": Network(generator(type="lwdna_mm.DnCNN", channels=1, mid_channels=24, depth=17), ((1, 24, 24),)),
    "U-Net": Network(generator(type="lwdna_mm.RestorationUNet", channels=1, mid_channels=8), ((1, 32, 32),)),
    "SiamFC AlexNetV1": Network(siamese(_HEAD), ((3, 127, 127), (3, 191, 191))),
    "SiamRPN AlexNetV1": Network(siamese(_RPN), ((3, 127, 127), (3, 191, 191))),
    "Siamese, grouped": Network(SiameseAlexNet, ((3, 87, 87), (3, 127, 127)), mode=False),
}  # fmt: skip
