"""MobileNetV1 (Howard et al., 2017, table 1), which mmpretrain lacks."""

from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor, nn

from ..registry import MODELS

# Output channels at width 1 and stride of each block.
BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


@MODELS.register_module()
class MobileNetV1(BaseBackbone):
    """A stem and 13 depthwise separable convolutions, all followed by batch norm and ReLU.

    It reduces an image by 32: 64x64 pixels end as 2x2.

    Args:
        width: factor on all channels.
        init_cfg: as in mmpretrain's MobileNetV2.
    """

    def __init__(self, width: float = 1.0, init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(
            init_cfg or [dict(type="Kaiming", layer="Conv2d"), dict(type="Constant", val=1, layer="_BatchNorm")]
        )
        norm = dict(norm_cfg=dict(type="BN"))
        channels = int(32 * width)
        self.stem = ConvModule(3, channels, 3, stride=2, padding=1, **norm)
        blocks = []
        for out, stride in BLOCKS:
            out = int(out * width)
            blocks.append(DepthwiseSeparableConvModule(channels, out, 3, stride=stride, padding=1, **norm))
            channels = out
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Images (N, 3, H, W) to one feature map (N, 1024 * width, H / 32, W / 32)."""
        return (self.blocks(self.stem(x)),)
