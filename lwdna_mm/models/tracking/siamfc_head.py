"""SiamFC's head: one score for each displacement of the target."""

import torch
from mmengine.model import BaseModule

from ...registry import MODELS
from .correlation import cross_correlation


@MODELS.register_module()
class CrossCorrelationHead(BaseModule):
    """Scores by cross-correlation; it has no parameters.

    Args:
        scale: Factor of the response. The correlation sums over the embedding's channels, so the scale
            belongs to the embedding's width.
        positive_radius: Displacements up to so many search pixels from the target's centre are positive.
        stride: Search pixels from one score to the next.
        loss: Registry configuration of the loss; BalancedBCELoss by default.
    """

    def __init__(
        self,
        scale: float = 1e-3,
        positive_radius: float = 16,
        stride: int = 8,
        loss: dict | None = None,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.positive_radius = positive_radius
        self.stride = stride
        self.criterion = MODELS.build(loss or dict(type="lwdna_mm.BalancedBCELoss"))

    def template(self, exemplar: torch.Tensor) -> torch.Tensor:
        """What one tracked target needs of its embedding: the embedding itself."""
        return exemplar

    def forward(self, template: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        """Embeddings (n, C, h, w) and (N, C, H, W) to scores (N, 1, H - h + 1, W - w + 1)."""
        return cross_correlation(template, search) * self.scale

    def loss(self, scores: torch.Tensor, boxes: torch.Tensor, search_size: int) -> dict[str, torch.Tensor]:
        """The training loss.

        Args:
            scores: (N, 1, S, S), from :meth:`forward`.
            boxes: (N, 4), the targets as ``(cx, cy, w, h)`` in pixels of the search images.
            search_size: Side of the search images in pixels.
        """
        labels = self.labels(boxes, scores.shape[-1], search_size)
        return dict(loss=self.criterion(scores.float(), labels))

    def decode(self, scores: torch.Tensor, search_size: int) -> torch.Tensor:
        """What the localizer reads: the scores, (N, S, S)."""
        return scores[:, 0]

    def labels(self, boxes: torch.Tensor, response: int, search_size: int) -> torch.Tensor:
        """(N, 1, response, response): 1 where a score lies within the radius of the target, else 0."""
        cells = torch.arange(response, device=boxes.device) - (response - 1) / 2
        cells = cells * self.stride + (search_size - 1) / 2
        dx = cells[None, None, :] - boxes[:, 0, None, None]
        dy = cells[None, :, None] - boxes[:, 1, None, None]
        return ((dx**2 + dy**2).sqrt() <= self.positive_radius)[:, None].to(boxes.dtype)
