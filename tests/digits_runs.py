"""Tiny real trainings on scikit-learn's digits, for the tests of engine, tools and report."""

import copy
from pathlib import Path

from mmengine.config import Config

from lwdna_mm.engine import load_config

CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "classification"
TINY = {
    "train_cfg.max_epochs": 3,
    "train_cfg.val_interval": 3,
    "train_dataloader.batch_size": 16,
    "train_dataloader.dataset.train_size": 64,
    "val_dataloader.dataset.train_size": 1600,
    "test_dataloader.dataset.train_size": 1600,
    "lwdna.shrink.iters": 3,
}


def tiny_options(lwdna: bool) -> dict:
    """What makes a digits config tiny: 4 iterations an epoch, 197 test images."""
    return {key: value for key, value in TINY.items() if lwdna or not key.startswith("lwdna")}


def tiny_config(work_dir: Path, lwdna: bool = True, **options) -> Config:
    """The digits config, or its LW-DNA twin, with 4 iterations an epoch and 197 test images.

    Dots in the names of options are written as double underscores.
    """
    name = "resnet8_lwdna_1xb32_digits.py" if lwdna else "resnet8_1xb32_digits.py"
    given = {key.replace("__", "."): value for key, value in options.items()}
    tiny = tiny_options(lwdna).items()
    tiny = {key: value for key, value in tiny if not any(key.startswith(f"{whole}.") for whole in given)}
    cfg = load_config(CONFIGS / name, copy.deepcopy({**tiny, **given}))
    cfg.work_dir = str(work_dir)
    return cfg
