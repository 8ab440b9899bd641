import base64
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lwdna_mm.errors import UserError
from lwdna_mm.suite.costs import machine_use, relative_costs
from lwdna_mm.suite.differences import seeds_needed
from lwdna_mm.suite.drawing import styles_of
from lwdna_mm.suite.figures import draw_gain_by_size, draw_metric_by_size
from lwdna_mm.suite.landscape_figures import draw_landscape
from lwdna_mm.suite.panels import draw_panels
from lwdna_mm.suite.records import Key
from lwdna_mm.suite.report import format_markdown, write_report
from lwdna_mm.suite.statistics import split_tasks
from lwdna_mm.suite.task_figures import draw_costs, draw_forest, draw_gap, draw_widths

from .made import make, make_arm

PARTIAL = {"lone": [make("lwdna")], "no uniform": [make("baseline", 18.0), make("lwdna")]}
PARTIAL["nothing measured"] = [make("uniform", 20.0, train_value=None, widths=None, size=None)]
PARTIAL["only a grid"] = [make("lwdna-tuned", stage="select", point={"optimizer.lr": 0.1})]
PARTIAL["only plans"] = [make(f"landscape-{i:02d}", 20.0 + i) for i in range(3)]
PARTIAL["nothing right"] = [*make_arm("uniform", 0.0, 0.0), *make_arm("lwdna", 0.0, 0.0)]


@pytest.fixture
def records():
    arms = [make_arm("baseline", 18.0, 18.2, 17.9), make_arm("uniform", 19.9, 19.8, 20.1)]
    arms += [make_arm("lwdna", 24.3, 23.6, 24.6), make_arm("random", 21.2, 19.9), make_arm("torch-pruning", 90.0)]
    arms += [make_arm("uniform", 30.0, 30.5, task="200"), make_arm("lwdna", 30.6, 30.4, task="200")]
    for arm in ("uniform-tuned", "lwdna-tuned"):
        points = [{"optimizer.lr": 0.1, "optimizer.weight_decay": decay} for decay in (1e-4, 1e-3, 3e-3)]
        arms.append([make(arm, 20.0 + 100 * p["optimizer.weight_decay"], stage="select", point=p) for p in points])
        arms.append(make_arm(arm, 22.0, 22.4, 22.3 if arm.startswith("l") else None, point=points[-1]))
    point = {"optimizer.lr": 0.3, "optimizer.weight_decay": 1e-4}
    arms.append([make("lwdna-tuned", None, stage="select", point=point)])
    arms.append([make(f"landscape-{i:02d}", 20.0 + i) for i in range(6)])
    return [record for arm in arms for record in arm]


def cells(markdown, first):
    """The cells of the first row that starts with this one."""
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_of_arms(records):
    text = format_markdown(records)
    row = cells(text, "lwdna")
    assert row[1:3] == ["3", "24.17 ± 0.51"]
    difference = split_tasks(records)[0].compare("lwdna")
    low, high = difference.corrected
    assert row[3] == f"+4.23 [{low:+.2f}, {high:+.2f}]"
    assert row[4] == "ahead"
    assert row[5:] == ["64.17 ± 0.51", "1.00", "0.26", "1.39", "1.39", "4.0", "834"]
    assert cells(text, "uniform")[3:5] == ["-", "-"]


def test_no_winner_without_an_interval_that_leaves_zero_out(records):
    text = format_markdown(records)
    assert cells(text, "torch-pruning")[3:5] == ["+70.15", "not told apart (one seed)"]
    assert cells(text, "random")[4] == "not told apart"
    for line in text.splitlines():
        held = re.search(r"\| [-+][\d.]+ \[([-+][\d.]+), ([-+][\d.]+)\] \| ([^|]*) \|", line)
        if held and float(held[1]) <= 0 <= float(held[2]):
            assert held[3] == "not told apart"


