import numpy as np
import pytest
import torch

from lwdna_mm.models.tracking import AnchorSearch, ScaleSearch

BOX = np.array([100.0, 80.0, 40.0, 60.0])


def _peak(row, column, size=17):
    grid = np.arange(size)
    bump = np.exp(-((grid[:, None] - row) ** 2 + (grid[None, :] - column) ** 2) / 4)
    return torch.from_numpy(bump).float()


def test_peak_moves_the_box_by_stride_and_crop_scale():
    # Two cells right and one up, of 8 search pixels each, where a search pixel is two image pixels.
    scores = torch.stack([_peak(7, 10) * factor for factor in (0.1, 1, 0.1)])
    found = ScaleSearch(window=0).locate(scores, BOX, 510, 255)
    np.testing.assert_allclose(found, [100 + 32, 80 - 16, 40, 60], atol=1.1)
    np.testing.assert_allclose(found[2:], BOX[2:])


def test_better_scale_resizes_by_the_rate_and_ties_keep_the_size():
    search = ScaleSearch(window=0)
    larger = torch.stack([_peak(8, 8) * factor for factor in (0.1, 1, 1.2)])
    found = search.locate(larger, BOX, 255, 255)
    np.testing.assert_allclose(found[2:], BOX[2:] * (0.41 + 0.59 * 1.0375))
    np.testing.assert_allclose(search.locate(torch.stack([_peak(8, 8)] * 3), BOX, 255, 255)[2:], BOX[2:])
    np.testing.assert_allclose(search.sides(100), [100 / 1.0375, 100, 103.75])


def test_window_prefers_the_near_one_of_two_equal_peaks():
    scores = (_peak(8, 2) + _peak(8, 9))[None].repeat(3, 1, 1)
    found = ScaleSearch().locate(scores, BOX, 255, 255)
    assert found[0] == pytest.approx(108, abs=2)


def _anchors(size=17):
    scores = torch.full((1, 2, size, size), 0.01)
    boxes = torch.tensor([127.0, 127.0, 64.0, 64.0]).repeat(1, 2, size, size, 1)
    return scores, boxes


def test_best_anchor_moves_the_box_and_its_score_sets_the_rate():
    scores, boxes = _anchors()
    scores[0, 1, 8, 9] = 0.9
    boxes[0, 1, 8, 9] = torch.tensor([137.0, 122.0, 44.0, 60.0])
    found = AnchorSearch(penalty=0, rate=0.5).locate((scores, boxes), BOX, 255 * 2, 255)
    np.testing.assert_allclose(found[:2], [100 + 20, 80 - 10])
    np.testing.assert_allclose(found[2:], BOX[2:] * 0.55 + 0.45 * np.array([88, 120]))


def test_penalty_rejects_a_change_of_shape():
    scores, boxes = _anchors()
    boxes[...] = torch.tensor([127.0, 127.0, 40.0, 60.0])
    scores[0, 0, 8, 8], scores[0, 1, 8, 8] = 0.8, 0.9
    boxes[0, 1, 8, 8] = torch.tensor([127.0, 127.0, 160.0, 15.0])
    for penalty, width in ((0, 160), (0.16, 40)):
        found = AnchorSearch(penalty=penalty, rate=1.0).locate((scores, boxes), BOX, 255, 255)
        assert abs(found[2] - width) < abs(found[2] - (200 - width))
