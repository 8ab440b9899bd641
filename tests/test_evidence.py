"""What README and docs say of the records, held to the records."""

import re
from functools import cache
from pathlib import Path

import pytest

from lwdna_mm.suite.blocks import to_markdown
from lwdna_mm.suite.config import load_suite
from lwdna_mm.suite.costs import machine_use
from lwdna_mm.suite.matrix import Run, expand
from lwdna_mm.suite.records import Record, read_records
from lwdna_mm.suite.report import report_blocks
from lwdna_mm.suite.scheduler import done_records

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "docs" / "evidence"
PAGE = (ROOT / "docs" / "evidence.md").read_text()
SUITES = ("cpu", "tiny_mobilenet_v1")


@cache
def done(name: str) -> tuple[list[Run], list[Record]]:
    """The runs of a suite, and the records that are of its present options."""
    suite = load_suite(ROOT / "configs" / "suites" / f"{name}.py")
    runs = expand(suite)
    return runs, [*done_records(suite, runs, EVIDENCE / f"{name}.jsonl").values()]


@pytest.mark.parametrize("suite", SUITES)
def test_every_record_is_of_the_suite_as_it_is(suite):
    assert len(done(suite)[1]) == len(read_records(EVIDENCE / f"{suite}.jsonl"))


def test_the_report_of_the_four_domains_is_that_of_its_records():
    runs, records = done("cpu")
    assert (EVIDENCE / "cpu.md").read_text() == to_markdown(report_blocks(records, [run.key for run in runs]))


@pytest.mark.parametrize("suite", SUITES)
def test_how_many_runs_are_done(suite):
    runs, records = done(suite)
    told = re.findall(r"(\d+) of (?:the )?(\d+) runs\b", PAGE)
    assert (str(len(records)), str(len(runs))) in told
    if suite == "cpu":
        assert f"{len(runs)} runs of some minutes" in (ROOT / "docs" / "suite.md").read_text()


def test_what_the_runs_have_cost():
    every = [record for path in sorted(EVIDENCE.glob("*.jsonl")) for record in read_records(path)]
    told = re.search(r"\((\d+)\s+runs,\s+([\d.]+)\s+core-hours", (ROOT / "README.md").read_text())
    hours = sum(use.hours for use in machine_use(every).values())
    assert told.groups() == (str(len(every)), f"{hours:.1f}")
    domains = PAGE[PAGE.index("## Four domains") :]
    for use in machine_use(done("cpu")[1]).values():
        assert re.search(rf"{use.hours:.1f}\s+core-hours", domains)
