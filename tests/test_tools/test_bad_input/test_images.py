"""Broken images on the way of each tool; all kinds of them: test_datasets/test_broken_images.py."""

from pathlib import Path

import pytest
import torch

from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from tests.bad_input import CONFIGS, Bad, both, remove, table, write
from tests.broken_images import BROKEN, PICTURE, encoded
from tests.restoration_runs import write_images
from tests.tracking_data import make_otb

FOLDERS = "{c}/classification/resnet20_1xb128_cifar10-folder.py"
TWIN = FOLDERS.replace("resnet20", "resnet20_lwdna")
OPTIONS = "data_root=folders train_cfg.max_epochs=1 train_dataloader.batch_size=4"
TRAIN = f"train {FOLDERS} --cfg-options {OPTIONS} val_dataloader.num_workers=0 train_dataloader.num_workers="
TEST = f"test {FOLDERS} folders.pth --cfg-options data_root=folders test_dataloader.num_workers="
SR = "{c}/super_resolution/edsr-small_x2c32b4_1xb16-3000_yang91.py"
RESTORATION = f"train {SR} --cfg-options data_root=images"
TRACKING = "{c}/tracking/siamfc_alexnet-half_1xb8-200_dragonbaby.py"
CUT, TEXT = BROKEN["a cut JPEG"][0], BROKEN["a text"][0]


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    for part in ("train/cat", "train/dog", "test/cat", "test/dog"):
        place = folder / "folders" / part
        place.mkdir(parents=True)
        for name in ("a.png", "b.png"):
            (place / name).write_bytes(encoded("PNG", PICTURE[:32, :32]))
    weights = build_model(load_config(FOLDERS.format(c=CONFIGS))).state_dict()
    torch.save(dict(state_dict=weights), folder / "folders.pth")
    write_images(folder / "images")
    make_otb(folder / "otb", "DragonBaby", 3)
    make_otb(folder / "otb", "Crossing", 3)
    return folder


FIRST, TESTED = "folders/train/cat/a.png", "folders/test/cat/a.png"
ROWS = [
    Bad(
        "in training", f"{TRAIN}0", (f"{FIRST}: the file is cut off or damaged: copy it anew",), write(FIRST, CUT), True
    ),
    Bad(
        "in training, by a worker", f"{TRAIN}1", (f"error: {FIRST}: no image that can be decoded",), write(FIRST, TEXT)
    ),
    Bad(
        "in a test, by a worker",
        f"{TEST}1",
        (f"error: {TESTED}: no image that can be decoded",),
        write(TESTED, TEXT),
        True,
    ),
    Bad("in a test", f"{TEST}0", (f"error: {TESTED}: the file is cut off",), write(TESTED, CUT), True),
    Bad(
        "before training",
        f"{TRAIN}0 --check-data",
        ("2 of 8 cannot be used; the first: folders/train/cat/a.png: the file is cut off",),
        both(write(FIRST, CUT), write(TESTED, TEXT)),
    ),
    Bad(
        "before a test",
        f"{TEST}0 --check-data",
        ("1 of 4 cannot be used; the first: folders/test/cat/a.png",),
        write(TESTED),
    ),
    Bad(
        "before a search",
        f"shrink {TWIN} --check-data --cfg-options data_root=folders",
        ("1 of 4 cannot be used; the first: folders/train/cat/a.png: 16 bits a channel, the networks take 8: convert",),
        write(FIRST, BROKEN["a PNG of 16 bits"][0]),
    ),
    Bad(
        "before a restoration's training",
        f"{RESTORATION} --check-data",
        ("1 of 6 cannot be used; the first: images/set5/coffee.png: it is an animation: save one of its pictures",),
        write("images/set5/coffee.png", BROKEN["an animated GIF"][0]),
    ),
    Bad(
        "before a tracker's training",
        f"train {TRACKING} --check-data --cfg-options data_root=otb",
        ("1 of 6 cannot be used; the first: otb/Crossing/img/0002.jpg: the file is empty",),
        write("otb/Crossing/img/0002.jpg"),
        full=True,
    ),
    Bad(
        "in a tracker's evaluation",
        "eval_otb --tracker identity --root otb --version all",
        ("otb/DragonBaby/img/0002.jpg: 16 bits a channel",),
        both(remove("otb/Crossing"), write("otb/DragonBaby/img/0002.jpg", BROKEN["a PNG of 16 bits"][0])),
    ),
]


@table(*ROWS)
def test_images(bad, refused):
    refused(bad)
