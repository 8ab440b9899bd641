"""scikit-learn's handwritten digits: small real images that need no download."""

import numpy as np
from mmpretrain.datasets import BaseDataset
from sklearn.datasets import load_digits

from ..errors import UserError
from ..registry import DATASETS


@DATASETS.register_module()
class Digits(BaseDataset):
    """1,797 grey 8x8 images of the digits 0 to 9, cut into training images and the rest.

    Every sample is ``img``, (8, 8, 1) uint8 of 0-255, and ``gt_label``, 0-9. The cut is the same in every run.

    Args:
        split: ``'train'``, or ``'test'`` for the rest.
        train_size: number of training images, the same for every digit up to rounding.
        **kwargs: those of mmpretrain's BaseDataset, such as ``pipeline``.

    Raises:
        UserError: an unknown split, or a train_size that leaves no image to test on.
    """

    METAINFO = dict(classes=tuple("0123456789"))

    def __init__(self, split: str, train_size: int = 300, **kwargs) -> None:
        if split not in ("train", "test"):
            raise UserError(f"Digits: split is {split!r}, but must be 'train' or 'test'")
        if not 10 <= train_size <= 1700:
            raise UserError(f"Digits: train_size is {train_size}, but must be between 10 and 1700")
        self.split, self.train_size = split, train_size
        super().__init__(ann_file="", **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the images of the split."""
        digits = load_digits()
        images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]
        chosen = _balanced_order(digits.target)
        chosen = chosen[: self.train_size] if self.split == "train" else chosen[self.train_size :]
        return [dict(img=images[i], gt_label=int(digits.target[i])) for i in chosen]


def _balanced_order(labels: np.ndarray) -> np.ndarray:
    """A fixed random order of the images in which the classes take turns."""
    shuffled = np.random.default_rng(0).permutation(len(labels))
    turn = np.zeros(len(labels), dtype=int)
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        turn[members] = np.arange(len(members))
    return shuffled[np.argsort(turn[shuffled], kind="stable")]
