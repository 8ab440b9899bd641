"""mmengine's bases of other packages, ``_base_ = ["PACKAGE::..."]``, for this package too: its list is closed."""

from mmengine.config import Config
from mmengine.config.utils import MODULE2PACKAGE

PACKAGE = "lwdna_mm"


def install() -> None:
    """Let configs inherit ours, such as ``lwdna_mm::classification/resnet20_1xb128_cifar10.py``."""
    if PACKAGE in MODULE2PACKAGE:
        return
    MODULE2PACKAGE[PACKAGE] = PACKAGE
    find = Config._get_cfg_path

    def find_without_scope(cfg_path: str, filename: str) -> tuple[str, str | None]:
        # mmengine builds all of another package's base in that package's scope; ours name mmpretrain's types, by the
        # default scope of the config, and criteria and gates take no scope at all.
        path, scope = find(cfg_path, filename)
        return path, None if scope == PACKAGE else scope

    Config._get_cfg_path = staticmethod(find_without_scope)
