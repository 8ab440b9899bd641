"""The CIFAR ResNets of He et al. (2016), section 4.2, which mmpretrain's ResNet_CIFAR cannot be configured to."""

from mmpretrain.models.backbones.resnet import BasicBlock
from mmpretrain.models.backbones.resnet_cifar import ResNet_CIFAR

from ..registry import MODELS


@MODELS.register_module()
class CifarResNet(ResNet_CIFAR):
    """Three stages of n basic blocks, 16, 32 and 64 channels wide, depth 6n + 2.

    Shortcuts that change shape are 1x1 convolutions (option B). Residual branches are not initialised to zero:
    that would cut the gradient off from everything inside them, and with it what the search looks at.

    Args:
        depth: 8, 14, 20, 32, 44, 56 or 110.
        base_channels: width of the first stage.
        **kwargs: those of mmpretrain's ResNet.
    """

    arch_settings = {6 * n + 2: (BasicBlock, (n, n, n)) for n in (1, 2, 3, 5, 7, 9, 18)}

    def __init__(self, depth: int, base_channels: int = 16, **kwargs) -> None:
        defaults = dict(
            num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(2,), zero_init_residual=False
        )
        super().__init__(depth, stem_channels=base_channels, base_channels=base_channels, **{**defaults, **kwargs})
