"""The crops of images that restoration runs have kept, see :class:`lwdna_mm.visualization.save_crops.SaveCrops`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np


@dataclass(frozen=True)
class Crops:
    """One run's crops of one image.

    Attributes:
        input, output, target: RGB images (H, W, 3).
        metrics: ``psnr`` of the whole image (``input``, ``output``, in dB) and how it is taken; ``input`` is the
            input's name.
    """

    input: np.ndarray
    output: np.ndarray
    target: np.ndarray
    metrics: dict[str, Any]


def read_crops(work_dirs: Sequence[str | Path]) -> dict[str, list[Crops]]:
    """The crops of every image of which all runs kept some: by the image's name, in alphabetical order, one a run."""
    folders = [Path(work_dir) / "visuals" for work_dir in work_dirs]
    names = [{path.parent.name for path in folder.glob("*/metrics.json")} for folder in folders]
    shared = set.intersection(*names) if names else set()
    return {name: [_read(folder / name) for folder in folders] for name in sorted(shared)}


def _read(folder: Path) -> Crops:
    kinds = ("input", "output", "target")
    images = [cv2.imread(str(folder / f"{kind}.png"), cv2.IMREAD_COLOR_RGB) for kind in kinds]
    return Crops(*images, json.loads((folder / "metrics.json").read_text(encoding="utf-8")))
