"""A trained restoration network applied to a person's own images."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from ..compat import images
from ..errors import UserError
from ..files import write_atomically
from ..models.restoration.tiling import restore_tiled
from .trained import load_trained

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}


def load_restorer(cfg: Config, checkpoint: str | Path, plan: str | Path | None = None) -> nn.Module:
    """A trained restoration network in evaluation mode; see :func:`~.trained.load_trained`.

    Raises:
        UserError: also if the network is one of another task.
    """
    model = load_trained(cfg, checkpoint, plan)
    if not hasattr(model, "generator"):
        raise UserError(f"{cfg.filename}: its model is a {type(model).__name__}, not one that restores images")
    return model.to(memory_format=torch.channels_last).eval()


class Restorer:
    """A network as a function from an 8-bit image to an 8-bit image.

    A colour image goes through a grey network channel by channel, a grey image through a colour network as three
    equal channels, whose mean is taken.

    Args:
        model: mmagic's ``BaseEditModel`` with our preprocessor, whose mean has one entry per channel.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.channels = model.data_preprocessor.mean.numel()

    @torch.no_grad()
    def __call__(self, image: np.ndarray) -> np.ndarray:
        """From (H, W, C), BGR or grey, to (scale * H, scale * W, C)."""
        from mmagic.structures import DataSample  # noqa: PLC0415  mmagic is optional

        colours = image.shape[2]
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float()
        inputs = list(pixels.split(1)) if self.channels == 1 else [pixels.expand(self.channels, -1, -1)]
        meta = dict(img_color_type="grayscale") if self.channels == 1 else dict(img_channel_order="BGR")
        samples = [DataSample(metainfo=meta, gt_img=one) for one in inputs]
        restored = self.model.test_step(dict(inputs=inputs, data_samples=samples))
        result = torch.cat([sample.output.pred_img for sample in restored])
        if self.channels > colours:
            result = result.mean(dim=0, keepdim=True).round()
        return result.byte().permute(1, 2, 0).numpy()


def restore_file(
    restorer: Restorer,
    path: Path,
    target: Path,
    tile: int,
    overlap: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int]:
    """Restore one image file into another, a PNG; see :func:`~lwdna_mm.models.restoration.tiling.restore_tiled`.

    Returns:
        Height and width of the result.

    Raises:
        UserError: the file is not an image that the networks can take.
    """
    result = restore_tiled(restorer, read_image(path), tile, overlap, progress)
    write_atomically(cv2.imencode(".png", result)[1].tobytes(), target)
    return result.shape[:2]


def find_images(source: str | Path, out: str | Path) -> Iterator[tuple[Path, Path]]:
    """Pairs of an image file and where its restored version goes, OUT/NAME.png.

    Args:
        source: an image, or a folder whose image files are taken, by suffix.
        out: folder.

    Raises:
        UserError: there is no image, or a result would overwrite an image or another result.
    """
    source, out = Path(source), Path(out)
    if source.is_dir():
        files = sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
    else:
        files = [source] if source.is_file() else []
    if not files:
        raise UserError(f"{source}: no image there")
    owners: dict[Path, Path] = {}
    for path in files:
        target = out / f"{path.stem}.png"
        if target in owners or target.resolve() == path.resolve():
            raise UserError(f"{target} would overwrite {owners.get(target, path)}: choose another --out or rename")
        owners[target] = path
    return ((path, target) for target, path in owners.items())


def read_image(path: Path) -> np.ndarray:
    """An 8-bit image (H, W, C), BGR or grey, upright by its EXIF data; transparency is dropped.

    Raises:
        UserError: the file is no readable image, or has more than 8 bits a channel.
    """
    image = images.read_image(path, cv2.IMREAD_ANYCOLOR)
    if image.ndim == 2:
        return image[..., None]
    with open(path, "rb") as file:
        header = file.read(26)
    # Of a PNG's grey and alpha (colour type 4) OpenCV makes three channels.
    return image[..., :1] if header.startswith(images.PNG) and header[25] == 4 else image
