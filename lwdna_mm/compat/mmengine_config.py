"""mmengine's bases of other packages, ``_base_ = ["PACKAGE::..."]``, for this package too: its list is closed."""

from mmengine.config.utils import MODULE2PACKAGE


def install() -> None:
    """Let configs inherit ours, such as ``lwdna_mm::classification/resnet20_1xb128_cifar10.py``."""
    MODULE2PACKAGE["lwdna_mm"] = "lwdna_mm"
