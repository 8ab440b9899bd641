"""From a head's scores to the target's new box.

Boxes are ``(cx, cy, w, h)`` in image pixels, 0-indexed. ``side`` is the search square's side in image pixels,
``search_size`` the same in pixels of the search image.
"""

import cv2
import numpy as np
import torch

from ...registry import MODELS


@MODELS.register_module()
class ScaleSearch:
    """Searches a few scales and takes the best displacement of the best scale (SiamFC's tracking algorithm).

    Args:
        scales: Odd number of scales.
        step: Ratio of one scale to the next.
        rate: Fraction of the scale's change that is adopted.
        penalty: Factor of the scores of all scales but the present one.
        window: Weight of the cosine window, which prefers small displacements.
        upsample: Factor by which the scores are interpolated.
        stride: Search pixels from one score to the next.
    """

    def __init__(
        self,
        scales: int = 3,
        step: float = 1.0375,
        rate: float = 0.59,
        penalty: float = 0.9745,
        window: float = 0.176,
        upsample: int = 16,
        stride: int = 8,
    ) -> None:
        self.factors = step ** (np.arange(scales) - scales // 2)
        self.rate = rate
        self.penalties = np.where(np.arange(scales) == scales // 2, 1, penalty)
        self.window = window
        self.upsample = upsample
        self.stride = stride

    def sides(self, side: float) -> np.ndarray:
        """Sides in image pixels of the squares to be scored, (scales,)."""
        return side * self.factors

    def locate(self, scores: torch.Tensor, box: np.ndarray, side: float, search_size: int) -> np.ndarray:
        """The new box (4,), from scores (scales, S, S) of the squares of :meth:`sides`."""
        size = scores.shape[-1] * self.upsample
        maps = scores.float().cpu().numpy()
        maps = np.stack([cv2.resize(m, (size, size), interpolation=cv2.INTER_CUBIC) for m in maps])
        maps *= self.penalties[:, None, None]
        best = int(np.argmax(maps.max(axis=(1, 2))))
        response = maps[best] - maps[best].min()
        response /= response.sum() + 1e-16
        response = (1 - self.window) * response + self.window * _cosine_window(size)
        row, column = np.unravel_index(np.argmax(response), response.shape)
        cells = (np.array([column, row]) - (size - 1) / 2) / self.upsample
        shift = cells * self.stride * side * self.factors[best] / search_size
        resize = 1 - self.rate + self.rate * self.factors[best]
        return np.concatenate([box[:2] + shift, box[2:] * resize])


@MODELS.register_module()
class AnchorSearch:
    """Takes the best anchor after a penalty on changes of size and shape (SiamRPN's proposal selection).

    Args:
        penalty: Strength of the penalty.
        window: Weight of the cosine window.
        rate: Fraction of the new size that is adopted, times the anchor's score.
    """

    def __init__(self, penalty: float = 0.16, window: float = 0.4, rate: float = 0.3) -> None:
        self.penalty = penalty
        self.window = window
        self.rate = rate

    def sides(self, side: float) -> np.ndarray:
        """Sides in image pixels of the squares to be scored, (1,)."""
        return np.array([side])

    def locate(
        self, decoded: tuple[torch.Tensor, torch.Tensor], box: np.ndarray, side: float, search_size: int
    ) -> np.ndarray:
        """The new box (4,), from probabilities (1, K, S, S) and boxes (1, K, S, S, 4) in search pixels."""
        scores, boxes = (part[0].double().cpu().numpy() for part in decoded)
        size = box[2:] * search_size / side
        change = _ratio(_padded_size(boxes[..., 2:]), _padded_size(size))
        change *= _ratio(boxes[..., 2] / boxes[..., 3], size[0] / size[1])
        penalty = np.exp((1 - change) * self.penalty)
        window = _cosine_window(scores.shape[-1])
        window = window / window.max()
        ranked = (1 - self.window) * scores * penalty + self.window * window
        best = np.unravel_index(np.argmax(ranked), ranked.shape)
        rate = self.rate * penalty[best] * scores[best]
        found = boxes[best] * side / search_size
        center = box[:2] + found[:2] - (search_size - 1) / 2 * side / search_size
        return np.concatenate([center, (1 - rate) * box[2:] + rate * found[2:]])


def _cosine_window(size: int) -> np.ndarray:
    """A two-dimensional Hann window (size, size) that sums to 1."""
    window = np.outer(np.hanning(size), np.hanning(size))
    return window / window.sum()


def _padded_size(size: np.ndarray) -> np.ndarray:
    """Side of the square of a padded box's area; sizes (..., 2) to (...)."""
    margin = size.sum(axis=-1) / 2
    return np.sqrt((size[..., 0] + margin) * (size[..., 1] + margin))


def _ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.maximum(first / second, second / first)
