"""A U-Net for images that keep their size: denoising, deblurring and the like."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from lwdna_mm.registry import MODELS


def _two_convs(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(out_channels, out_channels, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def _halve(channels: int, down: str) -> nn.Module:
    return nn.MaxPool2d(2) if down == "pooled" else nn.Conv2d(channels, channels, 2, stride=2)


@MODELS.register_module()
class RestorationUNet(BaseModule):
    """U-Net (Ronneberger et al., 2015) with same-size convolutions; it predicts what to add to the image.

    Args:
        channels: of the image, 1 (grey) or 3 (colour).
        mid_channels: of the first level; each further level doubles it.
        levels: number of resolutions.
        down: how a level is halved: ``strided`` (a 2x2 convolution) or ``pooled`` (2x2 maximum).
        init_cfg: mmengine initialisation.

    Raises:
        ValueError: for another ``down``.
    """

    def __init__(
        self,
        channels: int = 1,
        mid_channels: int = 64,
        levels: int = 4,
        down: str = "strided",
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if down not in ("strided", "pooled"):
            raise ValueError(f"RestorationUNet: down must be 'strided' or 'pooled', not {down!r}")
        self.divisor = 2 ** (levels - 1)
        widths = [mid_channels * 2**level for level in range(levels)]
        self.encoder = nn.ModuleList(_two_convs(*pair) for pair in zip([channels, *widths], widths, strict=False))
        self.down = nn.ModuleList(_halve(width, down) for width in widths[:-1])
        # From the coarsest level up: double the size, append the encoder's features, merge.
        inner = widths[-2::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in inner)
        self.decoder = nn.ModuleList(_two_convs(2 * width, width) for width in inner)
        self.last = nn.Conv2d(mid_channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Restore ``x`` of shape (N, channels, H, W), any H and W; the output has its shape."""
        height, width = x.shape[-2:]
        padding = (0, -width % self.divisor, 0, -height % self.divisor)
        x = F.pad(x, padding, mode="replicate") if any(padding) else x
        features = self.encoder[0](x)
        skips = []
        for down, encode in zip(self.down, self.encoder[1:], strict=True):
            skips.append(features)
            features = encode(down(features))
        for up, decode in zip(self.up, self.decoder, strict=True):
            features = decode(torch.cat([skips.pop(), up(features)], dim=1))
        return (x + self.last(features))[..., :height, :width]
