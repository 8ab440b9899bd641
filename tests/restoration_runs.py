"""Tiny real trainings of restoration networks on images that ship with scikit-image."""

import copy
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from skimage import data

from lwdna_mm.engine import load_config

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
SR = "super_resolution/edsr-small{}_x2c32b4_1xb16-3000_yang91.py"
DENOISING = "denoising/dncnn-small{}_sigma25_1xb32-1500_train400.py"
TINY = {
    "train_cfg.max_iters": 4,
    "train_cfg.val_interval": 4,
    "train_dataloader.batch_size": 4,
    "model.generator.mid_channels": 8,
    "default_hooks.checkpoint.interval": 2,
    "default_hooks.checkpoint.max_keep_ckpts": -1,
}


@cache
def pictures() -> dict[str, np.ndarray]:
    """Small colour images, BGR."""
    return {
        "astronaut": data.astronaut()[60:180, 140:240, ::-1],
        "chelsea": data.chelsea()[80:171, 120:231, ::-1],
        "coffee": data.coffee()[100:200, 200:300, ::-1],
    }


def write_images(folder: Path) -> Path:
    """Fill a data_root with every folder that the small configs name."""
    for name in ("yang91", "set5", "set14", "train400", "set12", "bsd68"):
        (folder / name).mkdir(parents=True)
        for key, image in pictures().items():
            cv2.imwrite(str(folder / name / f"{key}.png"), image)
    return folder


def tiny_config(task: str, data_root: Path, work_dir: Path, lwdna: bool = False, **options) -> Config:
    """A small config (SR or DENOISING), or its LW-DNA twin, on a few iterations.

    Dots in the names of options are written as double underscores.
    """
    given = {key.replace("__", "."): value for key, value in options.items()}
    if lwdna:
        given["lwdna.shrink.iters"] = 2
    path = CONFIGS / task.format("_lwdna" if lwdna else "")
    cfg = load_config(path, copy.deepcopy({**TINY, "data_root": str(data_root), **given}))
    cfg.work_dir = str(work_dir)
    return cfg
