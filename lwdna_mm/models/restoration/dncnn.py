"""DnCNN: a plain stack of convolutions that predicts the noise."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from lwdna_mm.registry import MODELS


@MODELS.register_module()
class DnCNN(BaseModule):
    """The denoiser of Zhang et al., "Beyond a Gaussian Denoiser" (2017): conv-ReLU, conv-BN-ReLU ..., conv.

    Args:
        channels: of the image, 1 (grey) or 3 (colour).
        mid_channels: of every inner layer.
        depth: number of convolutions, at least 2; 17 for a known noise level in the paper.
        init_cfg: mmengine initialisation; He's by default, as in the paper.
    """

    def __init__(
        self, channels: int = 1, mid_channels: int = 64, depth: int = 17, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d", mode="fan_in"))
        layers = [nn.Conv2d(channels, mid_channels, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers += [
                nn.Conv2d(mid_channels, mid_channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(mid_channels),
                nn.ReLU(inplace=True),
            ]
        self.body = nn.Sequential(*layers, nn.Conv2d(mid_channels, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Denoise ``x`` of shape (N, channels, H, W); the output has its shape."""
        return x - self.body(x)
