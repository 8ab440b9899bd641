"""Augmentation of small images, whose cost shows beside a small network's training step."""

import random

import numpy as np
from mmcv.transforms import BaseTransform

from lwdna_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomShiftFlip(BaseTransform):
    """What ``RandomCrop(crop_size=side, padding=padding)`` and ``RandomFlip`` do to an image, in a fifth of the time.

    Args:
        padding: the image is shifted by up to so many pixels in x and in y; what comes in is black.
        flip: probability of mirroring it left to right.
    """

    def __init__(self, padding: int, flip: float = 0.5) -> None:
        self.padding, self.flip = padding, flip

    def transform(self, results: dict) -> dict:
        """Replace ``img`` (H, W, C)."""
        image = results["img"]
        if random.random() < self.flip:
            image = image[:, ::-1]
        shifted = np.zeros_like(image)
        (to_rows, from_rows), (to_columns, from_columns) = (self._slices(side) for side in image.shape[:2])
        shifted[to_rows, to_columns] = image[from_rows, from_columns]
        results["img"] = shifted
        return results

    def _slices(self, side: int) -> tuple[slice, slice]:
        """Of the shifted image and of the image it comes from, along one side."""
        shift = random.randint(-self.padding, self.padding)
        return slice(max(shift, 0), side + min(shift, 0)), slice(max(-shift, 0), side + min(-shift, 0))
