"""DnCNN: a plain stack of convolutions that predicts the noise."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from lwdna_mm.registry import MODELS

# He's, as in the paper, but a last layer that begins near zero: the network begins as the identity, far nearer to
# the answer than noise of unit variance. Not at zero, where no gradient would reach the other layers.
INIT = dict(type="Kaiming", layer="Conv2d", mode="fan_in", override=dict(type="Normal", name="last", std=0.001))


@MODELS.register_module()
class DnCNN(BaseModule):
    """The denoiser of Zhang et al., "Beyond a Gaussian Denoiser" (2017): conv-ReLU, conv-BN-ReLU ..., conv.

    Args:
        channels: of the image, 1 (grey) or 3 (colour).
        mid_channels: of every inner layer.
        depth: number of convolutions, at least 2; 17 for a known noise level in the paper.
        init_cfg: mmengine initialisation, INIT by default.
    """

    def __init__(
        self, channels: int = 1, mid_channels: int = 64, depth: int = 17, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg or INIT)
        layers = [nn.Conv2d(channels, mid_channels, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth - 2):
            layers += [
                nn.Conv2d(mid_channels, mid_channels, 3, padding=1, bias=False),
                nn.BatchNorm2d(mid_channels),
                nn.ReLU(inplace=True),
            ]
        self.body = nn.Sequential(*layers)
        self.last = nn.Conv2d(mid_channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Denoise ``x`` of shape (N, channels, H, W); the output has its shape."""
        return x - self.last(self.body(x))
