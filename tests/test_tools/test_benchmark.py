import importlib.util
import json
from pathlib import Path

import pytest

from lwdna_mm.channels import ChannelPlan
from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.trace import parse_shapes, trace

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / "configs" / "classification" / "resnet8_lwdna_1xb32_digits.py")


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark", ROOT / "tools" / "benchmark.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_latency_beside_flops(benchmark, tmp_path, capsys):
    cfg = load_config(CONFIG)
    shapes = parse_shapes(cfg.lwdna.input_shape)
    graph = trace(build_model(cfg), dict(input_shape=shapes))
    half = graph.scaled(0.5)
    plan, out = tmp_path / "half.json", tmp_path / "out.json"
    ChannelPlan(half.widths, dict(input_shape=[list(shape) for shape in shapes])).to_json(plan)
    benchmark.main(["latency", CONFIG, "--plan", str(plan), "--batch", "2", "--repeats", "1", "--json", str(out)])
    written = json.loads(out.read_text())
    assert written["benchmark"] == "latency"
    baseline, small = written["rows"]
    assert [baseline["network"], small["network"]] == ["baseline", str(plan)]
    assert baseline["MFLOPs"] == graph.flops() / 1e6
    assert small["MFLOPs"] == graph.flops(half) / 1e6
    assert small["M params"] == graph.params(half) / 1e6
    assert baseline["batch 2 (ms)"] > 0
    assert str(plan) in capsys.readouterr().out


def test_a_missing_plan_is_one_line(benchmark, capsys):
    with pytest.raises(SystemExit, match="2"):
        benchmark.main(["latency", CONFIG, "--plan", "nowhere.json"])
    assert capsys.readouterr().err.startswith("error: nowhere.json")


def test_table(benchmark, capsys):
    benchmark.print_table([dict(name="a", value=1.23456789), dict(name="long name", value=12)])
    assert capsys.readouterr().out == "name       value\na          1.2346\nlong name  12\n"


def test_training_beside_a_plain_loop(benchmark, tmp_path):
    out = tmp_path / "out.json"
    benchmark.main(["train", CONFIG, "--amp", "--blocks", "2", "--steps", "3", "--json", str(out)])
    plain, pipeline = json.loads(out.read_text())["rows"]
    assert [plain["training"], pipeline["training"]] == ["plain", "pipeline"]
    assert plain["time / plain"] == 1.0
    assert min(plain["images/s"], pipeline["images/s"], pipeline["time / plain"]) > 0


def test_a_training_too_short_to_compare_is_one_line(benchmark, capsys):
    with pytest.raises(SystemExit, match="2"):
        benchmark.main(["train", CONFIG, "--blocks", "1", "--steps", "6", "--cfg-options", "train_cfg.max_epochs=1"])
    assert "the training is over before 2 blocks of 6 steps" in capsys.readouterr().err.splitlines()[-1]
