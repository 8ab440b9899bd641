"""Residual networks whose padding is cropped away again, for Siamese trackers (Zhang and Peng, SiamDW)."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import nn

from ...registry import MODELS


class CroppedBottleneck(nn.Module):
    """A bottleneck unit that drops the outermost pixels, which saw padding (the CIR unit of SiamDW).

    Maps (N, in_channels, H, W) to (N, 4 * channels, H - 2, W - 2).

    Args:
        in_channels: Input channels.
        channels: Channels of the two inner convolutions.
        activate: Whether the sum passes a ReLU.
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, activate: bool = True) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.activate = activate
        self.downsample = None
        if in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out = out + (x if self.downsample is None else self.downsample(x))
        if self.activate:
            out = self.relu(out)
        return _cropped(out, 1)


@MODELS.register_module()
class CIResNet22(BaseModule):
    """CIResNet-22: a stem and seven cropped bottlenecks of total stride 8 (SiamDW).

    An image of 127 pixels gives a map of 5, one of 255 a map of 21.

    Args:
        channels: Inner channels of the stem and of the two stages.
        init_cfg: mmengine's initialisation; PyTorch's own by default.
    """

    stride = 8

    def __init__(
        self,
        channels: Sequence[int] = (64, 64, 128),
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        stem, first, second = channels
        expansion = CroppedBottleneck.expansion
        self.out_channels = second * expansion
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(inplace=True),
        )
        self.pool = nn.MaxPool2d(2, 2)
        self.stage1 = nn.Sequential(
            CroppedBottleneck(stem, first),
            CroppedBottleneck(first * expansion, first),
            CroppedBottleneck(first * expansion, first),
        )
        # The second stage downsamples after its first unit has cropped, so that no padded pixel is pooled.
        self.stage2 = nn.Sequential(
            CroppedBottleneck(first * expansion, second),
            nn.MaxPool2d(2, 2),
            CroppedBottleneck(second * expansion, second),
            CroppedBottleneck(second * expansion, second),
            CroppedBottleneck(second * expansion, second, activate=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, 3, H, W) to embeddings (N, 4 * channels[-1], h, w)."""
        x = self.pool(_cropped(self.stem(x), 2))
        return self.stage2(self.stage1(x))


def _cropped(x: torch.Tensor, margin: int) -> torch.Tensor:
    return x[:, :, margin:-margin, margin:-margin]
