"""SiamRPN's head: a score and a box for each anchor."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import nn

from ...errors import UserError
from ...registry import MODELS
from .anchors import anchor_grid, box_iou, decode, encode
from .correlation import depthwise_correlation, up_channel_correlation


@MODELS.register_module()
class SiamRPNHead(BaseModule):
    """Classifies and refines anchors by two correlations (SiamRPN, its region proposal subnetwork).

    Args:
        in_channels: Channels of the backbone's embeddings.
        channels: Channels that enter the correlations.
        correlation: 'depthwise' (SiamRPN++) or 'up_channel' (SiamRPN).
        ratios: Heights over widths of the anchors at each position.
        anchor_size: Square root of an anchor's area, in search pixels.
        stride: Search pixels from one position to the next.
        positive_iou, negative_iou: An anchor at or above the first is positive, below the second negative.
        loss_cls, loss_box: Registry configurations of the losses; BalancedCrossEntropyLoss and
            PositiveSmoothL1Loss by default.
        box_weight: Factor of the box loss.
        init_cfg: mmengine's initialisation; He's by default.

    Raises:
        UserError: If the correlation is unknown.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 256,
        correlation: str = "depthwise",
        ratios: Sequence[float] = (0.33, 0.5, 1, 2, 3),
        anchor_size: float = 64,
        stride: int = 8,
        positive_iou: float = 0.6,
        negative_iou: float = 0.3,
        loss_cls: dict | None = None,
        loss_box: dict | None = None,
        box_weight: float = 1.2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg or dict(type="Kaiming", layer="Conv2d"))
        if correlation not in BRANCHES:
            raise UserError(f"correlation {correlation!r} is unknown: use one of {', '.join(BRANCHES)}")
        branch = BRANCHES[correlation]
        self.cls_branch = branch(in_channels, channels, 2 * len(ratios))
        self.box_branch = branch(in_channels, channels, 4 * len(ratios))
        self.ratios = tuple(ratios)
        self.anchor_size = anchor_size
        self.stride = stride
        self.positive_iou = positive_iou
        self.negative_iou = negative_iou
        self.criterion_cls = MODELS.build(loss_cls or dict(type="lwdna_mm.BalancedCrossEntropyLoss"))
        self.criterion_box = MODELS.build(loss_box or dict(type="lwdna_mm.PositiveSmoothL1Loss"))
        self.box_weight = box_weight

    def template(self, exemplar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The kernels of the two correlations, from an exemplar's embedding (n, in_channels, h, w)."""
        return self.cls_branch.kernel(exemplar), self.box_branch.kernel(exemplar)

    def forward(
        self, template: tuple[torch.Tensor, torch.Tensor], search: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, 2K, S, S) and box offsets (N, 4K, S, S) for K anchors at each of S x S positions."""
        return self.cls_branch(template[0], search), self.box_branch(template[1], search)

    def loss(
        self, outputs: tuple[torch.Tensor, torch.Tensor], boxes: torch.Tensor, search_size: int
    ) -> dict[str, torch.Tensor]:
        """The training losses, for targets (N, 4): ``(cx, cy, w, h)`` in pixels of the search images."""
        logits, offsets = (output.float() for output in outputs)
        anchors = self.anchors(logits, search_size)
        iou = box_iou(anchors[None], boxes[:, None])
        labels = torch.full(iou.shape, -1, dtype=torch.long, device=iou.device)
        labels[iou < self.negative_iou] = 0
        labels[iou >= self.positive_iou] = 1
        targets = encode(anchors[None], boxes[:, None]).transpose(1, 2)
        loss_cls = self.criterion_cls(logits.reshape(len(logits), 2, -1), labels)
        loss_box = self.criterion_box(offsets.reshape(len(offsets), 4, -1), targets, labels)
        return dict(loss_cls=loss_cls, loss_box=self.box_weight * loss_box)

    def decode(self, outputs: tuple[torch.Tensor, torch.Tensor], search_size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Target probabilities (N, K, S, S) and boxes (N, K, S, S, 4) in pixels of the search images."""
        logits, offsets = outputs
        n, _, size, _ = logits.shape
        scores = logits.reshape(n, 2, -1).softmax(dim=1)[:, 1]
        boxes = decode(self.anchors(logits, search_size)[None], offsets.reshape(n, 4, -1).transpose(1, 2))
        return scores.reshape(n, -1, size, size), boxes.reshape(n, -1, size, size, 4)

    def anchors(self, logits: torch.Tensor, search_size: int) -> torch.Tensor:
        """Boxes (K * S * S, 4) of the anchors that logits (N, 2K, S, S) score."""
        grid = anchor_grid(logits.shape[-1], self.stride, search_size, self.anchor_size, self.ratios)
        return grid.to(logits.device)


class DepthwiseBranch(BaseModule):
    """Depthwise correlation, then two 1x1 convolutions to ``out_channels``.

    The outputs begin near zero: undecided scores, and boxes that are the anchors.
    """

    def __init__(self, in_channels: int, channels: int, out_channels: int) -> None:
        super().__init__(init_cfg=dict(type="Normal", std=0.01, override=dict(name="out")))
        self.kernel = _conv_bn_relu(in_channels, channels, 3)
        self.search = _conv_bn_relu(in_channels, channels, 3)
        self.mix = _conv_bn_relu(channels, channels, 1)
        self.out = nn.Conv2d(channels, out_channels, 1)

    def forward(self, kernel: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        """A kernel (n, channels, h, w) and an embedding (N, in_channels, H, W) to (N, out_channels, S, S)."""
        return self.out(self.mix(depthwise_correlation(kernel, self.search(search))))


class UpChannelBranch(nn.Module):
    """The exemplar is raised to ``out_channels`` kernels, one for each output."""

    def __init__(self, in_channels: int, channels: int, out_channels: int) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(in_channels, out_channels * channels, 3)
        self.search = nn.Conv2d(in_channels, channels, 3)
        self.out = nn.Conv2d(out_channels, out_channels, 1)

    def forward(self, kernel: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        """As in :class:`DepthwiseBranch`, with a kernel (n, out_channels * channels, h, w)."""
        return self.out(up_channel_correlation(kernel, self.search(search)))


BRANCHES = {"depthwise": DepthwiseBranch, "up_channel": UpChannelBranch}


def _conv_bn_relu(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
