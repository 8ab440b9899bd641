"""Data of every domain that is not there, or not as it must be; more of each in test_datasets."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from tests.bad_input import CONFIGS, Bad, both, make_folder, remove, table, write
from tests.restoration_runs import write_images
from tests.tiny_imagenet import write_tiny_imagenet
from tests.tracking_data import make_got10k, make_otb

FOLDERS = "classification/resnet20_1xb128_cifar10-folder.py"
TINY = "classification/mobilenetv1-half_1xb128-200k_tiny-imagenet-50.py"
SR = "super_resolution/edsr-small_x2c32b4_1xb16-3000_yang91.py"
DENOISING = "denoising/dncnn-small_sigma25_1xb32-1500_train400.py"
TRACKING = "tracking/siamfc_alexnet-half_1xb8-200_dragonbaby.py"


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    for part in ("train/cat", "train/dog", "test/cat", "test/dog"):
        place = folder / "folders" / part
        place.mkdir(parents=True)
        cv2.imwrite(str(place / "a.png"), np.zeros((32, 32, 3), np.uint8))
    write_tiny_imagenet(folder / "tiny", 2, 1, size=8)
    write_images(folder / "images")
    make_otb(folder / "otb", "DragonBaby", 4)
    make_otb(folder / "otb", "Crossing", 4)
    make_got10k(folder / "got10k")
    for name, config in (("sr", SR), ("folders", FOLDERS), ("tracker", TRACKING)):
        weights = build_model(load_config(CONFIGS / config)).state_dict()
        torch.save(dict(state_dict=weights), folder / f"{name}.pth")
    (folder / "empty").mkdir()
    (folder / "file").write_text("text")
    return folder


def small(name: str) -> object:
    """Writes an image of 20 x 20 pixels."""
    return lambda folder: cv2.imwrite(str(folder / name), np.zeros((20, 20, 3), np.uint8))


TRAIN = f"train {{c}}/{FOLDERS} --cfg-options train_dataloader.num_workers=0 data_root="
CLASSES = [
    Bad(
        "classes: no folder", f"{TRAIN}none", ("none does not exist; give the data's folder: --cfg-options data_root",)
    ),
    Bad(
        "classes: no folder to search with",
        f"shrink {{c}}/{FOLDERS.replace('resnet20', 'resnet20_lwdna')} --cfg-options data_root=none",
        ("train_dataloader: none does not exist; give the data's folder: --cfg-options data_root=PATH",),
    ),
    Bad("classes: a file", f"{TRAIN}file", ("file/train does not exist; give the data's folder",)),
    Bad("classes: an empty folder", f"{TRAIN}empty", ("the folder empty is empty; put the data there",)),
    Bad("classes: none", f"{TRAIN}folders", ("folders/train is empty",), remove("folders/train/*")),
    Bad(
        "classes: images alone",
        f"{TRAIN}folders",
        ("folders/train must have a folder for each of two or more classes, but has none",),
        both(remove("folders/train/*"), write("folders/train/a.png")),
    ),
    Bad(
        "classes: a single one",
        f"{TRAIN}folders",
        ("two or more classes, but has only one for 'cat'",),
        remove("folders/train/dog"),
    ),
    Bad("classes: one is empty", f"{TRAIN}folders", ("train/cat has no image (.jpg,",), remove("folders/train/cat/*")),
    Bad(
        "classes: one has other files",
        f"{TRAIN}folders",
        ("folders/train/cat has no image (.jpg,", "put some in, or take the folder out"),
        both(remove("folders/train/cat/*"), write("folders/train/cat/a.gif")),
    ),
    Bad(
        "classes: others to validate on",
        f"{TRAIN}folders",
        ("val_dataloader: folders/test and folders/train must have folders for the same classes", "'bird'"),
        lambda folder: (folder / "folders/test/cat").rename(folder / "folders/test/bird"),
    ),
    Bad(
        "classes: no test set",
        f"test {{c}}/{FOLDERS} folders.pth --cfg-options data_root=folders",
        ("test_dataloader: folders/test does not exist; give the data's folder",),
        remove("folders/test"),
    ),
    Bad(
        "classes: more than outputs",
        f"{TRAIN}folders model.head.num_classes=1",
        ("model.head.num_classes is 1, but the training set has 2 classes",),
        full=True,
    ),
]
TRAIN = f"train {{c}}/{TINY} --cfg-options data_root=tiny train_dataloader.dataset.classes=[n01,n02]"
RANGE = "train_dataloader.dataset.images"
TINY_IMAGENET = [
    Bad(
        "tiny: no classes",
        TRAIN,
        ("tiny/wnids.txt does not exist; data_root must hold",),
        remove("tiny/wnids.txt"),
        full=True,
    ),
    Bad(
        "tiny: an unknown class", TRAIN.replace("n02", "n09"), ("has 'n09', which is not in tiny/wnids.txt",), full=True
    ),
    Bad(
        "tiny: a class without images",
        f"{TRAIN} {RANGE}=None",
        ("class n01 has no train image",),
        remove("tiny/train/n01/*"),
        True,
    ),
    Bad("tiny: no text", TRAIN, ("tiny/wnids.txt: is no text in UTF-8",), write("tiny/wnids.txt", b"\xff\xfe"), True),
    Bad("tiny: a number of images", f"{TRAIN} {RANGE}=3", ("images is 3, but must be (first, last)",), full=True),
    Bad("tiny: too many images", f"{TRAIN} {RANGE}=[0,9]", ("images is (0, 9), but class n01 has 2",), full=True),
]
TRAIN = f"train {{c}}/{SR} --cfg-options data_root=images train_cfg.max_iters=1"
DENOISE = f"train {{c}}/{DENOISING} --cfg-options data_root=images train_cfg.max_iters=1 train_dataloader.num_workers=0"
IMAGES = [
    Bad("images: no folder", TRAIN.replace("=images", "=none"), ("none does not exist; give the data's folder",)),
    Bad("images: no training set", TRAIN, ("images/yang91 does not exist; give the data's",), remove("images/yang91")),
    Bad("images: none", TRAIN, ("the folder images/yang91 is empty; put the data there",), remove("images/yang91/*")),
    Bad(
        "images: a file",
        TRAIN,
        ("images/yang91 is a file, but must be a folder",),
        both(remove("images/yang91"), write("images/yang91")),
    ),
    Bad(
        "images: other files",
        TRAIN,
        ("images/set5 has no image (.jpg,", "put some in"),
        both(remove("images/set5/*"), write("images/set5/a.txt")),
    ),
    Bad(
        "images: one is smaller than a patch",
        TRAIN,
        ("images/yang91/a.png", "is smaller than patch size (24, 24)"),
        both(remove("images/yang91/*"), small("images/yang91/a.png")),
        full=True,
    ),
    Bad(
        "images: one is smaller than a crop",
        DENOISE,
        ("images/train400/a.png: 20 x 20 pixels, but must have at least 40 x 40",),
        both(remove("images/train400/*"), small("images/train400/a.png")),
        full=True,
    ),
    Bad(
        "images: another number of channels", f"{TRAIN} model.generator.in_channels=1", ("see input_shape",), full=True
    ),
]
RESTORE = f"restore {{c}}/{SR} sr.pth"
RESTORED = [
    Bad("restored: none", f"{RESTORE} none.png --out o", ("none.png: no image there",)),
    Bad("restored: an empty folder", f"{RESTORE} empty --out o", ("empty: no image there",)),
    Bad("restored: no image", f"{RESTORE} file --out o", ("file: no image that can be decoded: take it out",)),
    Bad("restored: into a file", f"{RESTORE} images/set5 --out file", ("file: cannot be written",)),
    Bad(
        "restored: over itself", f"{RESTORE} images/set5 --out images/set5", ("would overwrite", "choose another --out")
    ),
    Bad(
        "restored: by a classifier",
        f"restore {{c}}/{FOLDERS} folders.pth images/set5 --out o",
        ("not one that restores",),
    ),
    Bad(
        "restored: by other weights", f"restore {{c}}/{DENOISING} sr.pth images/set5 --out o", ("sr.pth is of another",)
    ),
]
TRAIN = f"train {{c}}/{TRACKING} --cfg-options data_root=otb"
OTB = "eval_otb --tracker groundtruth --root otb --version all"
GOT10K = "eval_got10k --tracker groundtruth --root got10k"
SEQUENCE = "got10k/val/GOT-10k_Val_000001"
TRUTH = "otb/DragonBaby/groundtruth_rect.txt"
BOX = "1,2,3,4\n"
TRACK = f"track {{c}}/{TRACKING} tracker.pth"
SEQUENCES = [
    Bad("tracks: no folder", TRAIN.replace("=otb", "=none"), ("none does not exist; give the data's folder",)),
    Bad(
        "tracks: another sequence",
        TRAIN,
        ("otb: no sequence DragonBaby; there are Crossing",),
        remove("otb/DragonBaby"),
    ),
    Bad(
        "tracks: another format", f"{TRAIN} train_dataloader.dataset.format=vot", ("'vot' is unknown: use one of otb",)
    ),
    Bad(
        "tracks: a box without area",
        TRAIN,
        ("DragonBaby: no frame has a box of at least",),
        write(TRUTH, "1,2,-3,-4\n" * 4),
        full=True,
    ),
    Bad("otb: no folder", OTB.replace("root otb", "root none"), ("none: no such folder; it should hold",)),
    Bad("otb: an unknown version", OTB.replace("all", "vot"), ("'vot' is unknown: use 2013, 2015",)),
    Bad("otb: no such sequence", f"{OTB} --sequences Deer", ("no sequence Deer; there are Crossing, DragonBaby",)),
    Bad(
        "otb: neither network nor tracker", "eval_otb --root otb", ("give either CONFIG and CHECKPOINT, or --tracker",)
    ),
    Bad("otb: into a file", f"{OTB} --out file", ("file/results", "Not a directory")),
    Bad("otb: by a restorer", f"eval_otb {{c}}/{SR} sr.pth --root otb --version all", ("not a SiameseNetwork",)),
    Bad("otb: no boxes", OTB, ("groundtruth_rect.txt is empty: it should have a line",), write(TRUTH)),
    Bad("otb: no text", OTB, ("groundtruth_rect.txt: is no text in UTF-8",), write(TRUTH, b"\xff\xfe")),
    Bad(
        "otb: three numbers",
        OTB,
        ("line 2 of", "'1,2,3', has 3 numbers: a box is left, top"),
        write(TRUTH, BOX + "1,2,3\n"),
    ),
    Bad("otb: not finite", OTB, ("DragonBaby: line 1 of", "'nan,1,2,3', is not finite"), write(TRUTH, "nan,1,2,3\n")),
    Bad("otb: no numbers", OTB, ("line 1 of", "is not four numbers separated by commas"), write(TRUTH, "a;b\n")),
    Bad("otb: a single box", OTB, ("4 frames", "but 1 boxes", "each frame needs one box"), write(TRUTH, BOX)),
    Bad("otb: too many boxes", OTB, ("4 frames", "but 5 boxes", "each frame needs one box"), write(TRUTH, BOX * 5)),
    Bad("otb: a folder of boxes", OTB, (f"{TRUTH}: Is a directory",), both(remove(TRUTH), make_folder(TRUTH))),
    Bad("otb: no frames", OTB, ("DragonBaby: no frame (*.jpg) in otb/DragonBaby/img",), remove("otb/DragonBaby/img/*")),
    Bad("otb: a frame is lost", OTB, ("frame 0002.jpg is missing in otb",), remove("otb/DragonBaby/img/0002.jpg")),
    Bad("got10k: no list", GOT10K, ("val/list.txt is missing: the root should be",), remove("got10k/val/list.txt")),
    Bad("got10k: an empty list", GOT10K, ("no GOT-10k sequence found; a sequence is",), write("got10k/val/list.txt")),
    Bad(
        "got10k: blanks between numbers",
        GOT10K,
        ("is not four numbers separated by commas",),
        write(f"{SEQUENCE}/groundtruth.txt", "1 2 3 4\n"),
    ),
    Bad(
        "got10k: a word for absence",
        GOT10K,
        ("absence.label must have 8 lines, 0 or 1",),
        write(f"{SEQUENCE}/absence.label", "a\n"),
    ),
    Bad(
        "got10k: too few for absence",
        GOT10K,
        ("absence.label must have 8 lines",),
        write(f"{SEQUENCE}/absence.label", "0\n"),
    ),
    Bad(
        "got10k: no resolution",
        GOT10K,
        ("scores need meta_info.ini with the resolution",),
        remove(f"{SEQUENCE}/meta_info.ini"),
    ),
    Bad(
        "tracked: none",
        f"{TRACK} none --box 1,1,9,9 --out o",
        ("none: neither a folder of frames nor a readable video",),
    ),
    Bad("tracked: no video", f"{TRACK} file --box 1,1,9,9 --out o", ("file: neither a folder of frames nor",)),
    Bad("tracked: no frames", f"{TRACK} empty --box 1,1,9,9 --out o", ("empty: no image (.bmp, .jpeg, .jpg, .png)",)),
    Bad(
        "tracked: beyond", f"{TRACK} otb/Crossing/img --box 900,1,5,9 --out o", ("lies beyond the frame of 200 x 160",)
    ),
    Bad("tracked: on no device", f"{TRACK} otb/Crossing/img --box 1,1,9,9 --out o --device abc", ("--device abc: ",)),
    Bad(
        "tracked: frames of two sizes",
        f"{TRACK} otb/Crossing/img --box 31,41,30,36 --out o",
        ("0003.jpg: 20 x 20 pixels, but the first frame has 200 x 160: all must be of one size",),
        small("otb/Crossing/img/0003.jpg"),
    ),
]


@table(*CLASSES, *TINY_IMAGENET, *IMAGES, *RESTORED, *SEQUENCES)
def test_data(bad, refused):
    refused(bad)
