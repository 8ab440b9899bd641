import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from lwdna_mm.visualization.crops import compose
from lwdna_mm.visualization.save_crops import SaveCrops


def outputs(target: np.ndarray, low: np.ndarray, found: np.ndarray, name: str = "data/set5/img_003.png") -> list:
    """What a restoration model gives a hook: images (C, H, W) on 0-255, BGR."""
    as_tensor = [torch.from_numpy(image).permute(2, 0, 1) for image in (target, low, found)]
    output = SimpleNamespace(pred_img=as_tensor[2])
    return [SimpleNamespace(metainfo=dict(gt_path=name), gt_img=as_tensor[0], input=as_tensor[1], output=output)]


@pytest.fixture
def images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    target = draw.integers(0, 256, (40, 48, 3), np.uint8)
    low = target.reshape(20, 2, 24, 2, 3).mean((1, 3)).round().astype(np.uint8)
    return target, low, (target.astype(int) ^ 1).astype(np.uint8)  # one off everywhere: 48.13 dB


def test_crops_are_lossless_and_scored_on_the_whole_image(images, tmp_path):
    target, _, found = images
    hook = SaveCrops({"set5-img_003": (4, 10)}, size=16)
    hook.after_val_iter(SimpleNamespace(work_dir=tmp_path), 0, None, outputs(*images))
    folder = tmp_path / "visuals" / "set5-img_003"
    assert np.array_equal(cv2.imread(str(folder / "target.png")), target[4:20, 10:26])
    assert np.array_equal(cv2.imread(str(folder / "output.png")), found[4:20, 10:26])
    assert cv2.imread(str(folder / "input.png")).shape == (16, 16, 3)  # enlarged by the bicubic
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["psnr"]["output"] == pytest.approx(20 * np.log10(255), abs=1e-4)
    assert metrics["psnr"]["input"] < 30
    assert metrics["input"] == "bicubic"


def test_other_images_are_left_out(images, tmp_path):
    hook = SaveCrops({"set5-img_003": (0, 0)})
    hook.after_test_iter(SimpleNamespace(work_dir=tmp_path), 0, None, outputs(*images, name="data/set5/img_001.png"))
    assert not list(tmp_path.iterdir())


def test_grey_noisy_inputs_stay_as_they_are(images, tmp_path):
    target, found = images[0][..., :1], images[2][..., :1]
    hook = SaveCrops({"set12-01": (0, 0)}, size=8)
    sample = outputs(target, target + np.float32(0.4), found, name="set12/01.png")
    hook.after_val_iter(SimpleNamespace(work_dir=tmp_path), 0, None, sample)
    saved = cv2.imread(str(tmp_path / "visuals/set12-01/input.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(saved, target[:8, :8, 0])


def test_runs_are_put_side_by_side_where_both_have_crops(images, tmp_path):
    for run, names in dict(baseline=["img_003", "img_005"], lwdna=["img_003"]).items():
        hook = SaveCrops({f"set5-{name}": (0, 0) for name in names}, size=16, crop_border=2, convert_to="Y")
        for name in names:
            sample = outputs(*images, name=f"data/set5/{name}.png")
            hook.after_val_iter(SimpleNamespace(work_dir=tmp_path / run), 0, None, sample)
    figures = compose([tmp_path / "baseline", tmp_path / "lwdna"])
    assert list(figures) == ["set5-img_003"]
    axes = figures["set5-img_003"].axes
    assert [ax.get_title() for ax in axes] == ["bicubic", "baseline", "lwdna", "ground truth"]
    written = json.loads((tmp_path / "lwdna/visuals/set5-img_003/metrics.json").read_text())["psnr"]
    captions = [f"{written['input']:.2f} dB", *[f"{written['output']:.2f} dB"] * 2, ""]
    assert [ax.get_xlabel() for ax in axes] == captions
    assert np.array_equal(axes[3].get_images()[0].get_array(), images[0][:16, :16, ::-1])
    assert "PSNR of the whole image, Y, border 2" in figures["set5-img_003"].get_suptitle()


def test_runs_without_crops_have_no_figures(tmp_path):
    assert compose([tmp_path / "a", tmp_path / "b"]) == {}
    assert compose([]) == {}
