import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.runs.grouping import group_runs, read_run
from tests.report_runs import make_run, make_runs


@pytest.fixture
def work_dirs(tmp_path):
    return make_runs(tmp_path)


def test_groups_and_statistics(work_dirs):
    groups = group_runs([read_run(path) for path in reversed(work_dirs)])
    assert [group.label for group in groups] == ["baseline", "LW-DNA", "LW-DNA (TaylorCriterion)", "random control"]
    assert groups[0].statistic("metrics", "last", "Set5/PSNR") == (31, pytest.approx(2**0.5), 2)
    assert groups[3].statistic("metrics", "last", "Set5/PSNR") == (29, None, 1)
    # The baseline's config has no input shape; the plan made from a network of its size knows its costs.
    assert groups[0].values("flops") == [5_000_000, 5_000_000]
    assert groups[0].values("acts") == [70_000, 70_000]
    assert groups[0].statistic("search", "share") is None


def test_controls_have_names(tmp_path):
    kinds = ["UniformCriterion", "WidthsCriterion", "TiltCriterion", "RandomWidthsCriterion", "torch-pruning"]
    groups = group_runs([read_run(make_run(tmp_path / kind, 0, 30.0, kind)) for kind in kinds])
    assert [g.label for g in groups] == [
        "given widths control",
        "random widths control",
        "tilt control",
        "torch-pruning",
        "uniform control",
    ]


def test_other_settings_are_no_seeds(tmp_path):
    runs = [read_run(make_run(tmp_path / str(i), i, 30.0 + i, "GradientCriterion")) for i in range(3)]
    runs[2].plan["divisor"], runs[2].summary["init"] = 8, "fresh"
    groups = {group.label: len(group.runs) for group in group_runs(runs)}
    assert groups == {"LW-DNA, divisor None, init None": 2, "LW-DNA, divisor 8, init fresh": 1}


def test_other_gates_and_batches_are_no_seeds(tmp_path):
    runs = [read_run(make_run(tmp_path / str(i), i, 30.0 + i, "GradientCriterion")) for i in range(3)]
    runs[1].plan["batch_ratio"], runs[2].plan["gate"] = 0.5, dict(type="LatentHypernet")
    assert [group.label for group in group_runs(runs)] == [
        "LW-DNA, batch_ratio 0.5, gate type=PlainGates",
        "LW-DNA, batch_ratio 1.0, gate type=LatentHypernet",
        "LW-DNA, batch_ratio 1.0, gate type=PlainGates",
    ]


def test_other_ways_to_trace_are_no_seeds(tmp_path):
    runs = [read_run(make_run(tmp_path / str(i), i, 30.0 + i, "GradientCriterion")) for i in range(4)]
    runs[1].plan.update(keep=["stem"], grouped="within", amortized=[])
    runs[2].plan.update(keep=[], grouped="whole", amortized=[])
    runs[3].plan["amortized"] = [0]
    assert [group.label for group in group_runs(runs)] == [
        "LW-DNA, grouped whole, keep [], amortized []",
        "LW-DNA, grouped within, keep ['stem'], amortized []",
        "LW-DNA, grouped within, keep [], amortized [0]",
        "LW-DNA, grouped within, keep [], amortized []",
    ]


def test_runs_of_other_networks_are_refused(work_dirs, tmp_path):
    runs = [read_run(path) for path in work_dirs]
    runs[0].summary["params"] = 999
    with pytest.raises(UserError, match=r"base0 do not belong together"):
        group_runs(runs)


def test_a_run_counts_once_and_a_seed_too(work_dirs):
    runs = [read_run(path) for path in work_dirs]
    assert len(group_runs([*runs, read_run(work_dirs[0] / ".." / "base0")])[0].runs) == 2
    runs[1].summary["seed"] = 0
    with pytest.raises(UserError, match=r"base0 and .*base2 are both baseline with seed 0"):
        group_runs(runs)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"metrics": {}}'])
@pytest.mark.parametrize("name", ["summary.json", "plan.json"])
def test_damaged_files_are_named(work_dirs, name, content):
    (work_dirs[2] / name).write_text(content)
    with pytest.raises(UserError, match=f"lw0/{name}: "):
        read_run(work_dirs[2])
