"""Small tracking sequences made from scikit-image's photographs: a face glides over a cat."""

from pathlib import Path

import cv2
import numpy as np
from skimage import data

FACE = np.s_[60:124, 190:254]


def make_frames(folder: Path, count: int, digits: int, start: int = 1) -> np.ndarray:
    """Write JPEG frames of 200 x 160 pixels; the face's boxes (count, 4), 1-indexed."""
    folder.mkdir(parents=True)
    background = cv2.resize(data.chelsea(), (200, 160), interpolation=cv2.INTER_AREA)
    width, height = 30, 36
    face = cv2.resize(data.astronaut()[FACE], (width, height), interpolation=cv2.INTER_AREA)
    boxes = []
    for index in range(count):
        left, top = 30 + 6 * index, 40 + 3 * index
        frame = background.copy()
        frame[top : top + height, left : left + width] = face
        cv2.imwrite(str(folder / f"{start + index:0{digits}d}.jpg"), frame[..., ::-1])
        boxes.append([left + 1, top + 1, width, height])
    return np.array(boxes, dtype=float)


def make_otb(root: Path, name: str = "Crossing", count: int = 12, start: int = 1) -> Path:
    """A sequence in OTB's format, its frames numbered from ``start``; returns its folder."""
    boxes = make_frames(root / name / "img", count, 4, start)
    np.savetxt(root / name / "groundtruth_rect.txt", boxes, fmt="%d", delimiter=",")
    return root / name


def make_got10k(root: Path, subset: str = "val", names: tuple[str, ...] = ("GOT-10k_Val_000001",)) -> Path:
    """A subset in GOT-10k's format, with its labels; returns its folder."""
    for name in names:
        folder = root / subset / name
        boxes = make_frames(folder, 8, 8)
        np.savetxt(
            folder / "groundtruth.txt",
            boxes[:1] if subset == "test" else boxes,
            fmt="%.4f",
            delimiter=",",
        )
        (folder / "meta_info.ini").write_text("[METAINFO]\nurl: none\nresolution: (200, 160)\n")
        for label, value in (("cover", 8), ("absence", 0), ("cut_by_image", 0)):
            np.savetxt(folder / f"{label}.label", np.full(len(boxes), value), fmt="%d")
    (root / subset / "list.txt").write_text("\n".join(names) + "\n")
    return root / subset
