"""Small pipelines of every domain for tests/crash.py, and what of their results must not depend on kills."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from lwdna_mm.runs.checkpoint_file import find_last_checkpoint, load_checkpoint_file
from tests import restoration_runs
from tests.digits_runs import CONFIGS as DIGITS
from tests.digits_runs import tiny_options
from tests.tracking_data import make_otb

CONFIGS = DIGITS.parent
SMALL_TRACKER = {
    "model.backbone.channels": "(8,16,16,16,16)",
    "train_dataloader.batch_size": 4,
    "train_dataloader.dataset.sequences": "[Crossing]",
    "train_dataloader.dataset.pairs_per_sequence": 16,
    "train_dataloader.dataset.recolour": 0,
    "train_dataloader.dataset.search_size": 239,
    "lwdna.shrink.iters": 2,
    "train_cfg.max_epochs": 3,
    "train_cfg.val_interval": 1,
}


def digits(folder: Path) -> list[str]:
    """Classification; four iterations an epoch, a step every third: gradients are pending at every checkpoint."""
    options = {**tiny_options(True), "train_cfg.val_interval": 1, "optim_wrapper.accumulative_counts": 3}
    return _arguments(DIGITS / "resnet8_lwdna_1xb32_digits.py", options)


def restoration(task: str) -> Callable[[Path], list[str]]:
    """Super-resolution or denoising, on photographs of scikit-image; counted in iterations."""

    def arguments(folder: Path) -> list[str]:
        root = folder / "images"
        if not root.exists():
            restoration_runs.write_images(root)
        steps = {"train_cfg.max_iters": 6, "train_cfg.val_interval": 2, "lwdna.shrink.iters": 2, "data_root": root}
        options = {**restoration_runs.TINY, **steps}
        return _arguments(CONFIGS / task.format("_lwdna"), options)

    return arguments


def tracking(folder: Path) -> list[str]:
    """A Siamese tracker, on a face that glides over a cat."""
    if not (folder / "otb").exists():
        make_otb(folder / "otb")
    options = {**SMALL_TRACKER, "data_root": folder / "otb"}
    return _arguments(CONFIGS / "tracking" / "siamfc_alexnet-half_lwdna_1xb8-200_dragonbaby.py", options)


# Each makes its data in a folder and returns arguments of tools/train.py, the last of which are --cfg-options.
DOMAINS: dict[str, Callable[[Path], list[str]]] = {
    "digits": digits,
    "super-resolution": restoration(restoration_runs.SR),
    "denoising": restoration(restoration_runs.DENOISING),
    "tracking": tracking,
}


def _arguments(config: Path, options: dict[str, Any]) -> list[str]:
    return [str(config), "--cfg-options", *(f"{key}={value}" for key, value in options.items())]


def results(work_dir: Path) -> dict[str, Any]:
    """All that a run ends with, but for times: the plan, weights, optimizer, schedules and the summary."""
    summary = json.loads((work_dir / "summary.json").read_text())
    for part in ("training", "search"):
        summary[part].pop("seconds")
    for part in ("best", "last"):
        summary["metrics"][part].pop("otb/fps", None)
    found = dict(summary=summary, plan=json.loads((work_dir / "plan.json").read_text()))
    found["cut"] = load_checkpoint_file(work_dir / "plan.pth")["state_dict"]
    found["last"] = find_last_checkpoint(work_dir).name
    for path in work_dir.glob("*_*.pth"):
        checkpoint = load_checkpoint_file(path)
        kept = ("state_dict", "optimizer", "param_schedulers", "accumulated_gradients")
        found[path.name] = {key: checkpoint.get(key) for key in kept}
    return found


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Where two results differ in any bit."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key in one and key in other:
                yield from differences(one[key], other[key], f"{where}/{key}")
            else:
                yield f"{where}/{key}"
    elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{where}/{index}")
    elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        if one.dtype != other.dtype or not torch.equal(one, other):
            yield where
    elif one != other:
        yield where
