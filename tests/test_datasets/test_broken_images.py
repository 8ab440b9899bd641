"""Broken and odd images in the training and test sets of every domain, read as a run reads them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import mmcv
import numpy as np
import pytest
from mmengine.registry import TRANSFORMS, init_default_scope
from PIL import Image

from lwdna_mm.compat.images import AS_STORED, read_image
from lwdna_mm.datasets.tracking_frames import FrameTracker
from lwdna_mm.engine import load_config, read_all
from lwdna_mm.errors import UserError
from lwdna_mm.visualization.tracks import draw_frame
from tests.bad_input import CONFIGS
from tests.broken_images import BROKEN, PICTURE, PIXEL, USED, encoded
from tests.tracking_data import make_otb

Files = dict[str, bytes]


def class_folders(root: Path, part: str, files: Files) -> dict[str, Path]:
    paths = {}
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            place = root / split / name
            place.mkdir(parents=True)
            (place / "good.png").write_bytes(encoded("PNG"))
    for number, (kind, content) in enumerate(files.items()):
        paths[kind] = root / part / "cat" / f"{number}.png"
        paths[kind].write_bytes(content)
    return paths


def tiny_imagenet(root: Path, part: str, files: Files) -> dict[str, Path]:
    folder = root / ("train/n1/images" if part == "train" else "val/images")
    folder.mkdir(parents=True)
    (root / "wnids.txt").write_text("n1\n")
    paths = {kind: folder / f"{number}.JPEG" for number, kind in enumerate(files)}
    for kind, path in paths.items():
        path.write_bytes(files[kind])
    (root / "val").mkdir(exist_ok=True)
    (root / "val/val_annotations.txt").write_text("".join(f"{path.name}\tn1\n" for path in paths.values()))
    return paths


def images(*names: str) -> Callable[[Path, str, Files], dict[str, Path]]:
    def fill(root: Path, part: str, files: Files) -> dict[str, Path]:
        for name in names:
            (root / name).mkdir(parents=True)
            (root / name / "good.png").write_bytes(encoded("PNG"))
        folder = root / (names[0] if part == "train" else names[1])
        paths = {kind: folder / f"{number}.png" for number, kind in enumerate(files)}
        for kind, path in paths.items():
            path.write_bytes(files[kind])
        return paths

    return fill


def sequences(root: Path, part: str, files: Files) -> dict[str, Path]:
    names = ("DragonBaby", "Crossing") if part == "train" else ("Crossing", "DragonBaby")
    make_otb(root, names[1], 2)
    (root / names[0] / "img").mkdir(parents=True)
    paths = {kind: root / names[0] / "img" / f"{number:04d}.jpg" for number, kind in enumerate(files, 2)}
    paths[""] = root / names[0] / "img" / "0001.jpg"
    for kind, path in paths.items():
        path.write_bytes(files.get(kind, encoded("JPEG")))
    (root / names[0] / "groundtruth_rect.txt").write_text("1,1,9,9\n" * len(paths))
    return paths


DOMAINS = {
    "class folders": ("classification/resnet20_1xb128_cifar10-folder.py", class_folders),
    "Tiny-ImageNet": ("classification/mobilenetv1_1xb64-220e_tiny-imagenet.py", tiny_imagenet),
    "super-resolution": ("super_resolution/edsr-small_x2c32b4_1xb16-3000_yang91.py", images("yang91", "set5", "set14")),
    "denoising": ("denoising/dncnn-small_sigma25_1xb32-1500_train400.py", images("train400", "set12", "bsd68")),
    "tracking": ("tracking/siamfc_alexnet-half_1xb8-200_dragonbaby.py", sequences),
}


COLOUR = "denoising/unet-color_sigma25_1xb16-300k_div2k.py", images("DIV2K/DIV2K_train_HR", "cbsd68")


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_each_is_used_or_named(domain, part, tmp_path, capfd):
    config, fill = DOMAINS[domain]
    broken = {kind: content for kind, (content, _) in BROKEN.items()}
    paths = fill(tmp_path / "data", part, {**broken, **USED})
    cfg = load_config(CONFIGS / config, {"data_root": str(tmp_path / "data")})
    if domain == "class folders":
        cfg[f"{part}_dataloader"].dataset.pipeline[0].transforms[1].exactly = len(PICTURE)
    told: list[str] = []
    with pytest.raises(UserError, match=rf"^{len(BROKEN)} of \d+ cannot be used; the first: {tmp_path}"):
        read_all(cfg, [f"{part}_dataloader"], told.append)
    lines = [line for line in told if line.startswith(str(tmp_path))]
    assert len(lines) == len(BROKEN)
    for kind, (_, said) in BROKEN.items():
        assert [line for line in lines if line.startswith(f"{paths[kind]}: ") and said in line], kind
    assert capfd.readouterr().err == ""  # decoders are not asked for what they would complain of


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("denoising in colour", "{}: 1 x 1 pixels, but must have at least 128 x 128: take it out"),
        ("class folders", "{}: 1 x 1 pixels, but must have 32 x 32: resize it"),
        ("super-resolution", "smaller than patch size .* check {}"),
        ("denoising", "{}: 1 x 1 pixels, but must have at least 40 x 40: take it out"),
        ("tracking", "{}: 1 x 1 pixels, but the first frame has 128 x 128"),
    ],
)
def test_a_single_pixel(domain, said, tmp_path):
    config, fill = COLOUR if domain == "denoising in colour" else DOMAINS[domain]
    paths = fill(tmp_path, "train", {"pixel": PIXEL})
    cfg = load_config(CONFIGS / config, {"data_root": str(tmp_path)})
    with pytest.raises(UserError, match=f"the first: .*{said.format(paths['pixel'])}"):
        read_all(cfg, ["train_dataloader"], lambda line: None)


class Remember(FrameTracker):
    """Keeps the frames it is shown."""

    def __init__(self) -> None:
        super().__init__("remember")

    def init(self, image: Image.Image, box: np.ndarray) -> None:
        self.seen = np.array(image)


def by_frames(path: Path) -> np.ndarray:
    tracker = Remember()
    tracker.track([str(path)], np.array([1, 1, 9, 9]))
    return tracker.seen


def by_mmpretrain(path: Path) -> np.ndarray:
    init_default_scope("mmpretrain")
    return TRANSFORMS.build(dict(type="LoadImageFromFile"))({"img_path": str(path)})["img"][..., ::-1]


def by_mmagic(path: Path) -> np.ndarray:
    init_default_scope("mmagic")
    load = dict(type="mmagic.LoadImageFromFile", key="gt", color_type="color", channel_order="rgb")
    return TRANSFORMS.build(load)({"gt_path": str(path)})["gt"]


@pytest.mark.parametrize("kind", USED)
def test_odd_ones_are_what_they_show(kind, tmp_path):
    """Whatever the name's suffix says."""
    path = tmp_path / "a.jpg"
    path.write_bytes(USED[kind])
    tolerance = 0 if kind in ("PNG", "with transparency") else 3
    for read in (read_image, by_frames, by_mmpretrain, by_mmagic):
        difference = np.abs(read(path).astype(int) - PICTURE).mean()
        assert difference <= tolerance, read


def test_frames_are_not_turned(tmp_path):
    """Their boxes are in the pixels as they are stored; got10k does not turn them either."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    path = tmp_path / "1.jpg"
    path.write_bytes(encoded("JPEG", PICTURE[:40], exif=exif))
    assert by_frames(path).shape == read_image(path, AS_STORED).shape == draw_frame([str(path)], {}, 0).shape
    assert read_image(path).shape == (128, 40, 3)


def test_half_of_a_jpeg_with_a_preview_is_cut(tmp_path):
    """The preview has its own end of image."""
    content = USED["JPEG with a preview"]
    with pytest.raises(UserError, match="cut off"):
        mmcv.imfrombytes(content[: len(content) - 9])


def test_pixels_of_other_formats(tmp_path):
    for suffix in (".bmp", ".tif", ".ppm", ".webp"):
        path = tmp_path / f"a{suffix}"
        cv2.imwrite(str(path), PICTURE[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else [])
        np.testing.assert_array_equal(read_image(path), PICTURE)
