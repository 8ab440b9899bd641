"""Two random samples for the network of any config, at a small size."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

SIDE = 64  # of images that are larger in the config
PATCH = 16  # of patches to be restored
SEARCH = 191  # of search images


def random_batch(cfg: Config, folder: Path) -> dict[str, Any]:
    """What a train dataloader would give, for a config whose default scope is set.

    Args:
        cfg: of any task.
        folder: for an image file, where the config's pipeline reads one.
    """
    return {"mmpretrain": _labelled, "mmagic": _degraded, "mmengine": _tracked}[cfg.default_scope](cfg, folder)


def _labelled(cfg: Config, folder: Path) -> dict[str, Any]:
    """Random images, through the config's own training pipeline."""
    channels, height, width = cfg.input_shape
    draw, pipeline = np.random.default_rng(0), Compose(cfg.train_dataloader.dataset.pipeline)
    samples = []
    for label in range(2):
        image = draw.integers(0, 256, (height, width, channels), np.uint8)
        file = folder / f"{label}.png"
        cv2.imwrite(str(file), image)
        shape = image.shape[:2]
        samples.append(pipeline(dict(img_path=str(file), img=image, img_shape=shape, ori_shape=shape, gt_label=label)))
    inputs = [sample["inputs"] for sample in samples]
    assert {one.shape for one in inputs} == {cfg.input_shape}
    return dict(
        inputs=[one[:, :SIDE, :SIDE] for one in inputs], data_samples=[sample["data_samples"] for sample in samples]
    )


def _degraded(cfg: Config, folder: Path) -> dict[str, Any]:
    from mmagic.structures import DataSample

    channels, scale = cfg.input_shape[0], cfg.model.generator.get("upscale_factor", 1)
    meta = dict(img_color_type="grayscale") if channels == 1 else dict(img_channel_order="BGR")
    meta.update({key.replace("img", "gt"): value for key, value in meta.items()})
    inputs = [_bytes(channels, PATCH) for _ in range(2)]
    targets = [_bytes(channels, scale * PATCH) for _ in range(2)]
    return dict(inputs=inputs, data_samples=[DataSample(metainfo=meta, gt_img=target) for target in targets])


def _tracked(cfg: Config, folder: Path) -> dict[str, Any]:
    boxes = torch.tensor([[SEARCH / 2, SEARCH / 2, 60.0, 60.0]] * 2)
    return dict(exemplar=_bytes(2, 3, 127), search=_bytes(2, 3, SEARCH), boxes=boxes)


def _bytes(*shape: int) -> torch.Tensor:
    """Square images, (..., C, side) without its second side."""
    return torch.randint(0, 256, (*shape, shape[-1]), dtype=torch.uint8)
