"""A program that fails is written to a file that makes it fail again."""

import json
import os
import subprocess
import sys

import pytest

from lwdna_mm.channels.tracing.rules import RULES
from tests import fuzz_channels


def status(*arguments) -> int:
    with pytest.raises(SystemExit) as ended:
        fuzz_channels.main([*map(str, arguments)])
    return int(ended.value.code)


@pytest.fixture
def wrong_rule(monkeypatch):
    """Every concatenation costs a multiply-add."""
    right = RULES["cat"]

    def wrong(trace, call):
        right(trace, call)
        trace.recorder.term(trace.module, 1, [])

    monkeypatch.setitem(RULES, "cat", wrong)


def test_a_wrong_rule_is_found_cut_down_and_reproduced(wrong_rule, monkeypatch, tmp_path, capsys):
    assert status("--programs", 4, "--first", 0, "--out", tmp_path) == 1
    file = min(tmp_path.iterdir())
    told = json.loads(file.read_text())
    assert told["outcome"][0].startswith("wrong cost: ")
    steps = told["outcome"][1:-1]  # below the numbers and above the outputs
    assert any("cat" in step for step in steps)
    assert len(steps) + len(told["dropped"]) == len(told["whole program"]) - 1
    assert len(steps) <= 3 < len(told["whole program"]) - 1
    capsys.readouterr()
    assert status("--reproduce", file) == 1
    assert capsys.readouterr().out.splitlines() == told["outcome"]
    monkeypatch.undo()
    assert status("--reproduce", file) == 0
    assert ":" not in capsys.readouterr().out


def test_every_night_has_its_own_seeds(tmp_path, capsys):
    firsts = set()
    for _ in range(2):
        assert status("--nightly", "--minutes", 0, "--out", tmp_path) == 0
        firsts.add(capsys.readouterr().out.splitlines()[0])
    assert len(firsts) == 2
    assert all(line.startswith("first seed: ") for line in firsts)
    assert not [*tmp_path.iterdir()]


@pytest.mark.full
def test_outcomes_do_not_depend_on_the_process():
    program = """
from random import Random
from lwdna_mm.channels import analyze
from tests.fuzz_channels import run_seed
from tests.programs import random_program
for seed in range(40):
    graph = analyze(*random_program(Random(seed)))
    print(seed, run_seed(seed), graph.fingerprint, graph.notes, list(graph.frozen.items()))
"""
    told = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=os.environ | seeds).stdout
        for seeds in ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"})
    ]
    assert told[0] == told[1]
    assert told[0].count(b"\n") == 40
