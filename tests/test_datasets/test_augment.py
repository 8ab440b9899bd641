import random

import cv2
import numpy as np

from lwdna_mm.datasets import RandomShiftFlip


def test_an_image_is_one_of_the_crops_of_its_padded_self_and_its_mirror():
    image = np.random.default_rng(0).integers(1, 256, (5, 6, 3), np.uint8)
    padded = cv2.copyMakeBorder(image, 2, 2, 2, 2, cv2.BORDER_CONSTANT)
    crops = [padded[y : y + 5, x : x + 6] for y in range(5) for x in range(5)]
    crops += [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
    expected = {crop.tobytes() for crop in crops}
    random.seed(0)
    shift_flip = RandomShiftFlip(padding=2)
    found = [shift_flip(dict(img=image.copy()))["img"] for _ in range(1000)]
    assert {one.tobytes() for one in found} == expected
    assert all(one.shape == image.shape and one.flags.c_contiguous for one in found)


def test_without_flip_and_shift_nothing_happens():
    image = np.random.default_rng(0).integers(1, 256, (5, 6, 3), np.uint8)
    assert np.array_equal(RandomShiftFlip(padding=0, flip=0)(dict(img=image))["img"], image)
    assert np.array_equal(RandomShiftFlip(padding=0, flip=1)(dict(img=image))["img"], image[:, ::-1])
