"""The pictures of searches show what is in their files."""

import json

from lwdna_mm.visualization.report import write_report
from lwdna_mm.visualization.searches import draw_profiles, draw_response
from tests.report_runs import NAMES, make_run

GROUP = dict(widths=[2, 8, 16], losses=[3.0, 2.6, 2.0], hull=[3.0, 2.571, 2.0], flops=1e6)
RESPONSE = dict(
    samples=8, rounds=[dict(reference=dict.fromkeys(NAMES, 8), loss=2.6, groups=dict.fromkeys(NAMES, GROUP))]
)
PLAN = dict(
    order=NAMES[::-1],
    widths={"stem": 12, "layer1.conv1": 4, "layer1.conv2": 9},
    baseline=dict(params=1000, widths=dict.fromkeys(NAMES, 8)),
)


def widths(*values):
    return dict(zip(NAMES, values, strict=True))


PROFILES = dict(
    metric="Set5/PSNR",
    lengths=[0.25, 0.5],
    chosen=2,
    candidates=[
        dict(profile={}, widths=widths(8, 8, 8), params=1000, values=[30.0, 31.0]),
        dict(profile={}, widths=widths(8, 2, 8), params=800, values=[29.0]),
        dict(profile={}, widths=widths(16, 4, 8), params=500, values=[30.5, 32.0]),
        dict(profile={}, widths=widths(4, 4, 8), params=400, values=[None]),
    ],
)


def test_curves_in_the_order_of_execution():
    figure = draw_response(PLAN, RESPONSE)
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title().splitlines()[0] for axis in shown] == NAMES[::-1]
    measured, hull, baseline, reference, plan = shown[-1].lines
    assert measured.get_ydata().tolist() == GROUP["losses"]
    assert hull.get_ydata().tolist() == GROUP["hull"]
    assert [line.get_xdata()[0] for line in (baseline, reference, plan)] == [8, 8, 12]


def test_every_rung_has_its_profiles():
    figure = draw_profiles(PLAN, PROFILES)
    tried, first, second = figure.axes
    points = [tuple(line.get_xydata()[0]) for line in first.lines]
    assert points == [(1.0, 30.0), (0.8, 29.0), (0.5, 30.5), (0.5, 30.5)]  # the chosen one has a ring
    assert [tuple(line.get_xydata()[0]) for line in second.lines] == [(1.0, 31.0), (0.5, 32.0), (0.5, 32.0)]
    # From the worst, which diverged, to the best, and the chosen one again; what no candidate changes is left out.
    assert [label.get_text() for label in tried.get_xticklabels()] == ["layer1.conv1", "stem"]
    drawn = [list(line.get_ydata()) for line in tried.lines]
    assert drawn == [[0.5, 0.5], [0.25, 1], [1, 1], [0.5, 2], [0.5, 2]]
    less = dict(PROFILES, metric="loss")
    assert [list(line.get_ydata()) for line in draw_profiles(PLAN, less).axes[0].lines][:2] == [[0.5, 0.5], [0.5, 2]]


def test_a_report_has_the_pictures_of_runs_that_have_the_files(tmp_path):
    dirs = [make_run(tmp_path / kind, 0, 30.0, kind) for kind in ("ResponseCriterion", "ProfileSearch")]
    for folder, (name, content) in zip(dirs, (("response", RESPONSE), ("profiles", PROFILES)), strict=True):
        (folder / f"plan.{name}.json").write_text(json.dumps(content))
        plan = json.loads((folder / "plan.json").read_text())
        plan.update(order=NAMES, widths=PLAN["widths"])
        (folder / "plan.json").write_text(json.dumps(plan))
    page = write_report(dirs, tmp_path / "report").read_text()
    assert "What each layer&#x27;s width is worth: LW-DNA (ResponseCriterion), seed 0" in page
    assert "Profiles tried: LW-DNA (ProfileSearch), seed 0" in page
    assert sorted(path.name for path in (tmp_path / "report").glob("*-*.png")) == ["profiles-0.png", "response-1.png"]
