"""Square crops around a target, as Siamese trackers see them (training and tracking share this code).

Inside the package a box is ``(cx, cy, w, h)`` in pixels with the first pixel's centre at 0; got10k's boxes
are ``(left, top, width, height)`` with that pixel at 1.
"""

import cv2
import numpy as np


def centered(box: np.ndarray) -> np.ndarray:
    """``(left, top, width, height)``, 1-indexed, as ``(cx, cy, w, h)``, 0-indexed; shapes (..., 4)."""
    box = np.asarray(box, dtype=np.float64)
    return np.concatenate([box[..., :2] - 1 + (box[..., 2:] - 1) / 2, box[..., 2:]], axis=-1)


def cornered(box: np.ndarray) -> np.ndarray:
    """The inverse of :func:`centered`."""
    box = np.asarray(box, dtype=np.float64)
    return np.concatenate([box[..., :2] + 1 - (box[..., 2:] - 1) / 2, box[..., 2:]], axis=-1)


def context_size(size: np.ndarray, context: float = 0.5) -> float:
    """Side in image pixels of the exemplar's square: the target ``(w, h)`` with a margin on each side.

    The margin is ``context * (w + h)`` in total; the square has the area of the padded box (SiamFC,
    its data set curation).
    """
    margin = context * float(np.sum(size))
    return float(np.sqrt(np.prod(np.asarray(size) + margin)))


def crop(image: np.ndarray, center: np.ndarray, side: float | np.ndarray, out_size: int) -> np.ndarray:
    """The square of ``side`` image pixels around ``center`` (x, y), resampled to (out_size, out_size, 3).

    Two sides (2,), in x and in y, make it a rectangle, which the result shows stretched.

    What lies beyond the image (H, W, 3) is filled with the image's mean colour.
    """
    step = np.broadcast_to(np.asarray(side, dtype=np.float64) / out_size, 2)
    offset = np.asarray(center, dtype=np.float64) - step * (out_size - 1) / 2
    to_image = np.array([[step[0], 0, offset[0]], [0, step[1], offset[1]]])
    return cv2.warpAffine(
        image,
        to_image,
        (out_size, out_size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=cv2.mean(image)[:3],
    )
