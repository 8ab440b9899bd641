"""Both restoration tasks through the common tools: train, save, resume, test; no data but scikit-image's."""

import json
from pathlib import Path

import pytest
import torch

from lwdna_mm import engine
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
from tests.restoration_runs import DENOISING, SR, tiny_config, write_images

CROPS = {"set5-chelsea": [10, 10], "set12-chelsea": [10, 10]}


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.mark.parametrize("lwdna", [pytest.param(False, marks=pytest.mark.full), True], ids=["baseline", "lwdna"])
@pytest.mark.parametrize(("task", "name"), [(SR, "Set5"), (DENOISING, "Set12")], ids=["sr", "denoising"])
def test_train_save_resume_test(task: str, name: str, lwdna: bool, images: Path, tmp_path: Path):
    options = {"custom_hooks__0__crops": CROPS, "custom_hooks__0__size": 40}
    work_dir = tmp_path / "run"
    summary = engine.run(tiny_config(task, images, work_dir, lwdna, **options))
    trained = load_checkpoint_file(work_dir / "iter_4.pth")
    found = summary["metrics"]["last"]
    assert set(found) == {f"{name}/PSNR", f"{name}/SSIM"}
    assert summary["training"]["samples"] == 16
    if lwdna:
        assert summary["flops"] <= summary["baseline"]["flops"]
        assert trained["meta"]["lwdna_plan"]["widths"]

    resumed = tiny_config(task, images, work_dir, lwdna, **options)
    engine.run(resumed, resume=work_dir / "iter_2.pth")
    again = load_checkpoint_file(work_dir / "iter_4.pth")
    for key, value in trained["state_dict"].items():
        assert torch.equal(value, again["state_dict"][key]), key

    tested = engine.evaluate(tiny_config(task, images, tmp_path / "test", lwdna, **options), work_dir / "iter_4.pth")
    assert tested[f"{name}/PSNR"] == pytest.approx(found[f"{name}/PSNR"], abs=1e-3)
    assert len(json.loads(json.dumps(tested))) == 4  # two test sets, two metrics
    crops = tmp_path / "test" / "visuals" / f"{name.lower()}-chelsea"
    assert json.loads((crops / "metrics.json").read_text())["psnr"].keys() == {"input", "output"}
