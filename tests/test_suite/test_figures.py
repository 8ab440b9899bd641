from dataclasses import replace

import numpy as np
import pytest

from lwdna_mm.suite.drawing import styles_of
from lwdna_mm.suite.figures import draw_gain_by_size, draw_metric_by_size
from lwdna_mm.suite.landscape_figures import draw_landscape
from lwdna_mm.suite.panels import draw_panels
from lwdna_mm.suite.statistics import split_tasks
from lwdna_mm.suite.task_figures import draw_costs, draw_forest, draw_gap, draw_widths

from .made import make, make_arm


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


def test_main_figure_has_controls_minus_the_uniform_of_their_protocol():
    values = {"uniform": 20.0, "tilt": 21.0, "uniform-decayed": 26.0, "tilt-decayed": 28.0, "tilt-fresh": 19.0}
    tasks = split_tasks([record for arm, value in values.items() for record in make_arm(arm, value, value + 0.5)])
    axis = draw_gain_by_size(tasks, styles_of(tasks)).axes[0]
    legend = [line.get_label() for line in axis.lines if not line.get_label().startswith("_")]
    assert legend == ["tilt - uniform", "tilt-decayed - uniform-decayed"]
    assert {tasks[0].gains()["tilt-decayed"].estimate} in [set(line.get_ydata()) for line in axis.lines]


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
