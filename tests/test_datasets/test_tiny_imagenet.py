import shutil
from collections import Counter
from pathlib import Path

import pytest

from lwdna_mm.datasets import TinyImageNet
from lwdna_mm.errors import UserError
from tests.tiny_imagenet import WNIDS, WORDS, write_tiny_imagenet


@pytest.fixture
def root(tmp_path) -> Path:
    return write_tiny_imagenet(tmp_path)


def samples(root: Path, split: str, **kwargs) -> list[tuple[str, int]]:
    dataset = TinyImageNet(split, str(root), **kwargs)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(Path(info["img_path"]).name, info["gt_label"]) for info in infos]


def test_training_images_come_in_the_order_of_wnids_and_numbers(root):
    expected = [(f"{wnid}_{number}.JPEG", label) for label, wnid in enumerate(WNIDS) for number in range(12)]
    assert samples(root, "train") == expected


def test_validation_labels_come_from_the_text_file(root):
    assert samples(root, "val") == [(f"val_{4 * label + i}.JPEG", label) for label in range(3) for i in range(4)]


def test_names_are_readable_where_words_has_them(root):
    named = TinyImageNet("val", str(root)).metainfo["classes"]
    assert named == ("n03", WORDS["n01"], WORDS["n02"])
    (root / "words.txt").unlink()
    unnamed = TinyImageNet("val", str(root)).metainfo["classes"]
    assert unnamed == WNIDS


def test_classes_and_ranges(root):
    assert samples(root, "train", classes=["n02", "n03"], images=(9, 11)) == [
        ("n02_9.JPEG", 0),
        ("n02_10.JPEG", 0),
        ("n03_9.JPEG", 1),
        ("n03_10.JPEG", 1),
    ]
    whole = samples(root, "train")
    first, rest = (samples(root, "train", images=images) for images in ((0, 8), (8, 12)))
    assert sorted(first + rest) == sorted(whole)
    assert not set(first) & set(rest)
    assert samples(root, "val", classes=["n01"], images=(1, 3)) == [("val_5.JPEG", 0), ("val_6.JPEG", 0)]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        (dict(split="test"), "split is 'test', but must be 'train' or 'val'"),
        (dict(split="train", images=(4, 4)), r"images is \(4, 4\), but must be"),
        (dict(split="train", images=(0, 13)), r"images is \(0, 13\), but class n03 has 12 train images"),
        (dict(split="val", classes=["n01", "n09"]), "classes has 'n09', which is not in .*wnids.txt"),
        (dict(split="val", classes=["n01", "n01"]), "names a class twice"),
    ],
)
def test_mistakes_are_named(root, kwargs, message):
    with pytest.raises(UserError, match=message):
        TinyImageNet(data_root=str(root), **kwargs)


def remove_wnids(root: Path) -> None:
    (root / "wnids.txt").unlink()


def remove_annotations(root: Path) -> None:
    (root / "val" / "val_annotations.txt").unlink()


def empty_wnids(root: Path) -> None:
    (root / "wnids.txt").write_text("\n")


def repeat_a_class(root: Path) -> None:
    (root / "wnids.txt").write_text("n03\nn01\nn02\nn01\n")


def remove_train(root: Path) -> None:
    shutil.rmtree(root / "train")


def cut_words(root: Path) -> None:
    (root / "words.txt").write_text("n01\n")


def empty_a_class(root: Path) -> None:
    for path in (root / "train" / "n01" / "images").iterdir():
        path.unlink()


def remove_a_val_image(root: Path) -> None:
    (root / "val" / "images" / "val_3.JPEG").unlink()


def change_annotations(old: str, new: str):
    def change(root: Path) -> None:
        path = root / "val" / "val_annotations.txt"
        path.write_text(path.read_text().replace(old, new))

    return change


@pytest.mark.parametrize(
    ("split", "damage", "message"),
    [
        ("train", remove_wnids, "wnids.txt does not exist; data_root must hold wnids.txt, train and val"),
        ("val", empty_wnids, "wnids.txt names no class$"),
        ("train", repeat_a_class, "wnids.txt names n01 twice$"),
        ("train", cut_words, r"a line of .*words.txt, 'n01', has no 2 columns"),
        ("train", remove_train, "class n03 has no train image in"),
        ("train", empty_a_class, "class n01 has no train image in"),
        ("val", remove_annotations, "val_annotations.txt does not exist"),
        ("val", remove_a_val_image, r"val_annotations.txt has val_3.JPEG, but .*images/val_3.JPEG does not exist"),
        ("val", change_annotations("\tn02", "\tn09"), r"gives val_\d+.JPEG the class 'n09', which is not in wnids"),
        ("val", change_annotations("\t", " "), r"line of .*val_annotations.txt.* has no 2 columns"),
        ("val", change_annotations("\tn02", "\tn01"), "class n02 has no val image"),
    ],
)
def test_broken_layouts_are_one_line(root, split, damage, message):
    damage(root)
    with pytest.raises(UserError, match=message) as error:
        TinyImageNet(split, str(root))
    assert "\n" not in str(error.value)


def test_real_images(shared_data):
    root = str(shared_data / "tiny-imagenet-50")
    train, held, val = (
        TinyImageNet(*args, data_root=root, images=images)
        for *args, images in (("train", (0, 400)), ("train", (400, 500)), ("val", None))
    )
    assert [len(part) for part in (train, held, val)] == [20_000, 5_000, 2_500]
    assert set(Counter(val.get_gt_labels().tolist()).values()) == {50}
    paths = [{part.get_data_info(i)["img_path"] for i in range(len(part))} for part in (train, held)]
    assert not paths[0] & paths[1]
    assert train.CLASSES[0] == "Egyptian cat"
