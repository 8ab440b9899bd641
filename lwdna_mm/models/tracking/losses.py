"""Losses of the Siamese heads. Each gives positives and negatives the same say, however many there are."""

import torch
import torch.nn.functional as F
from torch import nn

from ...registry import MODELS


def _halves(losses: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
    """Average of the positives' mean and the negatives' mean; a kind that is absent counts as 0."""
    means = [(losses * mask).sum() / mask.sum().clamp(min=1) for mask in (positive, negative)]
    return 0.5 * (means[0] + means[1])


@MODELS.register_module()
class BalancedBCELoss(nn.Module):
    """Binary cross-entropy on logits (SiamFC)."""

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits and 0/1 labels of one shape to a scalar."""
        losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        return _halves(losses, labels == 1, labels == 0)


@MODELS.register_module()
class BalancedCrossEntropyLoss(nn.Module):
    """Cross-entropy of two classes, background and target, in which anchors of neither kind do not count."""

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (N, 2, K) and labels (N, K): 1 target, 0 background, -1 neither; to a scalar."""
        losses = F.cross_entropy(logits, labels.clamp(min=0), reduction="none")
        return _halves(losses, labels == 1, labels == 0)


@MODELS.register_module()
class PositiveSmoothL1Loss(nn.Module):
    """Smooth L1 of the box offsets, averaged over the positive anchors (SiamRPN).

    Args:
        beta: Offset at which the loss turns from quadratic to linear.
    """

    def __init__(self, beta: float = 1 / 9) -> None:
        super().__init__()
        self.beta = beta

    def forward(self, offsets: torch.Tensor, targets: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Offsets and targets (N, 4, K), labels (N, K) to a scalar."""
        losses = F.smooth_l1_loss(offsets, targets, beta=self.beta, reduction="none").sum(dim=1)
        positive = labels == 1
        return (losses * positive).sum() / positive.sum().clamp(min=1)
