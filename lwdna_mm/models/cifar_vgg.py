"""VGG (Simonyan and Zisserman, 2015, table 1) at any width, which mmpretrain's VGG cannot be configured to."""

from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.models.backbones.vgg import VGG, make_vgg_layer
from torch import Tensor, nn

from ..errors import UserError
from ..registry import MODELS


@MODELS.register_module()
class CifarVGG(BaseBackbone):
    """The convolutions of VGG with batch norm, without its fully connected layers.

    It reduces an image by 32: 32x32 pixels end as one.

    Args:
        depth: 11, 13, 16 or 19.
        width: factor on all channels.
        init_cfg: as in mmpretrain's VGG.

    Raises:
        UserError: the depth is none of these.
    """

    def __init__(self, depth: int, width: float = 1.0, init_cfg: dict | list[dict] | None = None) -> None:
        super().__init__(
            init_cfg or [dict(type="Kaiming", layer="Conv2d"), dict(type="Constant", val=1, layer="_BatchNorm")]
        )
        if depth not in VGG.arch_settings:
            raise UserError(f"CifarVGG: depth is {depth}, but must be one of {', '.join(map(str, VGG.arch_settings))}")
        layers: list[nn.Module] = []
        channels = 3
        for stage, convs in enumerate(VGG.arch_settings[depth]):
            out = int(64 * 2 ** min(stage, 3) * width)
            layers += make_vgg_layer(channels, out, convs, norm_cfg=dict(type="BN"), with_norm=True)
            channels = out
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Images (N, 3, H, W) to one feature map (N, 512 * width, H / 32, W / 32)."""
        return (self.features(x),)