def test_parts_tuning_and_landscape(records):
    text = format_markdown(records)
    start, widths, total = (cells(text, part) for part in ("start", "widths", "total"))
    assert float(total[3].split()[0]) == pytest.approx(
        float(start[3].split()[0]) + float(widths[3].split()[0]), abs=0.011
    )
    assert [int(count) for count in widths[7].split(", ")] == sorted(int(count) for count in widths[7].split(", "))
    assert cells(text, "lr=0.1,weight_decay=0.003")[1:] == ["20.30 (chosen)", "20.30 (chosen)"]
    assert cells(text, "lr=0.1,weight_decay=0.001")[1:] == ["20.10", "20.10"]
    assert cells(text, "lr=0.3,weight_decay=0.0001")[1:] == ["-", "diverged"]
    assert "lwdna-tuned: the chosen weight_decay 0.003 is at the edge of the grid" in text
    assert "6 random plans at one training seed, 22.50 ± 1.87. lwdna (24.30, seed 0) is better than 5 of them" in text
    assert "Do widths matter here at all?" in text
    assert "Whose?" not in text  # all plans have the same widths here
    widths = [replace(r, widths={**r.widths, "layer2": 90 - round(r.value)}) for r in records if "landscape" in r.arm]
    text = format_markdown([*(r for r in records if "landscape" not in r.arm), *widths])
    assert re.search(
        r"layer2's width goes with the result most, by a rank correlation of -1\.00 .*more than chance", text
    )


def test_means_over_a_grid_and_a_grid_of_other_options(records):
    values = {(0.1, "threshold"): 20.0, (0.1, "density"): 21.0, (0.4, "threshold"): 23.0, (0.4, "density"): None}
    grid = [
        make("lwdna-search", value, stage="select", point={"lwdna.min_ratio": floor, "lwdna.policy": policy})
        for (floor, policy), value in values.items()
    ]
    text = format_markdown([*records, *grid])
    assert cells(text, "min_ratio=0.1")[1:] == ["20.50 (2)"]
    assert cells(text, "min_ratio=0.4")[1:] == ["23.00 (1), 1 diverged"]
    assert cells(text, "policy=threshold")[1:] == ["21.50 (2)"]
    assert cells(text, "min_ratio=0.4,policy=density")[1:] == ["diverged"]
    assert cells(text, "lr=0.1")[1:] == ["20.14 (3)", "20.14 (3)"]
    assert cells(text, "lr=0.1,weight_decay=0.001")[1:] == ["20.10", "20.10"]


def test_points_that_were_tried_with_several_seeds(records):
    values = {0.1: (40.0, 42.0, 41.0), 0.3: (43.0, None, 30.0), 1.0: (None, None, None)}
    grid = [
        make("lwdna-tuned", value, seed=seed, stage="select", point={"lr": lr})
        for lr, row in values.items()
        for seed, value in enumerate(row)
    ]
    text = format_markdown([*(record for record in records if record.stage == "test"), *grid])
    assert cells(text, "lr=0.1")[1:] == ["41.00 ± 1.00 (3)"]
    assert cells(text, "lr=0.3")[1:] == ["36.50 ± 9.19 (2), 1 diverged"]
    assert cells(text, "lr=1.0")[1:] == ["- (0), 3 diverged"]


def test_kinds_of_comparisons_and_seeds_needed(records):
    text = format_markdown(records)
    assert cells(text, "widths")[5] == "2 primary"
    assert cells(text, "widths, both tuned")[5] == "2 primary"
    # baseline, both tuned ones and random minus uniform, and total.
    assert cells(text, "total")[5] == "5 secondary"
    task = split_tasks(records)[0]
    one = task.compare("lwdna")
    counts = [seeds_needed(one.deviation, alpha=level, freedom_per_seed=5) for level in (0.05, 0.05 / 2)]
    assert cells(text, "widths")[7] == f"{counts[0]}, {counts[1]}"


def test_variation_of_runs_is_told(records):
    text = format_markdown(records).partition("How much runs vary")[2]
    task = split_tasks(records)[0]
    alone = f"{(task.layout.squares / task.layout.freedom) ** 0.5:.3f} ({task.layout.freedom})"
    shared = f"{task.pool.deviation:.3f} ({task.layout.freedom + 1})"
    assert cells(text, "50")[1:] == ["6", alone, shared, "50, 200"]
    assert cells(text, "200")[3:] == [shared, "50, 200"]
    assert "Caution" not in format_markdown(records)


def test_unequal_variation_is_told(records):
    wild = [*make_arm("uniform", 10.0, 50.0, task="200"), *make_arm("lwdna", 50.0, 10.0, task="200")]
    records = [record for record in records if record.task != "200"]
    told = format_markdown(records).partition("How much runs vary")[2]
    text = format_markdown([*records, *wild])
    assert "Caution: runs of the task 200 vary more than those of other sizes" in text
    assert "the task 50" not in text
    text = format_markdown([*records, *make_arm("wider", 20.0, 28.0, 12.0)])
    assert "Caution: the errors of wider are larger than those of other arms (F test, 5 %; tasks 50)" in text
    assert cells(text.partition("How much runs vary")[2], "50")[1:] == cells(told, "50")[1:]


