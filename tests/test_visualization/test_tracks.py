from pathlib import Path

import cv2
import numpy as np
import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.visualization.tracks import COLOURS, draw_boxes, save_strip, save_video


@pytest.fixture
def frames(tmp_path):
    """Six frames, the n-th of which is of grey level 20 n."""
    files = []
    for index in range(6):
        files.append(str(tmp_path / f"{index}.png"))
        cv2.imwrite(files[-1], np.full((60, 80, 3), 20 * index, np.uint8))
    return files


def test_box_is_drawn_where_got10k_means_it():
    image = np.zeros((100, 120, 3), np.uint8)
    drawn = draw_boxes(image, {"a": [41, 51, 30, 20]})
    assert not image.any()
    # The first pixel of the box is (row 50, column 40), its last (69, 69); lines are two pixels thick.
    rows, columns = np.nonzero((drawn[45:, 30:] == COLOURS[0]).all(axis=2))
    assert abs(rows.min() + 45 - 50) <= 1
    assert abs(rows.max() + 45 - 69) <= 1
    assert abs(columns.min() + 30 - 40) <= 1
    assert abs(columns.max() + 30 - 69) <= 1


def test_strip_has_evenly_spaced_frames_in_rows_of_four(frames, tmp_path):
    save_strip(tmp_path / "strip.png", frames, {"a": np.full((6, 4), 10)}, count=6, width=80)
    strip = cv2.imread(str(tmp_path / "strip.png"))
    assert strip.shape == (120, 320, 3)
    corners = strip[[55, 55, 55, 55, 115, 115, 115], [75, 155, 235, 315, 75, 155, 235], 0]
    assert corners.tolist() == [0, 20, 40, 60, 80, 100, 0]
    save_strip(tmp_path / "two.png", frames, {}, count=2, width=80)
    assert cv2.imread(str(tmp_path / "two.png"))[55, [75, 155], 0].tolist() == [0, 100]


def test_video_has_all_frames_in_order_and_tracks_may_end_early(frames, tmp_path):
    save_video(tmp_path / "video.mp4", frames, {"first only": np.full((1, 4), 30)})
    video = cv2.VideoCapture(str(tmp_path / "video.mp4"))
    levels = []
    while (read := video.read())[0]:
        levels.append(read[1][50, 70, 0])
    np.testing.assert_allclose(levels, [0, 20, 40, 60, 80, 100], atol=6)


def test_a_video_that_is_not_whole_takes_no_other_ones_place(frames, tmp_path, monkeypatch):
    """OpenCV writes to a full disk without a word."""
    video = tmp_path / "video.mp4"
    save_video(video, frames, {})
    before = video.read_bytes()

    class Full:
        def __init__(self, path, *args):
            Path(path).write_bytes(before[: len(before) // 2])

        def write(self, frame):
            """Nothing more fits."""

        def release(self):
            """And nothing is said."""

    monkeypatch.setattr(cv2, "VideoWriter", Full)
    with pytest.raises(UserError, match=r"video\.mp4: the video could not be written"):
        save_video(video, frames, {})
    assert video.read_bytes() == before
    assert [file.name for file in tmp_path.glob("*.mp4")] == ["video.mp4"]


def test_unreadable_frame_leaves_no_picture(frames, tmp_path):
    (tmp_path / "5.png").write_text("no image")
    for save, name in ((save_strip, "strip.png"), (save_video, "video.mp4")):
        with pytest.raises(UserError, match=r"5\.png is not a readable image"):
            save(tmp_path / name, frames, {})
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{index}.png" for index in range(6)]
