"""Anchors of a region proposal head. Boxes are ``(cx, cy, w, h)`` in pixels of the search image."""

from collections.abc import Sequence

import torch


def anchor_grid(
    response: int, stride: int, search_size: int, anchor_size: float, ratios: Sequence[float]
) -> torch.Tensor:
    """Anchors centred on a search image, (K * response * response, 4).

    The K ratios (h / w) run slowest, then the rows.
    """
    cells = (torch.arange(response) - (response - 1) / 2) * stride + (search_size - 1) / 2
    root = torch.tensor(ratios, dtype=torch.float32).sqrt()
    width, cy, cx = torch.meshgrid(anchor_size / root, cells, cells, indexing="ij")
    height = (anchor_size * root)[:, None, None].expand_as(width)
    return torch.stack([cx, cy, width, height], dim=-1).reshape(-1, 4)


def encode(anchors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Offsets (..., 4) of boxes from anchors: shift over the anchor's size, logarithm of the size's ratio."""
    shift = (boxes[..., :2] - anchors[..., :2]) / anchors[..., 2:]
    return torch.cat([shift, (boxes[..., 2:] / anchors[..., 2:]).log()], dim=-1)


def decode(anchors: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Boxes (..., 4); the inverse of :func:`encode`."""
    center = anchors[..., :2] + offsets[..., :2] * anchors[..., 2:]
    return torch.cat([center, anchors[..., 2:] * offsets[..., 2:].exp()], dim=-1)


def box_iou(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Intersection over union of boxes whose shapes (..., 4) broadcast."""
    low = torch.maximum(first[..., :2] - first[..., 2:] / 2, second[..., :2] - second[..., 2:] / 2)
    high = torch.minimum(first[..., :2] + first[..., 2:] / 2, second[..., :2] + second[..., 2:] / 2)
    inter = (high - low).clamp(min=0).prod(dim=-1)
    return inter / (first[..., 2:].prod(dim=-1) + second[..., 2:].prod(dim=-1) - inter)
