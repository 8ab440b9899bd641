"""The shell scripts start the tools with what they are given."""

import json
import os
import socket
import subprocess
import sys

import pytest

from lwdna_mm.zoo import fetch, find_entry
from tests.digits_runs import CONFIGS

TOOLS = CONFIGS.parents[1] / "tools"


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = ["bash", str(TOOLS / script), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("script", "arguments", "tool"),
    [
        ("dist_train.sh", ["c.py", "4", "--amp"], "train.py c.py --launcher pytorch --amp"),
        ("dist_test.sh", ["c.py", "w.pth", "4", "--out", "a b"], "test.py c.py w.pth --launcher pytorch --out a b"),
    ],
)
def test_torchrun_is_given_the_processes_and_the_options(script: str, arguments: list[str], tool: str):
    said = run(script, *arguments, PYTHON="echo", PORT="29511", NNODES="2", NODE_RANK="1").stdout
    where = "--nnodes=2 --node_rank=1 --master_addr=127.0.0.1 --master_port=29511 --nproc_per_node=4"
    assert said == f"-m torch.distributed.run {where} {TOOLS}/{tool}\n"


@pytest.mark.full
def test_two_processes_measure_what_one_does(tmp_path):
    entry, out = find_entry("resnet8_lwdna_digits"), tmp_path / "metrics.json"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    given = [str(entry.config_path), str(fetch(entry)), "2", "--work-dir", str(tmp_path), "--out", str(out)]
    done = run("dist_test.sh", *given, PYTHON=sys.executable, PORT=port, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("accuracy/top1: ") == 2  # mmengine's log has one, the tool's result is the other
    assert json.loads(out.read_text()) == pytest.approx(entry.facts["Results"][0]["Metrics"], abs=1e-3)


def test_slurm_is_given_no_more_tasks_than_asked(tmp_path):
    (tmp_path / "srun").write_text("#!/bin/sh\necho $@\n")
    (tmp_path / "srun").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = run("slurm_train.sh", "gpu", "job", "c.py", "--amp", PATH=path, GPUS="2", PYTHON="py").stdout
    assert "--partition=gpu --job-name=job --gres=gpu:2 --ntasks=2 --ntasks-per-node=2" in said
    assert said.endswith(f"py -u {TOOLS}/train.py c.py --launcher slurm --amp\n")


@pytest.mark.parametrize("script", ["dist_train.sh", "dist_test.sh", "slurm_train.sh"])
def test_what_is_missing_is_told(script: str):
    done = run(script, "c.py")
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: bash {TOOLS}/{script} ")
