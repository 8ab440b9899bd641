"""A Tiny-ImageNet of a few small images in its official layout."""

from pathlib import Path

import cv2
import numpy as np

WNIDS = ("n03", "n01", "n02")
WORDS = {"n01": "goldfish, Carassius auratus", "n02": "lakeside, lakeshore"}


def write_tiny_imagenet(root: Path, train: int = 12, val: int = 4, size: int = 64) -> Path:
    """Fill ``root`` with three classes of ``train`` and ``val`` random images each; n03 has no readable name."""
    draw = np.random.default_rng(0)

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), draw.integers(0, 256, (size, size, 3), np.uint8))

    annotations = []
    for wnid in WNIDS:
        for number in range(train):
            write(root / "train" / wnid / "images" / f"{wnid}_{number}.JPEG")
        for _ in range(val):
            name = f"val_{len(annotations)}.JPEG"
            write(root / "val" / "images" / name)
            annotations.append(f"{name}\t{wnid}\t0\t0\t62\t62\n")
    (root / "wnids.txt").write_text("".join(f"{wnid}\n" for wnid in WNIDS))
    (root / "words.txt").write_text("".join(f"{wnid}\t{name}\n" for wnid, name in WORDS.items()))
    # As in the official file, the classes are mixed.
    mixed = draw.permutation(len(annotations))
    (root / "val" / "val_annotations.txt").write_text("".join(annotations[i] for i in mixed))
    return root
