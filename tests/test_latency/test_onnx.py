"""ONNX files: equal to torch, timed by ONNX Runtime."""

import numpy as np
import pytest
import torch

from lwdna_mm.errors import UserError
from lwdna_mm.latency import Setting, Workload, onnx
from lwdna_mm.latency.steps import make_step, random_inputs
from tests.test_latency.profiles import digits


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(onnx, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"onnx, onnxscript, onnxruntime not installed: pip install 'lwdna_mm\[onnx\]'"):
        onnx.export_onnx(digits()[0], random_inputs([(1, 8, 8)], 1))


def test_the_exported_network_computes_the_same():
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = digits()[0].eval()
    inputs = random_inputs([(1, 8, 8)], 3)
    (output,) = onnx.run_onnx(onnx.export_onnx(network, inputs), inputs)
    with torch.no_grad():
        expected = network(*inputs, mode="tensor").numpy()
    assert np.abs(output - expected).max() < 1e-4
    step = make_step(network, [(1, 8, 8)], Workload(3), Setting.here(1, backend="onnxruntime"))
    assert np.array_equal(step()[0], output)
