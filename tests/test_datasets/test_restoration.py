import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import TRANSFORMS, init_default_scope

from lwdna_mm import engine
from lwdna_mm.datasets import BicubicDownsample, SeededNoise
from tests.restoration_runs import CONFIGS, pictures


def sample(image: np.ndarray, key: str = "a", **more) -> dict:
    return dict(gt=image, key=key, gt_channel_order="rgb", gt_color_type="color", **more)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_downsampling_is_an_antialiased_cubic_in_8_bits(scale: int):
    image = pictures()["coffee"][:96, :96]
    results = BicubicDownsample()(sample(image, scale=scale))
    # torch's antialiased cubic is the same filter but for the borders.
    x = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float()
    expected = F.interpolate(x, scale_factor=1 / scale, mode="bicubic", antialias=True)[0].permute(1, 2, 0).numpy()
    assert results["img"].dtype == np.uint8
    assert results["img"].shape == (96 // scale, 96 // scale, 3)
    difference = np.abs(results["img"] - expected.clip(0, 255))[3:-3, 3:-3]
    assert difference.max() < 0.51
    assert results["scale"] == scale
    assert (results["img_channel_order"], results["img_color_type"]) == ("rgb", "color")


def test_noise_belongs_to_the_image_and_the_seed_alone():
    image = pictures()["astronaut"]
    noise = SeededNoise(sigma=25)(sample(image))["img"] - image
    np.random.seed(3)
    again = SeededNoise(sigma=25)(sample(image))
    assert np.array_equal(again["img"] - image, noise)
    assert again["img"].dtype == np.float32
    assert not np.array_equal(SeededNoise(sigma=25)(sample(image, key="b"))["img"] - image, noise)
    assert not np.array_equal(SeededNoise(sigma=25, seed=1)(sample(image))["img"] - image, noise)


def test_noise_has_its_level_and_is_not_clipped():
    image = np.full((300, 300, 1), 250, np.uint8)
    noisy = SeededNoise(sigma=15)(sample(image))["img"]
    assert noisy.max() > 255
    assert (noisy - 250).std() == pytest.approx(15, rel=0.01)
    assert abs((noisy - 250).mean()) < 0.2


def test_channel_orders_follow_so_that_an_untouched_image_scores_the_noise():
    """Were the order lost, mmagic would compare swapped channels (13 dB instead of 20.17 on such images)."""
    init_default_scope("mmagic")
    from mmagic.evaluation.metrics import psnr

    from lwdna_mm.models.restoration import RestorationPreprocessor

    image = pictures()["astronaut"]
    packed = TRANSFORMS.build(dict(type="mmagic.PackInputs"))(SeededNoise(sigma=25)(sample(image)))
    preprocessor = RestorationPreprocessor(mean=[0, 0, 0], std=[255, 255, 255], eight_bit=False)
    batch = preprocessor(dict(inputs=[packed["inputs"]], data_samples=[packed["data_samples"]]), training=False)
    output = preprocessor.destruct(batch["inputs"], batch["data_samples"])
    found = psnr(batch["data_samples"].gt_img[0].numpy(), output[0].numpy(), input_order="CHW")
    assert found == pytest.approx(20.17, abs=0.15)


# Public tables: bicubic, PSNR on Y. One image of Set14 is grey in the original, hence the wider margin.
@pytest.mark.parametrize(("scale", "set5", "set14"), [(2, 33.66, 30.24), (3, 30.39, 27.55), (4, 28.42, 26.00)])
def test_bicubic_gives_the_known_values(scale: int, set5: float, set14: float, shared_data, tmp_path):
    path = CONFIGS / "super_resolution" / f"bicubic_x{scale}_set5-set14.py"
    cfg = engine.load_config(path, dict(data_root=str(shared_data / "restoration"), work_dir=str(tmp_path)))
    metrics = engine.evaluate(cfg, None)
    assert metrics["Set5/PSNR"] == pytest.approx(set5, abs=0.03)
    assert metrics["Set14/PSNR"] == pytest.approx(set14, abs=0.1)


def test_noise_of_25_is_20_17_db(shared_data, tmp_path):
    path = CONFIGS / "denoising" / "noisy_sigma25_set12-bsd68.py"
    cfg = engine.load_config(path, dict(data_root=str(shared_data / "restoration"), work_dir=str(tmp_path)))
    metrics = engine.evaluate(cfg, None)
    assert metrics["Set12/PSNR"] == pytest.approx(20.17, abs=0.02)
    assert metrics["BSD68/PSNR"] == pytest.approx(20.17, abs=0.02)
