"""A look at the size of images, where a wrong one would go unnoticed: it would be padded, or cut to less."""

from mmcv.transforms import BaseTransform

from lwdna_mm.errors import UserError
from lwdna_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CheckSize(BaseTransform):
    """Refuses an image that is too small or of another size.

    Args:
        key: of the image (H, W, C) or (H, W).
        least: smallest height and width.
        exactly: the only height and width.
    """

    def __init__(self, key: str, least: int = 1, exactly: int | None = None) -> None:
        self.key, self.least, self.exactly = key, least, exactly

    def transform(self, results: dict) -> dict:
        """Change nothing."""
        height, width = results[self.key].shape[:2]
        if self.exactly is not None and {height, width} != {self.exactly}:
            wanted = f"must have {self.exactly} x {self.exactly}: resize it"
        elif min(height, width) < self.least:
            wanted = f"must have at least {self.least} x {self.least}: take it out"
        else:
            return results
        raise UserError(f"{width} x {height} pixels, but {wanted}")
