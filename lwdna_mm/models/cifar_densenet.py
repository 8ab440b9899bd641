"""The CIFAR DenseNets of Huang et al. (2017), section 4, which mmpretrain's DenseNet cannot be configured to."""

import torch
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.models.backbones.densenet import DenseTransition
from torch import Tensor, nn

from ..errors import UserError
from ..registry import MODELS


@MODELS.register_module()
class CifarDenseNet(BaseBackbone):
    """Three blocks of n densely connected 3x3 convolutions, depth 3n + 4: no bottlenecks, no compression.

    Args:
        depth: 22, 40, 100, ...
        growth: channels that each layer adds.
        base_channels: of the stem.
        init_cfg: as in mmpretrain's MobileNetV2.

    Raises:
        UserError: the depth is none of these.
    """

    def __init__(
        self, depth: int = 40, growth: int = 12, base_channels: int = 16, init_cfg: dict | list[dict] | None = None
    ) -> None:
        super().__init__(
            init_cfg or [dict(type="Kaiming", layer="Conv2d"), dict(type="Constant", val=1, layer="_BatchNorm")]
        )
        layers, rest = divmod(depth - 4, 3)
        if rest or layers < 1:
            raise UserError(f"CifarDenseNet: depth is {depth}, but must be 3n + 4, such as 40")
        channels = base_channels
        stages: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1, bias=False)]
        for block in range(3):
            if block:
                stages.append(DenseTransition(channels, channels))
            for _ in range(layers):
                stages.append(DenseLayer(channels, growth))
                channels += growth
        self.stages = nn.Sequential(*stages)
        self.norm = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Images (N, 3, H, W) to one feature map (N, base_channels + 3 * n * growth, H / 4, W / 4)."""
        return (self.norm(self.stages(x)),)


class DenseLayer(nn.Sequential):
    """Batch norm, ReLU and a 3x3 convolution, whose outputs are appended to its inputs."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, growth, 3, padding=1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C + growth, H, W)."""
        return torch.cat([x, super().forward(x)], 1)
