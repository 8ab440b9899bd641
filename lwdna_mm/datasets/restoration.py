"""Restoration transforms that mmagic lacks, or whose mmagic version has a trap."""

from zlib import crc32

import numpy as np
from mmcv.transforms import BaseTransform

from lwdna_mm.registry import TRANSFORMS


def _follow_ground_truth(results: dict) -> None:
    # Without these mmagic takes `img` for BGR whatever `gt` was, and compares swapped channels.
    for key in ("channel_order", "color_type"):
        results[f"img_{key}"] = results[f"gt_{key}"]
    if "gt_path" in results:
        results["img_path"] = results["gt_path"]  # mmagic's errors name it


@TRANSFORMS.register_module()
class BicubicDownsample(BaseTransform):
    """Make the low-resolution ``img`` from ``gt`` by mmagic's MATLAB-like bicubic, as 8-bit pixels.

    mmagic's ``MATLABLikeResize`` leaves unrounded float64 values, overwrites ``scale`` by its inverse, and
    knows nothing of the channel order.
    """

    def transform(self, results: dict) -> dict:
        """Add ``img``, uint8 of shape (H / scale, W / scale, C).

        It needs ``gt`` (H, W, C) and ``scale``, which divides H and W (see mmagic's ``ModCrop``).
        """
        from mmagic.datasets.transforms import MATLABLikeResize  # noqa: PLC0415  mmagic is optional

        resize = MATLABLikeResize(keys=["gt"], scale=1 / results["scale"])
        results["img"] = resize._resize(results["gt"]).round().clip(0, 255).astype(np.uint8)
        _follow_ground_truth(results)
        return results


@TRANSFORMS.register_module()
class SeededNoise(BaseTransform):
    """Make the noisy ``img`` from ``gt``: the same Gaussian noise for an image in every run and any order.

    For training take mmagic's ``RandomNoise``, which draws afresh.

    Args:
        sigma: standard deviation on 0-255. The sum is not clipped.
        seed: another seed gives another draw for every image.
    """

    def __init__(self, sigma: float, seed: int = 0) -> None:
        self.sigma = sigma
        self.seed = seed

    def transform(self, results: dict) -> dict:
        """Add ``img``, float32 of the shape of ``gt``, seeded by the file's name (``key``)."""
        draw = np.random.default_rng([self.seed, crc32(results["key"].encode())])
        noise = draw.standard_normal(results["gt"].shape, dtype=np.float32)
        results["img"] = results["gt"] + np.float32(self.sigma) * noise
        _follow_ground_truth(results)
        return results
