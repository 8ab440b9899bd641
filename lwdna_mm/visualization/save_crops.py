"""Keeping a few crops of a restoration run for its report."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from ..files import write_atomically
from ..models.restoration import Bicubic
from ..registry import HOOKS


@HOOKS.register_module()
class SaveCrops(Hook):
    """After every validation or test, keep the same crops of a few images, for :func:`~.crops.compose`.

    Writes ``WORK_DIR/visuals/<folder>-<image>/``: ``input.png``, ``output.png`` and ``target.png``, losslessly, and
    ``metrics.json`` with the PSNR of the *whole* image in dB. A low-resolution input is enlarged by the bicubic.

    Args:
        crops: where the crop begins, ``{'set5-img_003': (top, left)}``, in pixels of the target; the key is the
            folder and name of the image file.
        size: height and width of the crops, pixels of the target.
        crop_border, convert_to: mmagic's, as in the config's PSNR metric.
    """

    priority = "LOW"

    def __init__(
        self,
        crops: dict[str, Sequence[int]],
        size: int = 80,
        crop_border: int = 0,
        convert_to: str | None = None,
    ) -> None:
        self.crops = crops
        self.size = size
        self.protocol = dict(crop_border=crop_border, convert_to=convert_to)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: object, outputs: Sequence) -> None:
        """Write the crops of those ``outputs`` (mmagic's data samples) that are asked for."""
        for sample in outputs:
            path = Path(sample.metainfo["gt_path"])
            name = f"{path.parent.name}-{path.stem}"
            if name in self.crops:
                self._save(Path(runner.work_dir) / "visuals" / name, sample, *self.crops[name])

    after_test_iter = after_val_iter

    def _save(self, folder: Path, sample: object, top: int, left: int) -> None:
        from mmagic.evaluation.metrics import psnr  # noqa: PLC0415  mmagic is optional

        images = dict(input=sample.input, output=sample.output.pred_img, target=sample.gt_img)
        images = {kind: image.float().cpu() for kind, image in images.items()}
        scale = images["target"].shape[-1] // images["input"].shape[-1]
        if scale > 1:
            images["input"] = Bicubic(scale)(images["input"][None])[0].clamp(0, 255).round()
        target = images["target"].numpy()
        measured = {
            kind: float(psnr(target, images[kind].numpy(), input_order="CHW", channel_order="BGR", **self.protocol))
            for kind in ("input", "output")
        }
        for kind, image in images.items():
            crop = _to_pixels(image)[top : top + self.size, left : left + self.size]
            write_atomically(cv2.imencode(".png", crop)[1].tobytes(), folder / f"{kind}.png")
        metrics = dict(psnr=measured, input="bicubic" if scale > 1 else "noisy", **self.protocol)
        write_atomically((json.dumps(metrics, indent=2) + "\n").encode(), folder / "metrics.json")


def _to_pixels(image: Tensor) -> np.ndarray:
    """(C, H, W) on 0-255, BGR or grey, to 8-bit (H, W, C)."""
    return image.clamp(0, 255).round().byte().permute(1, 2, 0).numpy()
