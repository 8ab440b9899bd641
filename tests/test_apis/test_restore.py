import numpy as np
import pytest
import torch

from lwdna_mm import engine
from lwdna_mm.apis.restore import Restorer, find_images, load_restorer, read_image
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.errors import UserError
from tests.restoration_runs import CONFIGS, DENOISING, pictures


def test_a_colour_image_goes_through_a_grey_network_by_channels(tmp_path):
    cfg = engine.load_config(CONFIGS / DENOISING.format(""), {"model.generator.mid_channels": 8})
    torch.save(dict(state_dict=build_model(cfg).state_dict()), tmp_path / "untrained.pth")
    restorer = Restorer(load_restorer(cfg, tmp_path / "untrained.pth"))
    image = pictures()["coffee"]
    together = restorer(image)
    for channel in range(3):
        assert np.array_equal(together[..., channel : channel + 1], restorer(image[..., channel : channel + 1]))


def test_a_photo_is_turned_upright(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    exif = pillow.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    pillow.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (30, 20, 3)


def test_grey_with_transparency_is_grey(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    grey = np.arange(600, dtype=np.uint8).reshape(20, 30)
    pillow.fromarray(grey).convert("LA").save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png")[..., 0], grey)
    assert read_image(tmp_path / "a.png").shape == (20, 30, 1)


def test_nothing_is_overwritten(tmp_path):
    for name in ("a.png", "b.jpg", "b.png"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"a\.png would overwrite .*a\.png"):
        find_images(tmp_path / "a.png", tmp_path)
    with pytest.raises(UserError, match=r"out/b\.png would overwrite .*b\.jpg|b\.png would overwrite .*b\.jpg"):
        find_images(tmp_path, tmp_path / "out")
    with pytest.raises(UserError, match="no image there"):
        find_images(tmp_path / "missing", tmp_path / "out")
