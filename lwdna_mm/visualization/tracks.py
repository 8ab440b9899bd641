"""Tracks drawn on their frames: a PNG strip or a video.

Boxes are ``(left, top, width, height)`` in pixels, 1-indexed.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..compat.images import AS_STORED
from ..errors import UserError
from ..files import write_atomically

COLOURS = ((255, 64, 64), (64, 255, 64), (64, 160, 255), (255, 224, 64))


def draw_boxes(image: np.ndarray, boxes: dict[str, np.ndarray], caption: str = "") -> np.ndarray:
    """A copy of an RGB image (H, W, 3) with one labelled box (4,) for each name, in the order of COLOURS."""
    canvas = image.copy()
    if caption:
        _write(canvas, caption, (4, 16), (255, 255, 255))
    for line, ((name, box), colour) in enumerate(zip(boxes.items(), COLOURS, strict=False)):
        left, top, width, height = np.asarray(box, dtype=float)
        start = round(left - 1), round(top - 1)
        cv2.rectangle(canvas, start, (round(left + width - 2), round(top + height - 2)), colour, 2)
        _write(canvas, name, (4, 34 + 18 * line), colour)
    return canvas


def draw_frame(frames: Sequence[str], tracks: dict[str, np.ndarray], index: int) -> np.ndarray:
    """Frame ``index`` of a sequence (paths) with the boxes of the tracks, arrays (n, 4), on it.

    Raises:
        UserError: If the frame cannot be read.
    """
    image = cv2.imread(frames[index], AS_STORED)
    if image is None:
        raise UserError(f"{frames[index]} is not a readable image")
    boxes = {name: track[index] for name, track in tracks.items() if index < len(track)}
    return draw_boxes(image, boxes, f"{index + 1}/{len(frames)}")


def save_strip(
    path: str | Path, frames: Sequence[str], tracks: dict[str, np.ndarray], count: int = 8, width: int = 320
) -> None:
    """Write ``count`` evenly spaced frames, each ``width`` pixels wide, four to a row, as PNG."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int))
    tiles = []
    for index in chosen:
        picture = draw_frame(frames, tracks, index)
        height = round(picture.shape[0] * width / picture.shape[1])
        tiles.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    rows = [tiles[start : start + 4] for start in range(0, len(tiles), 4)]
    rows[-1] += [np.zeros_like(tiles[0])] * (len(rows[0]) - len(rows[-1]))
    strip = np.vstack([np.hstack(row) for row in rows])
    write_atomically(cv2.imencode(".png", strip[..., ::-1])[1].tobytes(), path)


def save_video(path: str | Path, frames: Sequence[str], tracks: dict[str, np.ndarray], fps: float = 25) -> None:
    """Write all frames with the tracks on them as an MPEG-4 video.

    Raises:
        UserError: a frame cannot be read, or the video not be written, as on a full disk.
    """
    partial = Path(path).with_suffix(".part.mp4")
    height, width = draw_frame(frames, tracks, 0).shape[:2]
    partial.unlink(missing_ok=True)  # a link would be followed
    writer = cv2.VideoWriter(str(partial), cv2.VideoWriter_fourcc(*"mp4v"), fps, (width, height))
    try:
        for index in range(len(frames)):
            writer.write(np.ascontiguousarray(draw_frame(frames, tracks, index)[..., ::-1]))
        writer.release()
        # OpenCV does not tell of a full disk.
        if int(cv2.VideoCapture(str(partial)).get(cv2.CAP_PROP_FRAME_COUNT)) != len(frames):
            raise UserError(f"{path}: the video could not be written: is there space left on the device?")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _write(canvas: np.ndarray, text: str, origin: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Write on a dark ground, which keeps the text legible on any frame."""
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    corners = (origin[0] - 2, origin[1] - height - 2), (origin[0] + width + 2, origin[1] + below)
    cv2.rectangle(canvas, *corners, (0, 0, 0), cv2.FILLED)
    cv2.putText(canvas, text, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
