from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from lwdna_mm.errors import UserError
from lwdna_mm.models.restoration import Bicubic, DnCNN, RestorationUNet
from lwdna_mm.models.restoration.tiling import restore_tiled
from lwdna_mm.registry import MODELS

WIDTHS = dict(in_channels=3, out_channels=3, mid_channels=4)
NETWORKS = {
    "bicubic": lambda: Bicubic(3),
    "DnCNN": lambda: DnCNN(3, mid_channels=4),
    "U-Net": lambda: RestorationUNet(3, mid_channels=4),
    "EDSR": lambda: MODELS.build(dict(type="mmagic.EDSRNet", num_blocks=16, upscale_factor=2, **WIDTHS)),
    "SRResNet": lambda: MODELS.build(dict(type="mmagic.MSRResNet", num_blocks=16, upscale_factor=4, **WIDTHS)),
}


def make(name: str) -> nn.Module:
    """A network whose signal does not fade on its way, so that the whole receptive field counts."""
    torch.manual_seed(0)
    network = NETWORKS[name]()
    if name in ("DnCNN", "U-Net"):
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(module.weight)
    return network.double().eval()


def as_function(network: nn.Module, seen: list) -> Callable[[np.ndarray], np.ndarray]:
    """The network on 8-bit images; its outputs are spread over 0-255, so that small differences show."""

    @torch.no_grad()
    def restore(image: np.ndarray) -> np.ndarray:
        seen.append(image.shape[:2])
        x = torch.from_numpy(image).permute(2, 0, 1)[None].double() / 255
        y = network(x)[0].permute(1, 2, 0)
        return (y * 1e3).round().remainder(256).byte().numpy()

    return restore


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_give_what_the_whole_image_gives(name: str):
    image = np.random.default_rng(0).integers(0, 256, (171, 50, 3), np.uint8)
    seen: list = []
    restore = as_function(make(name), seen)
    whole = restore(image)
    tiled = restore_tiled(restore, image, tile=32, overlap=64)
    assert tiled.shape == whole.shape
    assert np.mean(tiled != whole) < 1e-4  # a value may lie on the border between two roundings
    assert max(max(size) for size in seen[1:]) == 32 + 2 * 64


@pytest.mark.parametrize("name", NETWORKS)
def test_the_overlap_matters(name: str):
    restore = as_function(make(name), [])
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole = restore(image)
    different = restore_tiled(restore, image, tile=32, overlap=0) != whole
    seam = whole.shape[1] // 2
    assert different[:, seam - 1 : seam + 1].mean() > 0.5


def test_progress_counts_every_tile():
    counted = []
    image = np.zeros((70, 33, 1), np.uint8)
    result = restore_tiled(lambda tile: tile + 1, image, 32, 16, progress=lambda *now: counted.append(now))
    assert counted == [(done, 6) for done in range(1, 7)]
    assert (result == 1).all()


@pytest.mark.parametrize(("tile", "overlap"), [(0, 16), (40, 16), (32, 8), (32, -16)])
def test_tiles_off_the_grid_are_refused(tile: int, overlap: int):
    with pytest.raises(UserError, match="multiple of 16"):
        restore_tiled(lambda image: image, np.zeros((8, 8, 1), np.uint8), tile, overlap)
