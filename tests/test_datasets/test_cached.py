import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from lwdna_mm.datasets import Cached
from lwdna_mm.registry import TRANSFORMS


@pytest.mark.parametrize("key", ["gt_path", "img_path"])
def test_cached_results_are_computed_once_and_cannot_be_spoilt(key: str):
    calls = []

    def load(results: dict) -> dict:
        calls.append(results[key])
        return dict(results, gt=np.zeros((2, 2)), more=[1])

    cached = Cached([load])
    first = cached({key: "a"})
    first["gt"][:] = 9
    first["more"].append(2)
    cached({key: "b"})
    again = cached({key: "a"})
    assert (again["gt"] == 0).all()
    assert again["more"] == [1]
    assert calls == ["a", "b"]


def test_a_file_with_two_labels_is_two_samples():
    cached = Cached([lambda results: dict(results, img=results["gt_label"] * np.ones(2))])
    found = [cached(dict(img_path="a", gt_label=label)) for label in (0, 1, 0)]
    assert [(one["gt_label"], one["img"][0]) for one in found] == [(0, 0), (1, 1), (0, 0)]


def test_images_of_mmpretrain_are_decoded_once(tmp_path):
    init_default_scope("mmpretrain")
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), image)
    cached = TRANSFORMS.build(dict(type="lwdna_mm.Cached", transforms=[dict(type="LoadImageFromFile")]))
    assert np.array_equal(cached(dict(img_path=str(path), gt_label=3))["img"], image)
    path.unlink()
    again = cached(dict(img_path=str(path), gt_label=3))
    assert np.array_equal(again["img"], image)
    assert again["gt_label"] == 3
