import numpy as np
import pytest
from sklearn.datasets import load_digits

from lwdna_mm.datasets import Digits
from lwdna_mm.errors import UserError


def test_splits_share_out_the_real_images():
    parts = [Digits(split=split, train_size=300, pipeline=[]) for split in ("train", "test")]
    assert [len(part) for part in parts] == [300, 1497]
    samples = [part.get_data_info(i) for part in parts for i in range(len(part))]
    assert all(sample["img"].shape == (8, 8, 1) and sample["img"].dtype == np.uint8 for sample in samples)
    ours = sorted((sample["gt_label"], sample["img"].tobytes()) for sample in samples)
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)
    assert ours == sorted((int(label), image.tobytes()) for label, image in zip(digits.target, images, strict=True))


def test_training_images_are_balanced_and_nested():
    few, many = (Digits(split="train", train_size=size, pipeline=[]) for size in (100, 300))
    labels = [few.get_data_info(i)["gt_label"] for i in range(100)]
    assert np.bincount(labels).tolist() == [10] * 10
    first = [many.get_data_info(i)["img"].tobytes() for i in range(100)]
    assert first == [few.get_data_info(i)["img"].tobytes() for i in range(100)]


def test_mistakes_are_named():
    with pytest.raises(UserError, match="split is 'val'"):
        Digits(split="val")
    with pytest.raises(UserError, match="train_size is 1797"):
        Digits(split="train", train_size=1797)
