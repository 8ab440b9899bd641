"""Two processes on the CPU: the ranks' observations are averaged, and all train one plan."""

import json
import os
import subprocess
import sys

import pytest
import torch

from lwdna_mm.engine import shrink_hook
from lwdna_mm.engine.shrink_hook import ShrinkHook
from lwdna_mm.shrink import GradientCriterion
from tests.digits_runs import CONFIGS, tiny_options


def test_ranks_are_averaged(monkeypatch):
    ranks = []
    for grads in ([[1.0, -4.0], [3.0, 0.0]], [[5.0, 1.0], [-1.0, 1.0]]):
        criterion = GradientCriterion()
        for grad in grads:
            gate = torch.nn.Parameter(torch.ones(2))
            gate.grad = torch.tensor(grad)
            criterion.observe({"stem": gate})
        ranks.append(criterion)
    monkeypatch.setattr(shrink_hook, "get_world_size", lambda: 2)
    monkeypatch.setattr(shrink_hook, "all_gather_object", lambda state: [rank.state_dict() for rank in ranks])
    hook = ShrinkHook.__new__(ShrinkHook)
    hook.criterion = GradientCriterion()
    hook._merge_ranks()
    state = hook.criterion.state_dict()
    assert state["batches"] == 4
    assert (state["sums"]["stem"] / state["batches"]).tolist() == pytest.approx([2.0, -0.5])


def test_two_processes_train_one_plan(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0"]
    command += [str(CONFIGS.parents[1] / "tools" / "train.py"), str(CONFIGS / "resnet8_lwdna_1xb32_digits.py")]
    command += ["--launcher", "pytorch", "--work-dir", str(tmp_path), "--cfg-options"]
    command += [f"{key}={value}" for key, value in tiny_options(True).items()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr[-2000:]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["flops"] <= summary["baseline"]["flops"]
    assert summary["search"]["samples"] == 2 * 3 * 16
