"""Bicubic interpolation as a network: the baseline that every super-resolution table starts from."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from lwdna_mm.registry import MODELS


@MODELS.register_module()
class Bicubic(BaseModule):
    """Enlarge as MATLAB's ``imresize`` does: a cubic with a = -0.5, borders mirrored, the edge repeated.

    Args:
        scale: by how much, a whole number of at least 2.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` of shape (N, C, H, W), H and W at least 2, to (N, C, scale * H, scale * W)."""
        for dim in (-2, -1):
            size = x.shape[dim]
            mirrored = torch.tensor([1, 0, *range(size), size - 1, size - 2], device=x.device)
            x = x.index_select(dim, mirrored)
        # torch's antialiased cubic has a = -0.5 (its plain one -0.75), and enlarging needs no smoothing.
        x = F.interpolate(x, scale_factor=self.scale, mode="bicubic", antialias=True)
        border = 2 * self.scale
        return x[..., border:-border, border:-border]
