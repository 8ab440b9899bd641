import json
import re

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.latency import Workload
from lwdna_mm.runs.grouping import group_runs, read_run
from lwdna_mm.visualization.latency import CONSTANT, add_latency, draw_latency, latency_keys
from lwdna_mm.visualization.report import format_table, write_report
from tests.report_runs import make_run
from tests.test_latency.profiles import digits, profile_of

WORKLOADS = (Workload(1), Workload(8, train=True))


@pytest.fixture
def latency(tmp_path):
    profile_of(digits()[1], WORKLOADS).write(tmp_path / "latency.json")
    return tmp_path / "latency.json"


@pytest.fixture
def work_dirs(tmp_path):
    """A baseline, and a plan of half its widths that was measured."""
    graph = digits()[1]
    dirs = [make_run(tmp_path / "base", 0, 30.0), make_run(tmp_path / "half", 0, 29.0, "GradientCriterion")]
    plan = json.loads((dirs[1] / "plan.json").read_text())
    plan.update(widths=graph.scaled(0.5).widths, fingerprint=graph.fingerprint, order=list(graph.free))
    plan["baseline"]["widths"] = graph.widths
    plan["baseline"]["params"] = graph.params()
    summary = json.loads((dirs[0] / "summary.json").read_text())
    (dirs[0] / "summary.json").write_text(json.dumps(dict(summary, params=graph.params())))
    plan["latency"] = dict(measured={"batch 1": 0.512}, predicted={"batch 1": 0.5}, tries=1)
    (dirs[1] / "plan.json").write_text(json.dumps(plan))
    return dirs


def test_the_table_sets_time_beside_the_other_costs(work_dirs, latency):
    profile = profile_of(digits()[1], WORKLOADS)
    head, base, half = (re.split(r"\s{2,}", line.strip()) for line in format_table(work_dirs, latency).splitlines())
    assert head[-6:] == ["MFLOPs", "M parameters", "M activations", *head[-3:]]
    assert head[-3:] == ["predicted time, batch 8, training", "predicted time, batch 1", "measured time, batch 1"]
    assert base[-3:] == ["1", "1", "-"]
    predicted = profile.predict(digits()[1].scaled(0.5).widths)
    assert half[-3:] == [f"{predicted['batch 8, training']:.4g}", f"{predicted['batch 1']:.4g}", "0.512"]
    assert format_table(work_dirs).splitlines()[0].rstrip().endswith("measured time, batch 1")


def test_the_page_shows_where_the_time_goes(work_dirs, latency, tmp_path):
    page = write_report(work_dirs, tmp_path / "report", latency).read_text()
    assert "Where the time goes" in page
    assert "multiples of the baseline's" in page
    assert (tmp_path / "report" / "latency.png").read_bytes().startswith(b"\x89PNG")
    assert "Where the time goes" not in write_report(work_dirs, tmp_path / "report").read_text()


def test_shares_of_the_layers_are_drawn(work_dirs):
    profile = profile_of(digits()[1], WORKLOADS)
    groups = group_runs([read_run(path) for path in work_dirs])
    axis = draw_latency(groups, profile).axes[0]
    bars = [bar.get_height() for bar in axis.patches]
    assert sum(bars) == pytest.approx(100)
    assert len(bars) == len(digits()[1].complexity.layers) + 1
    assert axis.get_xticklabels()[-1].get_text() == CONSTANT
    half = profile.predict(digits()[1].scaled(0.5).widths)["batch 1"]
    assert sum(axis.lines[0].get_ydata()) == pytest.approx(100 * half)


def test_times_of_another_network_are_refused(work_dirs, latency):
    plan = json.loads((work_dirs[1] / "plan.json").read_text())
    (work_dirs[1] / "plan.json").write_text(json.dumps(dict(plan, fingerprint="0" * 12)))
    with pytest.raises(UserError, match=r"latency\.json was measured on another network \(digits\) than .*half is of"):
        format_table(work_dirs, latency)
    summary = json.loads((work_dirs[0] / "summary.json").read_text())
    (work_dirs[0] / "summary.json").write_text(json.dumps(dict(summary, params=1)))
    with pytest.raises(UserError, match=r"than .*base is of"):
        format_table(work_dirs[:1], latency)


def test_without_times_there_are_no_columns(tmp_path):
    groups = group_runs([read_run(make_run(tmp_path / "base", 0, 30.0))])
    add_latency(groups, None)
    assert latency_keys(groups) == []
