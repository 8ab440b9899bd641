"""AlexNet without padding, SiamFC's backbone."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import nn

from ...registry import MODELS


@MODELS.register_module()
class AlexNetV1(BaseModule):
    """Five unpadded convolutions of total stride 8, so that the map shifts with the image (SiamFC).

    An image of 127 pixels gives a map of 6, one of 255 a map of 22.

    Args:
        channels: Output channels of the five convolutions; the last are the embedding's.
        init_cfg: mmengine's initialisation; PyTorch's own by default.
    """

    stride = 8

    def __init__(
        self,
        channels: Sequence[int] = (96, 256, 384, 384, 256),
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        c1, c2, c3, c4, c5 = channels
        self.out_channels = c5
        self.layer1 = _layer(3, c1, 11, stride=2, pool=True)
        self.layer2 = _layer(c1, c2, 5, groups=2, pool=True)
        self.layer3 = _layer(c2, c3, 3)
        self.layer4 = _layer(c3, c4, 3, groups=2)
        self.embedding = nn.Conv2d(c4, c5, 3, groups=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, 3, H, W) to embeddings (N, channels[-1], h, w)."""
        return self.embedding(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


def _layer(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1, pool: bool = False
) -> nn.Sequential:
    layer = nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, groups=groups),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
    if pool:
        layer.append(nn.MaxPool2d(3, 2))
    return layer
