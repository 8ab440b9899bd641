"""Runs become entries."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from lwdna_mm import engine
from lwdna_mm.apis.trained import load_trained
from lwdna_mm.errors import UserError
from lwdna_mm.zoo import add, index, load
from lwdna_mm.zoo.add import add_plan, add_run
from lwdna_mm.zoo.download import fetch
from lwdna_mm.zoo.index import find_entry
from lwdna_mm.zoo.metafiles import stale
from tests.digits_runs import CONFIGS, tiny_config

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = "resnet8_lwdna_1xb32_digits"
COMMAND = "python tools/train.py X"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("run")
    engine.run(tiny_config(folder))
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A repository with a zoo of its own."""
    shutil.copytree(REPOSITORY / "configs", tmp_path / "configs")
    for path in ("zoo", "docs"):
        (tmp_path / path).mkdir()
    monkeypatch.setattr(index, "ROOT", tmp_path)
    monkeypatch.setenv("LWDNA_ZOO_URL", str(tmp_path / "zoo"))
    return tmp_path


def test_a_run_becomes_an_entry_that_loads(run, root):
    entry = add_run(root, "net", run, COMMAND, note="A note.")
    summary = json.loads((run / "summary.json").read_text())
    assert entry["Config"] == f"configs/classification/{CONFIG}.py"
    assert entry["Metadata"]["FLOPs"] == summary["flops"]
    metrics = entry["Results"][0]["Metrics"]
    assert metrics == pytest.approx(summary["metrics"]["last"], abs=1e-3)
    assert stale(root) == []
    page = (root / "model_zoo.md").read_text()
    assert f"- `net`: `{COMMAND}`. A note." in page
    assert "python tools/download.py net\n" in page or "| [`net`]" in page

    images = torch.rand(2, 1, 8, 8)
    trained = load_trained(engine.load_config(CONFIGS / f"{CONFIG}.py"), run / "epoch_3.pth").eval()
    assert torch.equal(load("net")(images, mode="tensor"), trained(images, mode="tensor"))
    cfg = tiny_config(root / "work")
    assert engine.evaluate(cfg, fetch(find_entry("net"))) == pytest.approx(metrics, abs=1e-3)


def test_half_precision_halves_the_file_and_hardly_changes_the_network(run, root):
    whole, half = (add_run(root, "net", run, COMMAND, half=half)["Metadata"]["Size"] for half in (False, True))
    assert half < 0.6 * whole
    trained = load_trained(engine.load_config(CONFIGS / f"{CONFIG}.py"), run / "epoch_3.pth").eval()
    images = torch.rand(2, 1, 8, 8)
    halved = load("net")
    assert {value.dtype for value in halved.parameters()} == {torch.float32}
    torch.testing.assert_close(halved(images, mode="tensor"), trained(images, mode="tensor"), rtol=0.02, atol=0.02)


def test_a_plan_becomes_an_entry(run, root):
    entry = add_plan(root, "plan", run / "plan.json", CONFIG, COMMAND)
    assert entry["Weights"] == "zoo/plan.json"
    assert stale(root) == []
    assert sum(parameter.numel() for parameter in load("plan").parameters()) == entry["Metadata"]["Parameters"]


def lose_summary(run: Path) -> None:
    (run / "summary.json").unlink()


def lose_checkpoint(run: Path) -> None:
    (run / "last_checkpoint").unlink()


def of_another_config(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps({**summary, "config": "mine"}))


def of_another_network(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps({**summary, "config": "resnet20_1xb128_cifar10"}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_summary, r"summary\.json: no such file; give the work_dir of a finished run"),
        (lose_checkpoint, "no checkpoint of a finished run"),
        (of_another_config, r"no config mine\.py in configs/classification"),
        (of_another_network, "the network does not run on inputs of shape"),
    ],
)
def test_what_cannot_be_an_entry_is_told_and_changes_nothing(run, root, tmp_path, damage, message):
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    damage(broken)
    with pytest.raises(UserError, match=message):
        add_run(root, "net", broken, COMMAND)
    assert list((root / "zoo").iterdir()) == []


def test_names_and_sizes_are_checked(run, root, monkeypatch):
    with pytest.raises(UserError, match="is no name of an entry"):
        add_run(root, "../net", run, COMMAND)
    monkeypatch.setattr(add, "LARGEST", 1000)
    with pytest.raises(UserError, match=r"net\.safetensors has \d+ bytes, and may have 1000: --half halves it"):
        add_run(root, "net", run, COMMAND)
    monkeypatch.setattr(add, "LARGEST", 1 << 20)
    monkeypatch.setattr(add, "LARGEST_TOGETHER", 1000)
    with pytest.raises(UserError, match="with 0 of the others more than 1000"):
        add_run(root, "net", run, COMMAND)
    assert list((root / "zoo").iterdir()) == []
