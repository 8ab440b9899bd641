"""What ``pip install`` brings: configs, tools and the zoo, where mm packages have them."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
USE = """
import sys
import lwdna_mm
from lwdna_mm.engine import load_config
from lwdna_mm.zoo import iterate_entries, load

assert lwdna_mm.__file__.startswith(sys.argv[1]), lwdna_mm.__file__
cfg = load_config("mine.py")
assert cfg.train_cfg.max_epochs == 1
assert cfg.model.backbone.depth == 20
assert cfg.lwdna.widen == 2.0
load(next(iterate_entries()).name)
"""


@pytest.mark.full
def test_another_project_inherits_configs_from_the_installed_wheel(tmp_path):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sources = tmp_path / "sources"  # a build leaves files where the sources are
    for name in tracked.splitlines():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, sources / name, follow_symlinks=False)
    pip = [sys.executable, "-m", "pip", "--quiet", "--no-cache-dir"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, sources], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    there = {name.removeprefix("lwdna_mm/.mim/") for name in names if name.startswith("lwdna_mm/.mim/")}
    parts = ("configs/", "tools/", "zoo/", "model-index.yml")
    assert there == {name for name in tracked.splitlines() if name.startswith(parts)}

    target, project = tmp_path / "site", tmp_path / "project"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True)
    project.mkdir()
    bases = ["classification/resnet20_1xb128_cifar10.py", "_base_/lwdna.py"]
    text = f"_base_ = {[f'lwdna_mm::{base}' for base in bases]}\ntrain_cfg = dict(max_epochs=1)\n"
    (project / "mine.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    subprocess.run([sys.executable, "-c", USE, str(target)], cwd=project, env=environment, check=True)
