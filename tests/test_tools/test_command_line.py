"""The tools as users meet them: what they write, and how they tell mistakes in one line."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.digits_runs import CONFIGS, tiny_options

TOOLS = CONFIGS.parents[1] / "tools"
TWIN = str(CONFIGS / "resnet8_lwdna_1xb32_digits.py")
BASELINE = str(CONFIGS / "resnet8_1xb32_digits.py")


def call(tool: str, *arguments) -> None:
    """Run a tool's main in this process."""
    spec = importlib.util.spec_from_file_location(tool, TOOLS / f"{tool}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([str(argument) for argument in arguments])


def options(lwdna: bool = True, **changes) -> list[str]:
    given = {**tiny_options(lwdna), **{key.replace("__", "."): value for key, value in changes.items()}}
    return ["--cfg-options", *[f"{key}={value}" for key, value in given.items()]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a plan by tools/shrink.py and runs of the baseline and of that plan by tools/train.py."""
    folder = tmp_path_factory.mktemp("tools")
    call("shrink", TWIN, "--out", folder / "plan.json", "--work-dir", folder / "search", "--seed", 3, *options())
    given = ["--plan", folder / "plan.json", "--work-dir", folder / "lwdna"]
    call("train", TWIN, *given, "--amp", "--auto-scale-lr", *options())
    call("train", BASELINE, "--work-dir", folder / "base", *options(False))
    return folder


def test_shrink_then_train_then_test_then_report(finished, tmp_path, capsys):
    assert json.loads((finished / "plan.json").read_text())["seed"] == 3
    assert (finished / "lwdna" / "plan.json").read_bytes() == (finished / "plan.json").read_bytes()
    trained = json.loads((finished / "lwdna" / "summary.json").read_text())["metrics"]["last"]

    checkpoint = finished / "lwdna" / "epoch_3.pth"
    out = tmp_path / "metrics.json"
    call("test", TWIN, checkpoint, "--work-dir", tmp_path, "--out", out, *options())
    assert json.loads(out.read_text()) == trained
    # The config that the run has dumped rebuilds the network by itself.
    call("test", finished / "lwdna" / Path(TWIN).name, checkpoint, "--work-dir", tmp_path, "--out", out)
    assert json.loads(out.read_text()) == trained

    capsys.readouterr()
    call("report", finished / "base", finished / "lwdna", "--out", tmp_path / "report")
    printed = capsys.readouterr().out
    assert "baseline" in printed
    assert "LW-DNA" in printed
    assert (tmp_path / "report" / "report.html").stat().st_size > 10_000


def test_train_prints_accuracy_cost_and_the_searchs_share(finished, tmp_path, capsys):
    call("train", TWIN, "--work-dir", tmp_path, *options(train_cfg__max_epochs=1, train_cfg__val_interval=1))
    lines = capsys.readouterr().out.splitlines()[-5:]
    assert lines[0].startswith("resnet8_lwdna_1xb32_digits: accuracy/top1 ")
    assert "of the baseline's 0.7635 M" in lines[1]
    assert "params" in lines[2]
    assert "acts" in lines[3]
    assert "48 samples" in lines[4]


def test_where_the_plan_goes_is_checked_before_the_search(tmp_path, capsys, monkeypatch):
    class Searched(BaseException):
        pass

    def refuse(*args):
        raise Searched

    monkeypatch.setattr("lwdna_mm.engine.pipeline.search_plan", refuse)
    (tmp_path / "file").touch()
    given = ["shrink", TWIN, "--work-dir", tmp_path / "run", *options(), "--out"]
    expect_one_line(capsys, "file: Not a directory", *given, tmp_path / "file" / "sub" / "plan.json")
    expect_one_line(capsys, "/proc/self", *given, "/proc/self/plan.json")  # not even root can write there
    with pytest.raises(Searched):
        call(*given, tmp_path / "new" / "sub" / "plan.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "run"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.lock"]


def test_criterion_of_the_control(tmp_path):
    given = ["--criterion", "UniformCriterion", "--out", tmp_path / "plan.json", "--work-dir", tmp_path]
    call("shrink", TWIN, *given, *options())
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan["criterion"] == dict(type="UniformCriterion")
    assert plan["widths"] == plan["baseline"]["widths"]


def test_no_validate(tmp_path, capsys):
    call("train", BASELINE, "--no-validate", "--work-dir", tmp_path, *options(False, train_cfg__max_epochs=1)[:-2])
    assert "not validated" in capsys.readouterr().out


def expect_one_line(capsys, message: str, tool: str, *arguments) -> None:
    with pytest.raises(SystemExit) as stop:
        call(tool, *arguments)
    assert stop.value.code == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]


def test_in_a_process_of_its_own(tmp_path):
    """One line, a non-zero exit, nothing written: as a shell sees it."""
    command = [sys.executable, str(TOOLS / "shrink.py"), BASELINE, "--out", str(tmp_path / "plan.json")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == f"error: {BASELINE} has no lwdna section"
    assert not list(tmp_path.iterdir())
