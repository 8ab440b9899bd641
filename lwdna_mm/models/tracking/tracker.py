"""A Siamese network behind got10k's tracker interface."""

from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from ...datasets.tracking_crops import centered, context_size, cornered, crop
from ...datasets.tracking_frames import FrameTracker
from ...errors import UserError

MIN_SIDE = 4.0  # pixels; a smaller target has no appearance left to match


class Network(Protocol):
    """What is asked of a network, see :class:`~.siamese.SiameseNetwork`; it is a ``torch.nn.Module`` besides."""

    head: Any
    localizer: Any
    exemplar_size: int
    search_size: int
    context: float

    def template(self, exemplar: torch.Tensor) -> Any:
        """What tracking one target needs of its exemplar."""

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Embeddings of search images."""


class SiameseTracker(FrameTracker):
    """Follows one target: ``init(image, box)``, then ``update(image)`` for each later frame.

    Boxes are ``(left, top, width, height)`` in pixels, 1-indexed, as got10k has them. A frame on which the
    network yields no finite box keeps the box before, so that one bad frame does not lose the sequence.

    Args:
        network: The network, which is put into evaluation mode.
        name: The tracker's name in got10k's results.
    """

    def __init__(self, network: Network, name: str = "SiameseTracker") -> None:
        super().__init__(name, is_deterministic=True)
        self.network = network.eval()
        self.device = next(network.parameters()).device

    @torch.no_grad()
    def init(self, image: Image.Image, box: np.ndarray) -> None:
        """Take the target at ``box`` (4,) in an RGB image.

        Raises:
            UserError: If the box is not finite, has no area, or lies beyond the image.
        """
        box = np.asarray(box, dtype=np.float64)
        if not np.isfinite(box).all() or (box[2:] <= 0).any():
            raise UserError(f"first box {box.tolist()}: must be finite left, top, width, height with a positive area")
        if (box[:2] > image.size).any() or (box[:2] + box[2:] <= 1).any():
            raise UserError(f"first box {box.tolist()}: lies beyond the frame of {image.width} x {image.height} pixels")
        self.box = centered(box)
        pixels = np.asarray(image)
        side = context_size(self.box[2:], self.network.context)
        exemplar = crop(pixels, self.box[:2], side, self.network.exemplar_size)
        self.template = self.network.template(self._batch([exemplar]))

    @torch.no_grad()
    def update(self, image: Image.Image) -> np.ndarray:
        """The target's box (4,) in the next frame, an RGB image."""
        pixels, net = np.asarray(image), self.network
        side = context_size(self.box[2:], net.context) * net.search_size / net.exemplar_size
        crops = [crop(pixels, self.box[:2], s, net.search_size) for s in net.localizer.sides(side)]
        outputs = net.head(self.template, net.embed(self._batch(crops)))
        decoded = net.head.decode(outputs, net.search_size)
        if not _finite(decoded):
            return cornered(self.box)
        found = net.localizer.locate(decoded, self.box, side, net.search_size)
        if np.isfinite(found).all():
            limit = np.array([image.width, image.height], dtype=np.float64)
            self.box = np.concatenate(
                [np.clip(found[:2], 0, limit - 1), np.clip(found[2:], MIN_SIDE, np.maximum(limit, MIN_SIDE))]
            )
        return cornered(self.box)

    def _batch(self, crops: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).to(self.device)


def _finite(decoded: torch.Tensor | tuple[torch.Tensor, ...]) -> bool:
    parts = decoded if isinstance(decoded, tuple) else (decoded,)
    return all(bool(part.isfinite().all()) for part in parts)
