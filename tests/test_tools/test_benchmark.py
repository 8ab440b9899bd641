import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / "configs" / "classification" / "resnet8_lwdna_1xb32_digits.py")


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark", ROOT / "tools" / "benchmark.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
