from collections import Counter

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from lwdna_mm.datasets import build_subset
from lwdna_mm.errors import UserError
from tests.restoration_runs import write_images
from tests.tiny_imagenet import write_tiny_imagenet
from tests.tracking_data import make_otb

DIGITS = dict(type="lwdna_mm.Digits", split="train", train_size=300, pipeline=[])


@pytest.fixture(autouse=True)
def scope():
    init_default_scope("mmpretrain")


def images(part: str = "train", subset=None, select=None, seed: int = 0) -> list[tuple[int, bytes]]:
    dataset = build_subset(DIGITS, part, subset, select, seed)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(info["gt_label"], info["img"].tobytes()) for info in infos]


def per_class(count: int) -> dict:
    return dict(images_per_class=count)


def test_subsets_are_balanced_nested_and_keep_the_order():
    whole = images()
    nested = [images(subset=per_class(count)) for count in (3, 8, 20)]
    for count, chosen in zip((3, 8, 20), nested, strict=True):
        assert Counter(label for label, _ in chosen) == dict.fromkeys(range(10), count)
        positions = [whole.index(sample) for sample in chosen]
        assert positions == sorted(positions)
    assert set(nested[0]) < set(nested[1]) < set(nested[2]) < set(whole)
    assert nested[1] == images(subset=per_class(8))


def test_the_select_split_is_the_same_for_every_subset_and_never_trained_on():
    held = images("select", select=per_class(5))
    assert Counter(label for label, _ in held) == dict.fromkeys(range(10), 5)
    for count in (3, 20):
        assert images("select", per_class(count), per_class(5)) == held
        # With a select split or without, the same images are trained on.
        assert images("train", per_class(count), per_class(5)) == images("train", per_class(count))
        assert not set(images("train", per_class(count))) & set(held)
    rest = images("train", select=per_class(5))
    assert sorted(rest + held) == sorted(images())


def test_the_seed_chooses():
    assert images(subset=per_class(8), seed=1) != images(subset=per_class(8))
    assert images("select", select=per_class(5), seed=1) != images("select", select=per_class(5))


def test_shares_are_taken_of_every_class():
    assert len(images(subset=dict(share=0.1))) == 30
    halves = [images(part, dict(share=0.5), dict(share=0.5)) for part in ("train", "select")]
    sizes = Counter(label for label, _ in images())
    assert Counter(label for label, _ in halves[0]) == {label: size // 2 for label, size in sizes.items()}
    assert not set(halves[0]) & set(halves[1])


def test_data_without_classes_has_shares(tmp_path):
    init_default_scope("mmagic")
    write_images(tmp_path)
    config = dict(type="BasicImageDataset", data_root=str(tmp_path), data_prefix=dict(gt="train400"))
    parts = [build_subset(config, part, dict(share=0.67), dict(share=0.34)) for part in ("train", "select")]
    keys = [[part.get_data_info(i)["key"] for i in range(len(part))] for part in parts]
    assert [len(part) for part in keys] == [2, 1]
    assert sorted(keys[0] + keys[1]) == ["astronaut", "chelsea", "coffee"]
    with pytest.raises(UserError, match=r"^subset.images_per_class: the training set has no classes"):
        build_subset(config, "train", per_class(1))
    with pytest.raises(UserError, match=r"^subset.share=0.3: the training set has 3 training images, .* none"):
        build_subset(config, "train", dict(share=0.3))


def test_readable_classes_are_named(tmp_path):
    config = dict(type="lwdna_mm.TinyImageNet", split="train", data_root=str(write_tiny_imagenet(tmp_path)))
    assert len(build_subset(config, "train", per_class(8), per_class(4))) == 24
    with pytest.raises(UserError, match="class n03 has 12 training images, but subset wants 9 and select 4"):
        build_subset(config, "train", per_class(9), per_class(4))
    with pytest.raises(UserError, match="class n03 has 12 training images, but select wants 12"):
        build_subset(config, "select", None, per_class(12))
    part = build_subset(dict(config, classes=["n02"]), "train", per_class(5))
    assert part.metainfo["classes"] == ("lakeside, lakeshore",)


def test_pairs_cannot_be_cut(tmp_path):
    make_otb(tmp_path)
    config = dict(type="lwdna_mm.TrackingPairs", data_root=str(tmp_path), format="otb", sequences=["Crossing"])
    with pytest.raises(UserError, match="subset: a TrackingPairs has no list of images"):
        build_subset(config, "train", dict(share=0.5))


def test_real_folders(shared_data):
    config = dict(type="CustomDataset", data_root=str(shared_data / "cifar10"), data_prefix="train")
    few, more = (build_subset(config, "train", per_class(count), per_class(100)) for count in (25, 50))
    assert np.bincount(few.get_gt_labels()).tolist() == [25] * 10
    paths = [{part.get_data_info(i)["img_path"] for i in range(len(part))} for part in (few, more)]
    assert paths[0] < paths[1]