def test_what_is_missing_is_told(records):
    planned = [record.key for record in records] + [Key("50", "random", 2), Key("50", "torch-pruning", 1)]
    planned += [Key("50", f"landscape-{i:02d}", 0) for i in (6, 7)] + [Key("400", "lwdna-tuned", 0, "select", "1")]
    text = format_markdown(records, planned)
    assert f"{len(records)} of {len(planned)} runs. What is missing is at the end." in text
    missing = text.partition("## Runs that are missing")[2]
    assert cells(missing, "50")[1] == "random 2 of 3; torch-pruning 1 of 2; landscape 6 of 8"
    assert cells(missing, "400")[1] == "lwdna-tuned (grid) 0 of 1"
    assert "| 200 |" not in missing
    text = format_markdown(records, [r.key for r in records])
    assert f"{len(records)} of {len(records)} runs.\n" in text
    assert "Runs that are missing" not in text
    assert text.startswith("# Suite tiny\n")
    assert format_markdown(records, level=3).startswith("### Suite tiny\n")


def test_primary_comparisons_are_corrected_over_all_tasks_too(records):
    text = format_markdown(records)
    tasks = split_tasks(records)
    found = [task.compare(*pair) for task in tasks for pair in (("lwdna",), ("lwdna-tuned", "uniform-tuned"))]
    found = [one for one in found if one]
    assert len(found) == 3
    told = [one for one in found if one.verdict == "ahead"]
    limits = {one.arm: abs(one.estimate) / (one.deviation * one.error) for one in told}
    needed = stats.t.isf(0.025 / 3, told[0].freedom)
    assert [arm for arm, reached in limits.items() if reached > needed] == ["lwdna"]
    assert "Corrected over all 3 of the table, still told apart: 50 lwdna (ahead); no longer: none." in text
    weak = [replace(r, value=r.value - 3.485) if (r.task, r.arm) == ("50", "lwdna") else r for r in records]
    one = split_tasks(weak)[0].compare("lwdna")
    assert needed > one.estimate / (one.deviation * one.error) > stats.t.isf(0.025 / 2, one.freedom)
    assert "still told apart: none; no longer: 50 lwdna (ahead)." in format_markdown(weak)
    assert "Corrected over all" not in format_markdown([record for record in records if record.task == "50"])


def test_gains_of_all_tasks_beside_each_other(records):
    text = format_markdown(records).partition("All other widths")[2].partition("## Task")[0]
    tasks = split_tasks(records)
    found = tasks[0].gains()
    assert list(found) == ["lwdna", "lwdna-tuned", "random", "torch-pruning"]
    assert (found["lwdna-tuned"].other, found["random"].other) == ("uniform-tuned", "uniform")
    tuned = f"{found['lwdna-tuned'].estimate:+.2f}"
    assert cells(text, "50")[1:] == ["accuracy/top1", "+4.23 ahead", tuned, "+0.70", "+70.15"]
    assert cells(text, "200")[2:] == [f"{tasks[1].gains()['lwdna'].estimate:+.2f}", "-", "-", "-"]
    one = [record for record in records if record.task == "50"]
    assert "All other widths" not in format_markdown(one)


def test_gains_count_as_comparisons_and_leave_other_starts_out(records):
    records = [record for record in records if record.task == "50"]
    before = split_tasks(records)[0].comparisons(primary=False)
    records += [*make_arm("tilt-tuned", 22.0, 22.5), *make_arm("lwdna-fresh", 19.0, 19.2)]
    records += make_arm("lwdna-search", 20.0, 20.1)
    task = split_tasks(records)[0]
    assert not {"lwdna-fresh", "lwdna-search", "baseline", "uniform-tuned"} & set(task.gains())
    # tilt-tuned minus uniform and minus uniform-tuned; lwdna-fresh minus uniform and minus baseline; lwdna-search.
    assert task.comparisons(primary=False) == before + 5
    records += [*make_arm("uniform-warm", 21.0, 21.5), *make_arm("lwdna-warm", 22.0, 22.1)]
    task = split_tasks(records)[0]
    assert task.gains()["lwdna-warm"].estimate == task.parts()["widths, both warmed up"].estimate == pytest.approx(0.8)
    assert "uniform-warm" not in task.gains()


def test_core_hours_of_all_runs():
    records = [make(training_seconds=1799.0, search_seconds=1.0), make(seed=1, training_seconds=1800.0)]
    records[1] = make(seed=1, training_seconds=1800.0, search_seconds=None, machine="AMD EPYC, 4 threads")
    records.append(make(seed=2, training_seconds=360.0, search_seconds=0.0, machine="NVIDIA H100"))
    assert [use.hours for use in machine_use(records).values()] == pytest.approx([0.5, 2.0, 0.1])
    assert "In all 2.5 core-hours and 0.1 device-hours" in format_markdown(records)
    assert "several machines" in format_markdown(records)
    assert "several machines" not in format_markdown(records[:1])


