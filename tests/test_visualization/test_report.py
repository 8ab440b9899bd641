import base64
import json
import re

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.visualization.figures import draw_overview, draw_widths
from lwdna_mm.visualization.report import format_table, write_report
from lwdna_mm.visualization.runs import group_runs, read_run

NAMES = ["stem", "layer1.conv1", "layer1.conv2"]
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


def make_run(path, seed, psnr, criterion=None):
    """A finished work_dir, written by hand."""
    (path / "20260101_000000" / "vis_data").mkdir(parents=True)
    lines = [dict(lr=0.1, loss=1.0 / step, step=step, time=0.1) for step in (10, 20)]
    lines += [dict(lr=0.1, loss=9.0, step=20, time=0.1), {"Set5/PSNR": psnr, "step": 20, "time": 0.1}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (path / "20260101_000000" / "vis_data" / "scalars.json").write_text(text)
    metrics = {"Set5/PSNR": psnr}
    summary = dict(
        config="edsr", seed=seed, flops=None, params=1000, acts=None, metrics=dict(best=metrics, last=metrics)
    )
    summary["training"] = dict(samples=100, seconds=10.0)
    if criterion:
        base = dict(flops=5_000_000, params=1000, acts=70_000, widths=dict.fromkeys(NAMES, 8))
        plan = dict(criterion=dict(type=criterion), widths={"stem": 12, "layer1.conv1": 4}, baseline=base)
        (path / "plan.json").write_text(json.dumps(plan))
        summary.update(flops=4_900_000, acts=66_000, search=dict(samples=5, flops=1, seconds=2.0, share=0.03))
    (path / "summary.json").write_text(json.dumps(summary))
    return path


@pytest.fixture
def work_dirs(tmp_path):
    dirs = [make_run(tmp_path / f"base{seed}", seed, 30 + seed) for seed in (0, 2)]
    dirs += [make_run(tmp_path / f"lw{seed}", seed, 31.5, "GradientCriterion") for seed in (0, 1)]
    dirs += [make_run(tmp_path / "random", 0, 29.0, "lwdna_mm.RandomCriterion")]
    dirs += [make_run(tmp_path / "taylor", 0, 29.5, "TaylorCriterion")]
    (dirs[2] / "visuals").mkdir()
    (dirs[2] / "visuals" / "baby_x2.png").write_bytes(PIXEL)
    return dirs


def test_groups_and_statistics(work_dirs):
    groups = group_runs([read_run(path) for path in reversed(work_dirs)])
    assert [group.label for group in groups] == ["baseline", "LW-DNA", "LW-DNA (TaylorCriterion)", "random control"]
    assert groups[0].statistic("metrics", "last", "Set5/PSNR") == (31, pytest.approx(2**0.5), 2)
    assert groups[3].statistic("metrics", "last", "Set5/PSNR") == (29, None, 1)
    # The baseline's config has no input shape; the plan made from a network of its size knows its costs.
    assert groups[0].values("flops") == [5_000_000, 5_000_000]
    assert groups[0].values("acts") == [70_000, 70_000]
    assert groups[0].statistic("search", "share") is None


def test_other_settings_are_no_seeds(tmp_path):
    runs = [read_run(make_run(tmp_path / str(i), i, 30.0 + i, "GradientCriterion")) for i in range(3)]
    runs[2].plan["divisor"], runs[2].summary["init"] = 8, "fresh"
    groups = {group.label: len(group.runs) for group in group_runs(runs)}
    assert groups == {"LW-DNA, divisor None, init None": 2, "LW-DNA, divisor 8, init fresh": 1}


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


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
@pytest.mark.parametrize("name", ["summary.json", "plan.json"])
def test_damaged_files_are_named(work_dirs, name, content):
    (work_dirs[2] / name).write_text(content)
    with pytest.raises(UserError, match=f"lw0/{name}: "):
        read_run(work_dirs[2])


def test_page_needs_no_other_file(work_dirs, tmp_path):
    page = write_report(work_dirs, tmp_path / "report").read_text()
    sources = re.findall(r'<img [^>]*src="([^"]*)"', page)
    assert len(sources) == 4  # overview, widths, curves, one picture of the task
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert base64.b64decode(sources[-1].split(",")[1]) == PIXEL
    assert not re.search(r"https?://", page)
    assert "31 ± 1.4" in page
    assert "LW-DNA, seed 0: baby x2" in page
    assert "3.00%" in page
    for name in ("overview", "widths", "curves"):
        assert (tmp_path / "report" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_lone_baseline(work_dirs, tmp_path):
    page = write_report(work_dirs[:1], tmp_path / "report").read_text()
    assert "One run each" in page
    assert not (tmp_path / "report" / "widths.png").exists()


def test_text_table(work_dirs):
    lines = format_table(work_dirs).splitlines()
    head = "network runs Set5/PSNR best Set5/PSNR MFLOPs M parameters M activations"
    assert lines[0].split() == head.split()
    assert lines[2].startswith("LW-DNA")
    assert lines[2].split()[-9:] == ["4.9", "±", "0", "0.001", "±", "0", "0.066", "±", "0"]


def test_runs_from_before_activations_were_counted(work_dirs, tmp_path):
    for path in work_dirs:
        for name in ("summary.json", "plan.json"):
            if (path / name).is_file():
                content = json.loads((path / name).read_text())
                content.pop("acts", None)
                content.get("baseline", {}).pop("acts", None)
                (path / name).write_text(json.dumps(content))
    assert all(line.split()[-1] == "-" for line in format_table(work_dirs).splitlines()[1:])
    groups = group_runs([read_run(path) for path in work_dirs])
    assert len(draw_overview(groups, ["Set5/PSNR"]).axes) == 3
    assert "4.9" in write_report(work_dirs, tmp_path / "report").read_text()


def test_unfinished_run_is_named(tmp_path):
    with pytest.raises(UserError, match="no finished run"):
        write_report([tmp_path], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_page_shows_crops_of_all_networks_and_the_protocol(work_dirs, tmp_path):
    for path in work_dirs:
        summary = json.loads((path / "summary.json").read_text())
        (path / "summary.json").write_text(json.dumps(dict(summary, protocol="PSNR on Y & more")))
        folder = path / "visuals" / "set5-baby"
        folder.mkdir(parents=True)
        for name in ("input", "output", "target"):
            (folder / f"{name}.png").write_bytes(PIXEL)
        measured = dict(psnr=dict(input=20.0, output=30.0), input="noisy", crop_border=0, convert_to=None)
        (folder / "metrics.json").write_text(json.dumps(measured))
    page = write_report(work_dirs, tmp_path / "report").read_text()
    assert page.count("Protocol: PSNR on Y &amp; more.") == 1
    picture = re.search(r'<img alt="crops of set5-baby, side by side" src="data:image/png;base64,([^"]*)"', page)
    assert base64.b64decode(picture[1]) == (tmp_path / "report" / "crops-set5-baby.png").read_bytes()


def test_widths_are_drawn_in_the_order_of_execution(work_dirs):
    runs = [read_run(path) for path in work_dirs[2:4]]
    for run in runs:
        run.plan["order"] = NAMES[::-1]
        run.plan["baseline"]["widths"] = dict(zip(NAMES, (8, 16, 32), strict=True))
    figure = draw_widths(group_runs(runs))
    axis = figure.axes[0]
    assert [bar.get_height() for bar in axis.patches] == [32, 16, 8]
    assert [label.get_text() for label in axis.get_xticklabels()] == NAMES[::-1]
    assert axis.lines[0].get_ydata().tolist() == [32, 4, 12]
