"""MobileNetV2 for images of 32 x 32, which mmpretrain's cannot be configured to."""

from mmpretrain.models.backbones.mobilenet_v2 import MobileNetV2

from ..registry import MODELS


@MODELS.register_module()
class CifarMobileNetV2(MobileNetV2):
    """MobileNetV2 with a stride of 8 in all instead of 32: stem and second stage keep the size.

    Args:
        **kwargs: those of mmpretrain's MobileNetV2.
    """

    arch_settings = [
        [expansion, channels, blocks, 1 if channels == 24 else stride]
        for expansion, channels, blocks, stride in MobileNetV2.arch_settings
    ]

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.conv1.conv.stride = (1, 1)