def test_pairs_across_machines_are_told(records):
    def moved(*runs):
        return [replace(r, machine="Xeon, 1 thread") if (r.task, r.arm, r.seed) in runs else r for r in records]

    text = format_markdown(moved(("50", "random", 1)))
    assert cells(text, "random")[4] == "not told apart (1 of 2 across machines)"
    assert cells(text, "lwdna")[4] == "ahead"
    gains = dict(zip(cells(text, "task | metric"), cells(text, "50 | accuracy/top1"), strict=True))
    assert [arm for arm, gain in gains.items() if "*" in gain] == ["random"]
    text = format_markdown(moved(*(("50", "lwdna", seed) for seed in range(3)), ("50", "torch-pruning", 0)))
    assert cells(text, "widths")[4] == "ahead (3 of 3 across machines)"
    assert "across" not in cells(text, "start")[4]
    assert cells(text, "torch-pruning")[4] == "not told apart (one seed, 1 of 1 across machines)"


def test_times_are_compared_on_one_machine():
    slow = dict(machine="old", training_seconds=3000.0)
    records = [make("baseline", seed=0, training_seconds=100.0), make("baseline", seed=1, training_seconds=300.0)]
    records += [make(training_seconds=300.0), make(seed=1, **slow), make("random", **slow)]
    assert relative_costs(split_tasks(records)[0])["training time"] == {"baseline": [0.5, 1.5], "lwdna": [1.5]}


def test_report_is_one_page_with_pictures_beside_it(records, tmp_path):
    page = write_report(records, tmp_path / "report").read_text()
    pictures = [base64.b64decode(data) for data in re.findall(r'src="data:image/png;base64,([^"]*)"', page)]
    files = {path.name: path.read_bytes() for path in (tmp_path / "report").glob("*.png")}
    assert sorted(pictures) == sorted(files.values())
    names = ["differences", "gap", "landscape", "costs", "widths"]
    assert set(files) == {"gain.png", "metric.png", *(f"50-{n}.png" for n in names)} | {
        f"200-{n}.png" for n in names if n != "landscape"
    }
    assert "src=" in page
    assert not re.search(r"https?://", page)
    assert (tmp_path / "report" / "report.md").read_text() == format_markdown(records)


@pytest.mark.parametrize("name", PARTIAL)
def test_any_part_of_a_suite_can_be_reported(name, tmp_path):
    page = write_report(PARTIAL[name], tmp_path).read_text()
    assert "ahead" not in page.replace("'Ahead'", "").replace("&#x27;Ahead&#x27;", "")
    assert "nan" not in (tmp_path / "report.md").read_text()


