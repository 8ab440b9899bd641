"""Cross-correlation of embeddings: the exemplar's slides over the search image's."""

import torch
import torch.nn.functional as F


def cross_correlation(exemplar: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
    """Sum over channels and positions (SiamFC).

    Args:
        exemplar: (n, C, h, w), where n is N, or 1 for one exemplar against N search images.
        search: (N, C, H, W).

    Returns:
        (N, 1, H - h + 1, W - w + 1).
    """
    if len(exemplar) == 1:
        return F.conv2d(search, exemplar)
    grouped = search.reshape(1, -1, *search.shape[2:])
    return F.conv2d(grouped, exemplar, groups=len(exemplar)).transpose(0, 1)


def depthwise_correlation(exemplar: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
    """Each channel on its own (SiamRPN++); shapes as above, but the result has C channels."""
    exemplar = exemplar.expand(len(search), -1, -1, -1)
    n, c = search.shape[:2]
    kernel = exemplar.reshape(n * c, 1, *exemplar.shape[2:])
    response = F.conv2d(search.reshape(1, n * c, *search.shape[2:]), kernel, groups=n * c)
    return response.reshape(n, c, *response.shape[2:])


def up_channel_correlation(exemplar: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
    """The exemplar has been raised to K kernels of the search image's C channels each (SiamRPN).

    It is the mean, not the sum, over channels and positions: without normalisation between backbone and
    correlation, sums of untrained embeddings start thousands of times too large to be logits.

    Args:
        exemplar: (n, K * C, h, w), where n is N or 1.
        search: (N, C, H, W).

    Returns:
        (N, K, H - h + 1, W - w + 1).
    """
    exemplar = exemplar.expand(len(search), -1, -1, -1)
    n, c = search.shape[:2]
    kernel = exemplar.reshape(-1, c, *exemplar.shape[2:])
    response = F.conv2d(search.reshape(1, n * c, *search.shape[2:]), kernel, groups=n) / kernel[0].numel()
    return response.reshape(n, -1, *response.shape[2:])
