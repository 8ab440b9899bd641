import numpy as np
import pytest
import torch
from got10k.utils.metrics import rect_iou

from lwdna_mm.errors import UserError
from lwdna_mm.models.tracking import (
    BalancedBCELoss,
    BalancedCrossEntropyLoss,
    CrossCorrelationHead,
    PositiveSmoothL1Loss,
    SiamRPNHead,
)
from lwdna_mm.models.tracking.anchors import anchor_grid, box_iou, decode, encode
from lwdna_mm.models.tracking.correlation import (
    cross_correlation,
    depthwise_correlation,
    up_channel_correlation,
)


@pytest.fixture
def maps():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 4, 2, 2, generator=generator), torch.randn(3, 4, 5, 5, generator=generator)


def _windows(search):
    """(N, C, 4, 4, 2, 2): all 2 x 2 windows of maps of 5 x 5."""
    return search.unfold(2, 2, 1).unfold(3, 2, 1)


def test_cross_correlation_of_pairs_and_of_one_exemplar(maps):
    exemplar, search = maps
    wanted = torch.einsum("nchw,ncijhw->nij", exemplar, _windows(search))[:, None]
    torch.testing.assert_close(cross_correlation(exemplar, search), wanted)
    alone = cross_correlation(exemplar[:1], search)
    torch.testing.assert_close(alone[0], wanted[0])
    torch.testing.assert_close(alone[1], cross_correlation(exemplar[:1], search[1:2])[0])


def test_depthwise_correlation(maps):
    exemplar, search = maps
    wanted = torch.einsum("nchw,ncijhw->ncij", exemplar, _windows(search))
    torch.testing.assert_close(depthwise_correlation(exemplar, search), wanted)
    torch.testing.assert_close(depthwise_correlation(exemplar[:1], search)[0], wanted[0])


def test_up_channel_correlation_is_the_mean(maps):
    _, search = maps
    exemplar = torch.randn(3, 5 * 4, 2, 2)
    kernels = exemplar.reshape(3, 5, 4, 2, 2)
    wanted = torch.einsum("nkchw,ncijhw->nkij", kernels, _windows(search)) / 16
    torch.testing.assert_close(up_channel_correlation(exemplar, search), wanted)


def test_balanced_bce_is_the_mean_of_the_two_means():
    logits = torch.tensor([2.0, -1.0, 0.5, 3.0])
    labels = torch.tensor([1.0, 0.0, 0.0, 0.0])
    positive = np.log1p(np.exp(-2.0))
    negative = np.mean([np.log1p(np.exp(x)) for x in (-1.0, 0.5, 3.0)])
    assert BalancedBCELoss()(logits, labels).item() == pytest.approx((positive + negative) / 2, rel=1e-5)
    assert BalancedBCELoss()(logits, labels * 0).isfinite()


def test_anchors_of_neither_kind_do_not_count():
    logits = torch.tensor([[[0.0, 5.0, 1.0], [1.0, -5.0, 1.0]]])
    labels = torch.tensor([[1, -1, 0]])
    wanted = 0.5 * (np.log1p(np.exp(-1.0)) + np.log(2))
    assert BalancedCrossEntropyLoss()(logits, labels).item() == pytest.approx(wanted, rel=1e-5)
    offsets, targets = torch.zeros(1, 4, 3), torch.zeros(1, 4, 3)
    offsets[0, :, 0], offsets[0, :, 1] = 2.0, 100.0
    loss = PositiveSmoothL1Loss(beta=1.0)(offsets, targets, labels)
    assert loss.item() == pytest.approx(4 * (2 - 0.5))


@pytest.mark.parametrize(("search_size", "response"), [(255, 17), (239, 15)])
def test_siamfc_labels_follow_the_target_and_the_response_size(search_size, response):
    head = CrossCorrelationHead()
    middle = (search_size - 1) / 2
    boxes = torch.tensor([[middle, middle, 50, 60], [middle + 24, middle - 8, 50, 60]])
    labels = head.labels(boxes, response, search_size)[:, 0]
    centre = response // 2
    # A radius of 16 pixels is two cells: 13 cells of the grid lie within.
    assert labels.sum(dim=(1, 2)).tolist() == [13, 13]
    rows, columns = torch.nonzero(labels[1], as_tuple=True)
    assert (rows.float().mean().item(), columns.float().mean().item()) == (centre - 1, centre + 3)


def test_anchor_grid_is_centred_and_has_the_ratios():
    grid = anchor_grid(17, 8, 255, 64, (0.5, 1, 2)).reshape(3, 17, 17, 4)
    torch.testing.assert_close(grid[:, 8, 8, :2], torch.full((3, 2), 127.0))
    torch.testing.assert_close(grid[0, 3, 5, :2], torch.tensor([127.0 - 24, 127.0 - 40]))
    torch.testing.assert_close(grid[:, 0, 0, 3] / grid[:, 0, 0, 2], torch.tensor([0.5, 1, 2]))
    torch.testing.assert_close(grid[:, 0, 0, 3] * grid[:, 0, 0, 2], torch.full((3,), 64.0**2))


def test_offsets_and_overlap():
    anchors, boxes = (torch.rand(20, 4) * 50 + 10 for _ in range(2))
    torch.testing.assert_close(decode(anchors, encode(anchors, boxes)), boxes)

    def corners(b):
        return torch.cat([b[:, :2] - b[:, 2:] / 2, b[:, 2:]], dim=1).double().numpy()

    np.testing.assert_allclose(box_iou(anchors, boxes), rect_iou(corners(anchors), corners(boxes)), atol=1e-5)


@pytest.mark.parametrize("correlation", ["depthwise", "up_channel"])
def test_rpn_head_learns_one_box(correlation):
    """A head that overfits one pair must put its best anchor's box on the target."""
    torch.manual_seed(0)
    head = SiamRPNHead(8, channels=8, correlation=correlation)
    head.init_weights()
    exemplar, search = torch.randn(2, 8, 6, 6), torch.randn(2, 8, 22, 22)
    boxes = torch.tensor([[140.0, 120.0, 60.0, 70.0], [110.0, 127.0, 80.0, 50.0]])
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    for _ in range(80):
        losses = head.loss(head(head.template(exemplar), search), boxes, 255)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    scores, found = head.decode(head(head.template(exemplar), search), 255)
    assert scores.shape == (2, 5, 17, 17)
    best = scores.reshape(2, -1).argmax(dim=1)
    found = found.reshape(2, -1, 4)[torch.arange(2), best]
    assert (box_iou(found, boxes) > 0.7).all()


def test_unknown_correlation():
    with pytest.raises(UserError, match="correlation 'fast' is unknown"):
        SiamRPNHead(8, correlation="fast")
