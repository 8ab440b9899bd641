"""The zoo of the repository: files, metafiles and pages agree."""

import hashlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import modelindex
import pytest

from lwdna_mm.zoo import load
from lwdna_mm.zoo.add import LARGEST, LARGEST_TOGETHER
from lwdna_mm.zoo.index import iterate_entries, read_metafiles
from lwdna_mm.zoo.metafiles import stale

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "model_zoo.md").read_text()
ENTRIES = {entry.name: entry for entry in iterate_entries()}
USES = re.findall(r"^    (python tools/download\.py \S+)\n    (python .+)$", PAGE, re.M)


def test_pages_and_metafiles_are_up_to_date():
    assert stale(ROOT) == []


def test_files_are_those_of_the_metafiles():
    files = {path.name: path.read_bytes() for path in (ROOT / "zoo").iterdir()}
    assert {entry.file for entry in ENTRIES.values()} == set(files)
    for entry in ENTRIES.values():
        data = files[entry.file]
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry.size, entry.sha256)
        assert len(data) <= LARGEST
        assert entry.config_path.is_file()
    assert sum(map(len, files.values())) <= LARGEST_TOGETHER


def test_costs_are_the_pinned_ones():
    golden = json.loads((ROOT / "tests/test_configs/golden_complexity.json").read_text())
    models = [model for metafile in read_metafiles(ROOT).values() for model in metafile["Models"]]
    told = {model["Name"]: model["Metadata"] for model in models if "Weights" not in model}
    assert {name: (facts["FLOPs"], facts["Parameters"]) for name, facts in told.items()} == {
        name.replace("_lwdna_", "_"): (costs["flops"], costs["params"]) for name, costs in golden.items()
    }


def test_the_index_can_be_read_by_others():
    index = modelindex.load(str(ROOT / "model-index.yml"))
    index.build_models_with_collections()
    assert {model.name for model in index.models} >= set(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
def test_entries_load(name: str):
    model = load(name)
    assert sum(parameter.numel() for parameter in model.parameters()) == ENTRIES[name].facts["Metadata"]["Parameters"]
    assert not model.training


def test_the_page_has_two_commands_for_each_task():
    configs = [shlex.split(use)[2] for _, use in USES]
    assert [Path(config).parent.name for config in configs] == [
        "classification",
        "super_resolution",
        "denoising",
        "tracking",
    ]
    assert all((ROOT / config).is_file() for config in configs)


@pytest.mark.full
@pytest.mark.parametrize("commands", USES, ids=lambda commands: commands[0].split()[-1])
def test_the_two_commands_run(commands, tmp_path):
    for name in ("configs", "tools", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    for command in commands:
        subprocess.run([sys.executable, *shlex.split(command)[1:]], cwd=tmp_path, check=True)
    made = {path.suffix for path in (tmp_path / "work_dirs").rglob("*")}
    assert made >= {".safetensors"}
