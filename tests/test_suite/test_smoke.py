"""The suite ``smoke`` from the command line, as a user meets it."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lwdna_mm.suite.config import load_suite
from lwdna_mm.suite.matrix import expand
from lwdna_mm.suite.records import read_records, write_records
from tests.suite_processes import ROOT, SHORT

SMOKE = ROOT / "configs" / "suites" / "smoke.py"


def call(*arguments: object) -> None:
    """Run the main of tools/suite.py in this process."""
    spec = importlib.util.spec_from_file_location("suite_tool", ROOT / "tools" / "suite.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([str(argument) for argument in arguments])


def fail(capsys, *arguments: object) -> tuple[list[str], str]:
    """The lines that a tool prints before it fails, and the one line that says why."""
    with pytest.raises(SystemExit) as caught:
        call(*arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    return out.splitlines(), err.strip()


def test_smoke(tmp_path: Path, capsys):
    place = ("--work-dir", tmp_path)
    call("run", SMOKE, *place, "--jobs", 2)
    runs = expand(load_suite(SMOKE))
    assert f"[{len(runs)}/{len(runs)}]" in capsys.readouterr().out.splitlines()[-1]
    records = {record.key: record for record in read_records(tmp_path / "records.jsonl")}
    assert sorted(records) == sorted(run.key for run in runs)
    for record in records.values():
        assert record.samples in (6 * 200, 6 * 140, 6 * 100)
        assert 10 < record.value < 100
        if record.arm == "unchosen":
            assert record.widths == records[record.key._replace(arm="lwdna")].widths
        if "wider" in record.arm:
            assert record.shares["flops"] > 1
        elif "narrow" in record.arm:
            lwdna = next(other for key, other in records.items() if key.arm == "lwdna" and key.seed == record.seed)
            assert record.shares["params"] <= lwdna.shares["params"]
        else:
            assert record.shares["flops"] <= 1

    call("list", SMOKE, *place)
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(runs)} of {len(runs)} runs are done"

    tried = next(key for key in records if key.stage == "select")
    write_records([replace(records[tried], value=None)], tmp_path / "diverged.jsonl")
    call("list", SMOKE, *place, "--records", tmp_path / "diverged.jsonl")
    assert f"  diverged  {tried}" in capsys.readouterr().out.splitlines()

    call("report", SMOKE, *place)
    assert capsys.readouterr().out.strip() == str(tmp_path / "report" / "report.html")
    for name in ("report.html", "report.md"):
        text = (tmp_path / "report" / name).read_text()
        assert f"{len(runs)} of {len(runs)} runs." in text
        assert "torch" in text


def test_a_run_that_fails_is_told_and_does_not_stop_the_others(tmp_path: Path, capsys):
    suite = tmp_path / "short.py"
    suite.write_text(
        SHORT.replace("arms=dict(baseline=1, lwdna=1, narrow=1)", "arms={'impossible': 1, 'baseline': 1}")
        + 'arms = {"impossible": dict(options={"lwdna.budget": dict(flops=1e-6)})}\n'
    )
    given = ("run", suite, "--work-dir", tmp_path / "runs", "--jobs", 2)
    out, err = fail(capsys, *given)
    assert err == "error: some runs have failed; `run` again goes on with them"
    failed = next(line for line in out if line.startswith("  digits/impossible seed 0: failed: "))
    assert re.search(r"the budget of [\d.]+ flops cannot be met", failed)
    assert "digits/baseline seed 0: accuracy/top1" in "\n".join(out)
    content = (tmp_path / "runs" / "records.jsonl").read_bytes()

    out, _ = fail(capsys, *given)
    assert out[0].startswith("short: 1 of 2 runs are done")
    assert out[1:] == [failed]
    assert (tmp_path / "runs" / "records.jsonl").read_bytes() == content


def test_nothing_to_report_yet(tmp_path: Path, capsys):
    _, err = fail(capsys, "report", SMOKE, "--work-dir", tmp_path)
    assert "records.jsonl: no run is done yet; begin with `run`" in err
