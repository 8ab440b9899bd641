import importlib.util
import json
from pathlib import Path

import pytest
import torch

from lwdna_mm.channels import ChannelPlan
from lwdna_mm.engine import run
from lwdna_mm.latency import read_profile
from tests.digits_runs import tiny_config
from tests.test_latency.profiles import CONFIG, digits

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def call(tool: str, *args) -> None:
    spec = importlib.util.spec_from_file_location(f"tool_{tool}", TOOLS / f"{tool}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([str(arg) for arg in args])


QUICK = ["--plans", 6, "--held-out", 3, "--seconds", 0.1, "--turns", 5, "--threads", 1]


def test_profile_and_tables(tmp_path, capsys):
    graph = digits()[1]
    plan, out = tmp_path / "half.json", tmp_path / "latency.json"
    ChannelPlan(graph.scaled(0.5).widths, dict(input_shape=[[1, 8, 8]])).to_json(plan)
    call("latency", CONFIG, "--plan", plan, "--batch", 1, "--train", 4, "--out", out, *QUICK)
    profile = read_profile(out)
    assert profile.fingerprint == graph.fingerprint
    assert [str(one.workload) for one in profile.fitted] == ["batch 1", "batch 4, training"]
    assert profile.setting.threads == 1
    assert {"date", "versions", "trace"} == set(profile.about)
    assert all(one.error.plans == 3 and one.seconds > 0 for one in profile.fitted)
    lines = capsys.readouterr().out.splitlines()
    assert any("on 3 plans not fitted to: median error" in line for line in lines)
    rows = {line.split()[0]: line.split() for line in lines if line}
    layer = "backbone.layer1.0.conv1"
    flops = graph.complexity.layers[layer].flops(graph.vector()) / 1e6
    half = graph.complexity.layers[layer].flops(graph.vector(graph.scaled(0.5))) / 1e6
    assert rows[layer][1] == f"{float(flops):.5g}"
    assert rows[layer][5] == f"{float(half):.5g}"
    assert float(rows[layer][4]) > 0
    small, half = rows[str(plan)], graph.scaled(0.5)
    assert small[1:4] == [f"{cost / 1e6:.5g}" for cost in (graph.flops(half), graph.params(half), graph.acts(half))]


def test_without_a_model(tmp_path, capsys):
    call("latency", CONFIG, "--plans", 0, "--batch", 1, "--turns", 3, "--out", tmp_path / "latency.json")
    assert not (tmp_path / "latency.json").exists()
    assert "not fitted to" not in capsys.readouterr().out


def test_onnx_times_the_whole_and_torch_the_layers(tmp_path, capsys):
    for extra in ("onnxruntime", "onnxscript"):
        pytest.importorskip(extra)
    call("latency", CONFIG, "--backend", "onnxruntime", "--plans", 0, "--batch", 1, "--turns", 3)
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if line}
    assert float(rows["backbone.layer1.0.conv1"][4]) > 0


def test_wrong_arguments_are_one_line(tmp_path, capsys):
    for given, message in (
        (["--backend", "onnxruntime", "--train"], "inference in fp32"),
        (["--cuda"], "no GPU"),
    ):
        if given == ["--cuda"] and torch.cuda.is_available():
            continue
        with pytest.raises(SystemExit):
            call("latency", CONFIG, *given)
        assert message in capsys.readouterr().err


def test_export(tmp_path, capsys):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")

    run(tiny_config(tmp_path, train_cfg__max_epochs=1))
    out = tmp_path / "network.onnx"
    call("export_onnx", CONFIG, tmp_path / "epoch_1.pth", "--batch", 2, "--out", out)
    session = onnxruntime.InferenceSession(out.read_bytes(), providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [2, 1, 8, 8]
    plan = json.loads((tmp_path / "plan.json").read_text())
    layers = [list(value.dims) for value in onnx.load(out).graph.initializer]
    assert plan["widths"]["backbone.layer2.0.conv1"] in [dims[0] for dims in layers if len(dims) == 4]
    assert "its outputs equal torch's" in capsys.readouterr().out
