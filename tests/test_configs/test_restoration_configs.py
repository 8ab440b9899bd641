"""The restoration configs: twins differ by their lwdna section alone, data and networks fit."""

import math

import pytest
import torch
from mmengine.registry import DATASETS

from lwdna_mm.engine import load_config, parse_section
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.trace import trace
from tests.restoration_runs import CONFIGS, write_images

FOLDERS = [CONFIGS / "super_resolution", CONFIGS / "denoising"]
PATHS = {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.py"))}
# Multiply-adds (of one training patch) and parameters.
GOLDEN = {
    "dncnn-small_sigma25_1xb32-1500_train400": (89_395_200, 56_289),
    **dict.fromkeys([f"dncnn_sigma{s}_1xb128-80k_train400" for s in (15, 25, 50)], (886_579_200, 556_097)),
    "unet-small_sigma25_1xb32-1500_train400": (57_600_000, 503_489),
    **dict.fromkeys([f"unet_sigma{s}_1xb16-300k_div2k" for s in (15, 25, 50)], (9_380_560_896, 8_041_217)),
    "unet-color_sigma25_1xb16-300k_div2k": (9_418_309_632, 8_043_523),
    "edsr-small_x2c32b4_1xb16-3000_yang91": (71_497_728, 121_987),
    "edsr_x2c64b16_1xb16-300k_div2k": (3_162_488_832, 1_369_859),
    "edsr_x3c64b16_1xb16-300k_div2k": (3_607_068_672, 1_554_499),
    "edsr_x4c64b16_1xb16-300k_div2k": (4_569_219_072, 1_517_571),
    "srresnet_x4c64b16_1xb16-1000k_div2k": (1_460_809_728, 1_517_571),
}
TWINS = [name for name in PATHS if "_lwdna_" in name]
BASELINES = [name for name in PATHS if name.replace("_", "_lwdna_", 1) in TWINS]


def test_every_network_has_a_twin():
    assert set(BASELINES) == set(GOLDEN)
    assert len(TWINS) == len(BASELINES)
    without = set(PATHS) - set(TWINS) - set(BASELINES)
    assert {name.split("_")[0] for name in without} == {"bicubic", "noisy"}


@pytest.mark.parametrize("name", GOLDEN)
def test_complexity(name: str):
    cfg = load_config(PATHS[name])
    channels, *size = cfg.input_shape
    graph = trace(build_model(cfg), dict(input_shape=[(channels, 8, 8)]))  # all FLOPs grow with the area
    assert (graph.flops() * math.prod(size) // 64, graph.params()) == GOLDEN[name]


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_adds_its_section_and_nothing_else(name: str):
    twin, base = load_config(PATHS[name]), load_config(PATHS[name.replace("_lwdna_", "_", 1)])
    section = parse_section(twin.lwdna)
    assert section.input_shapes == (tuple(base.input_shape),)
    assert {key: value for key, value in twin.to_dict().items() if key != "lwdna"} == base.to_dict()


@pytest.mark.parametrize("name", BASELINES)
def test_networks_take_what_the_loaders_give(name: str, tmp_path):
    """A training and a test sample of each config, through preprocessor, network and loss or metric format."""
    images = write_images(tmp_path)
    (tmp_path / "DIV2K").mkdir()
    small = {"model.generator.mid_channels": 4, "data_root": str(images)}
    cfg = load_config(PATHS[name], small)
    loader = cfg.train_dataloader.dataset
    scale = cfg.model.generator.get("upscale_factor", 1)
    for kind, folder in loader.data_prefix.items():
        if folder.startswith("DIV2K"):
            loader.data_prefix[kind] = "yang91"
            if kind == "img":  # published low-resolution images, here made by the same transform
                loader.pipeline[0] = dict(type="SetValues", dictionary=dict(scale=scale))
                loader.pipeline[2:3] = [dict(type="ModCrop"), dict(type="lwdna_mm.BicubicDownsample")]
                loader.filename_tmpl = dict()
                loader.data_prefix = dict(gt="yang91")
                loader.search_key = "gt"
                break
    model = build_model(cfg)
    patch = next(step for step in loader.pipeline if step["type"] in ("PairedRandomCrop", "Crop"))
    if patch["type"] == "PairedRandomCrop":
        patch["gt_patch_size"] = 8 * scale
    else:
        patch["crop_size"] = (16, 16)
    sample = DATASETS.build(loader)[0]
    assert sample["inputs"].shape[0] == cfg.input_shape[0]
    batch = model.data_preprocessor(dict(inputs=[sample["inputs"]], data_samples=[sample["data_samples"]]), True)
    assert model(**batch, mode="loss")["loss"].isfinite()
    with torch.no_grad():
        restored = model(batch["inputs"], mode="tensor")
    assert restored.shape == batch["data_samples"].gt_img.shape
    assert restored.shape[-1] == scale * batch["inputs"].shape[-1]
