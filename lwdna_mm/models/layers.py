"""Layers that configs of any scope can name, as in ``conv_cfg=dict(type='GatedConv2d')``."""

from mmengine.registry import MODELS as MMENGINE_MODELS

from lwdna_mm.shrink import GatedConv2d

# mmcv's build_conv_layer looks from the current scope up to the root: only there is the layer found from everywhere.
MMENGINE_MODELS.register_module(module=GatedConv2d)

__all__ = ["GatedConv2d"]
