"""The metrics of a test set, as they come back."""

import json

import torch

from lwdna_mm.engine import evaluate
from lwdna_mm.engine.protocol import build_model
from tests.digits_runs import tiny_config


def test_metrics_of_any_shape_are_kept(tmp_path):
    cfg = tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=1)
    cfg.test_evaluator = dict(type="SingleLabelMetric", items=["precision"], average=None)
    torch.save(dict(state_dict=build_model(tiny_config(tmp_path, lwdna=False)).state_dict()), tmp_path / "x.pth")
    metrics = evaluate(cfg, tmp_path / "x.pth")
    assert len(metrics["single-label/precision_classwise"]) == 10
    json.dumps(metrics)
