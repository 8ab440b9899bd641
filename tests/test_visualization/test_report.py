import base64
import json
import re

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.runs.grouping import group_runs, read_run
from lwdna_mm.visualization.figures import draw_overview, draw_widths
from lwdna_mm.visualization.report import format_table, write_report
from tests.report_runs import NAMES, PIXEL, make_runs


@pytest.fixture
def work_dirs(tmp_path):
    return make_runs(tmp_path)


def test_page_needs_no_other_file(work_dirs, tmp_path):
    page = write_report(work_dirs, tmp_path / "report").read_text()
    sources = re.findall(r'<img [^>]*src="([^"]*)"', page)
    assert len(sources) == 3  # overview, widths, curves
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://", page)
    assert "31 ± 1.4" in page
    assert "± 0<" not in page
    assert "<th>best" not in page
    assert "3.00%" in page
    for name in ("overview", "widths", "curves"):
        assert (tmp_path / "report" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_lone_baseline(work_dirs, tmp_path):
    page = write_report(work_dirs[:1], tmp_path / "report").read_text()
    assert "One run each" in page
    assert not (tmp_path / "report" / "widths.png").exists()


def test_text_table(work_dirs):
    lines = format_table(work_dirs).splitlines()
    assert lines[0].split() == ["network", "runs", "Set5/PSNR", "MFLOPs", "M", "parameters", "M", "activations"]
    # The best over all epochs is no figure to compare by, and equal figures have no deviation.
    assert lines[1].split() == ["baseline", "2", "31", "±", "1.4", "5", "0.001", "0.07"]
    assert lines[2].split() == ["LW-DNA", "2", "31.5", "4.9", "0.001", "0.066"]


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
