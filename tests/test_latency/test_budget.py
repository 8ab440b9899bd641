"""Found with the model, then measured: with clocks that tell what a test wants them to."""

import numpy as np
import pytest
import torch

from lwdna_mm.channels import ChannelPlan, resize
from lwdna_mm.engine import shrink
from lwdna_mm.errors import UserError
from lwdna_mm.latency import LatencyBudget, LatencyError, Workload, budget
from lwdna_mm.models.trace import trace
from lwdna_mm.shrink import BudgetError, UniformCriterion, search
from tests.digits_runs import tiny_config
from tests.test_latency.profiles import digits, profile_of

OPTIONS = dict(input_shape=[[1, 8, 8]])


@pytest.fixture
def found(monkeypatch):
    """A budget for the digits network, and the searches made with it, of the twice widened network."""
    network, graph = digits()
    wide = resize(network, graph, graph.scaled(2.0))
    wide_graph = trace(wide, OPTIONS)
    limits_seen = []

    def find(latency: LatencyBudget):
        def find_plan(limits):
            limits_seen.append([limit for _, limit in limits.values()])
            return search(wide_graph, UniformCriterion().scores(wide_graph), min_ratio=0.1, measures=limits)

        return latency.find(find_plan, lambda plan: resize(wide, wide_graph, plan))

    def make(ratio: float, *times: float):
        """A budget whose measurements of the plan are ``times``, one a try."""
        answers = iter(times)

        def clock(steps, setting, turns, seconds):
            assert len(steps) == 2
            return np.tile([1.0, next(answers)], (turns, 1))

        monkeypatch.setattr(budget, "time_in_turns", clock)
        return LatencyBudget(profile_of(graph), ratio, network, ((1, 8, 8),), "l.json")

    return find, make, limits_seen


def test_a_plan_as_fast_as_predicted_is_taken(found):
    find, make, seen = found
    plan, told = find(make(0.8, 0.805))  # within noise
    assert told["tries"] == 1
    assert 0.75 < told["predicted"]["batch 1"] <= 0.8
    assert told["measured"] == {"batch 1": 0.805}
    assert digits()[1].flops() > trace(resize(*digits(), ChannelPlan(plan.widths)), OPTIONS).flops()
    assert seen == [[0.8]]


def test_a_slow_plan_is_tightened(found):
    find, make, seen = found
    _, told = find(make(1.0, 1.25, 1.02, 1.0))
    assert told["tries"] == 3
    assert seen[0] == [1.0]
    assert seen[1][0] == pytest.approx(1 / 1.25, rel=0.02)
    assert seen[2][0] < seen[1][0]
    assert told["predicted"]["batch 1"] <= seen[2][0]


def test_a_fast_plan_is_loosened(found):
    find, make, seen = found
    _, told = find(make(0.7, 0.5, 0.72, 0.69))  # too fast, too slow, right
    assert told["tries"] == 3
    assert told["measured"] == {"batch 1": 0.69}
    assert seen[1][0] == pytest.approx(0.7 * 0.7 / 0.5, rel=0.05)
    assert seen[0][0] < seen[2][0] < seen[1][0]


def test_a_fast_plan_is_kept_where_a_slower_one_is_too_slow(found):
    find, make, _ = found
    _, told = find(make(0.7, 0.65, 0.75, 0.75, 0.75, 0.75))
    assert told["measured"] == {"batch 1": 0.65}


def test_limits_that_do_not_bind_end_the_search(found):
    find, make, seen = found
    _, told = find(make(9.0, 4.0, 4.0))  # all channels, whatever the limit
    assert told["measured"] == {"batch 1": 4.0}
    assert len(seen) == 2


def test_what_stays_slow_is_an_error(found):
    find, make, _ = found
    with pytest.raises(LatencyError, match=r"l\.json: after 5 tries .* 1\.100 times the baseline's time, not 1"):
        find(make(1.0, *[1.1] * 5))


def test_floors_that_are_too_slow_are_told(found):
    find, make, _ = found
    with pytest.raises(BudgetError, match=r"of 0\.1 times the baseline's time \(batch 1\) .* floors alone cost 0\.2"):
        find(make(0.1))


def test_from_a_config(tmp_path, monkeypatch):
    graph = digits()[1]
    workloads = (Workload(1), Workload(4, train=True))
    profile_of(graph, workloads, threads=torch.get_num_threads()).write(tmp_path / "latency.json")
    monkeypatch.setattr(budget, "time_in_turns", lambda steps, setting, turns, seconds: np.ones((turns, 2)))
    limit = dict(file=str(tmp_path / "latency.json"), ratio=0.9)
    cfg = tiny_config(tmp_path, lwdna__budget=dict(flops=1.0, latency=limit), lwdna__shrink__min_ratio=0.2)
    with pytest.raises(LatencyError):  # 1.0 is measured, 0.9 asked for
        shrink(cfg, tmp_path / "plan.json")
    monkeypatch.setattr(budget, "time_in_turns", lambda steps, setting, turns, seconds: np.tile([1.0, 0.9], (turns, 1)))
    cfg = tiny_config(tmp_path, lwdna__budget=dict(flops=1.0, latency=limit), lwdna__shrink__min_ratio=0.2)
    meta = shrink(cfg, tmp_path / "plan.json").meta
    assert meta["budget"] == dict(flops=1.0, latency=dict(limit, dtype="fp32"))
    assert meta["flops"] <= meta["baseline"]["flops"]
    assert meta["latency"]["measured"] == {"batch 1": 0.9, "batch 4, training": 0.9}
    assert max(meta["latency"]["predicted"].values()) <= 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(threads=77), r"latency\.json was measured with threads 77, here it is"),
        (dict(dtype="bf16"), "measured with dtype 'bf16', here it is 'fp32'"),
        (dict(channels_last=True), "measured with channels_last True"),
    ],
)
def test_a_config_refuses_times_of_another_setting(tmp_path, change, message):
    profile_of(digits()[1], **change).write(tmp_path / "latency.json")
    cfg = tiny_config(tmp_path, lwdna__budget=dict(flops=1.0, latency=str(tmp_path / "latency.json")))
    with pytest.raises(UserError, match=message):
        shrink(cfg, tmp_path / "plan.json")


def test_a_config_refuses_times_of_other_plans_or_inputs(tmp_path):
    path = tmp_path / "latency.json"
    profile_of(digits()[1]).write(path)
    for change, message in (
        (dict(lwdna__shrink__divisor=8), r"measured with lwdna.shrink.divisor 1, the config has 8"),
        (
            dict(lwdna__input_shape=(1, 16, 16)),
            r"measured with inputs \[\[1, 8, 8\]\], the config has \[\[1, 16, 16\]\]",
        ),
    ):
        with pytest.raises(UserError, match=message):
            shrink(tiny_config(tmp_path, lwdna__budget=dict(latency=str(path)), **change), tmp_path / "plan.json")


def test_a_config_refuses_times_of_another_network(tmp_path):
    profile_of(digits()[1]).write(tmp_path / "latency.json")
    options = dict(model__backbone__depth=14, lwdna__budget=dict(latency=str(tmp_path / "latency.json")))
    with pytest.raises(UserError, match="measured on another network"):
        shrink(tiny_config(tmp_path, **options), tmp_path / "plan.json")
