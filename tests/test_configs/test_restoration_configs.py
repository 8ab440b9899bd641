"""The restoration configs: data and networks fit."""

import pytest
import torch
from mmengine.registry import DATASETS

from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from tests.restoration_runs import CONFIGS, write_images

FOLDERS = [CONFIGS / "super_resolution", CONFIGS / "denoising"]
PATHS = {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.py"))}
BASELINES = [name for name in PATHS if "_lwdna_" not in name and not name.startswith(("bicubic_", "noisy_"))]


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
        for step in loader.pipeline[0].get("transforms", []):
            if "least" in step:
                step["least"] = 16
    sample = DATASETS.build(loader)[0]
    assert sample["inputs"].shape[0] == cfg.input_shape[0]
    batch = model.data_preprocessor(dict(inputs=[sample["inputs"]], data_samples=[sample["data_samples"]]), True)
    assert model(**batch, mode="loss")["loss"].isfinite()
    with torch.no_grad():
        restored = model(batch["inputs"], mode="tensor")
    assert restored.shape == batch["data_samples"].gt_img.shape
    assert restored.shape[-1] == scale * batch["inputs"].shape[-1]