def test_nothing_to_report(tmp_path):
    with pytest.raises(UserError, match="no records"):
        write_report([], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_main_figure_shows_the_differences_of_every_size(records):
    tasks = split_tasks(records)
    axis = draw_gain_by_size(tasks, styles_of(tasks)).axes[0]
    assert axis.get_xscale() == "log"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["50", "200"]
    legend = [line.get_label() for line in axis.lines if not line.get_label().startswith("_")]
    assert legend == [
        "lwdna - uniform (primary)",
        "lwdna-tuned - uniform-tuned (primary)",
        "random - uniform",
        "torch-pruning - uniform",
    ]
    drawn = [set(line.get_ydata()) for line in axis.lines]
    assert {tasks[0].compare("lwdna").estimate, tasks[1].compare("lwdna").estimate} in drawn
    assert set(tasks[0].compare("lwdna").interval) in drawn
    assert all({value} in drawn for value in tasks[0].compare("lwdna").values)  # every seed
    # Sizes that several series share are drawn side by side.
    places = [x for line in axis.lines for x in line.get_xdata() if 40 < x < 65]
    assert len(set(np.round(places, 6))) == 4


def test_no_main_figure_without_sizes():
    for records in ([make("lwdna"), make("uniform", size=50, task="other")], [make(task="digits"), make("uniform")]):
        tasks = split_tasks(records)
        assert draw_gain_by_size(tasks, styles_of(tasks)) is None
    same_size = [make(arm, task=task, size=50) for arm in ("lwdna", "uniform") for task in ("a", "b")]
    tasks = split_tasks(same_size)
    assert draw_gain_by_size(tasks, styles_of(tasks)) is None
    assert draw_metric_by_size(tasks, styles_of(tasks)) is None


def test_panels_show_the_gains_of_tasks_without_a_size(records):
    tasks = split_tasks(records)
    assert draw_panels(tasks, styles_of(tasks)) is None  # sizes have a figure of their own
    one = [record for record in records if record.task == "50"]
    tasks = split_tasks(make(r.arm, r.value, r.seed, task="a", size=None, stage=r.stage, point=r.point) for r in one)
    other = [*make_arm("uniform", 0.5, 0.6, task="b"), *make_arm("lwdna", 0.7, 0.65, task="b")]
    tasks += split_tasks(other)
    assert draw_panels(tasks[:1], styles_of(tasks)) is None
    panels = draw_panels(tasks, styles_of(tasks)).axes
    assert [axis.get_title() for axis in panels] == ["a", "b"]
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    assert names == ["torch-pruning", "random", "lwdna-tuned", "lwdna"]
    for axis, task in zip(panels, tasks, strict=True):
        drawn = {(float(x), float(y)) for line in axis.lines for x, y in zip(*line.get_data(), strict=True)}
        assert all((one.estimate, names.index(arm)) in drawn for arm, one in task.gains().items())
    five = [*make_arm("uniform", 0.5, 0.6), *make_arm("lwdna", 0.7, 0.65)]
    five = [make(r.arm, r.value, r.seed, task=name, size=None) for name in "abcde" for r in five]
    panels = draw_panels(split_tasks(five), styles_of(tasks)).axes
    assert [axis.get_visible() for axis in panels] == [True] * 5 + [False] * 3


def test_forest_names_arms_seeds_and_verdicts(records):
    task = split_tasks(records)[0]
    figure = draw_forest(task, styles_of([task]))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[::-1][:2] == ["baseline (3 seeds)", "uniform-tuned (2 seeds)"]
    assert names[0] == "torch-pruning (1 seed)"
    verdicts = [label.get_text() for label in figure.axes[0].child_axes[0].get_yticklabels()]
    assert dict(zip(names, verdicts, strict=True))["lwdna (3 seeds, primary)"] == "ahead"


def test_widths_are_relative_to_uniform_in_the_order_of_execution(records):
    task = split_tasks(records)[0]
    axis = draw_widths(task, styles_of([task])).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["stem", "layer2", "layer10"]
    line = next(line for line in axis.lines if line.get_label() == "lwdna, lwdna-tuned")
    assert line.get_ydata().tolist() == [2, 1, 0.5]


def test_landscape_gap_and_costs(records):
    task = split_tasks(records)[0]
    styles = styles_of([task])
    shares, widths, ties = draw_landscape(task, styles).axes
    assert not ties.patches  # all plans have the same widths here
    assert (shares.lines[0].get_xdata()[-1], shares.lines[0].get_ydata()[-1]) == (25, 1)
    values = sorted(record.value for record in task.landscape)
    points = [line for line in shares.lines if line.get_marker() == "o" and len(line.get_xdata()) == 1]
    found = {float(line.get_xdata()[0]): (float(line.get_ydata()[0]), line.get_color()) for line in points}
    assert {value: share for value, (share, _) in found.items()} == {v: (i + 1) / 6 for i, v in enumerate(values)}
    # The same colour for what a plan reaches and for its widths, of which the best are drawn last.
    plans = [line.get_color() for line in widths.lines if line.get_linestyle() == "-"][:6]
    assert plans == [found[value][1] for value in values]
    plans = [replace(r, widths={**r.widths, "layer2": 32 + i}) for i, r in enumerate(task.landscape)]
    other = split_tasks([*(r for r in records if "landscape" not in r.arm), *plans])[0]
    ties = draw_landscape(other, styles).axes[2]
    assert [(bar.get_center()[0], bar.get_height()) for bar in ties.containers[0]] == [(1, pytest.approx(1))]
    assert [label.get_text() for label in ties.get_xticklabels()] == ["stem", "layer2", "layer10"]
    gap = draw_gap(task, styles).axes[0]
    assert any(np.allclose(line.get_xdata(), [64.3, 63.6, 64.6]) for line in gap.lines if len(line.get_xdata()) == 3)
    costs = draw_costs(task, styles)
    assert [axis.get_xlabel().split(",")[0] for axis in costs.axes] == [
        "FLOPs",
        "parameters",
        "activations",
        "training time",
    ]
    at = {line.get_label(): line.get_xdata() for line in costs.axes[0].lines}
    assert at["lwdna"] == [1.0]
