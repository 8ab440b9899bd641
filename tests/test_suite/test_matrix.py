import itertools
import json
from dataclasses import replace

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite.config import load_suite
from lwdna_mm.suite.matrix import Order, best_point, expand, only, resolve
from lwdna_mm.suite.records import Key, Record
from tests.suite_runs import SUITE, pretend, write_suite
from tests.test_suite.made import make


@pytest.fixture
def suite(tmp_path):
    return load_suite(write_suite(tmp_path))


def do_all(suite):
    done, orders = {}, {}
    for run in expand(suite):
        orders[run.key] = resolve(suite, run, done)
        done[run.key] = pretend(orders[run.key])
    return done, orders


def test_first_seeds_first_and_tuning_last(suite):
    assert [str(run.key) for run in expand(suite)] == [
        "small/baseline seed 0",
        "small/lwdna seed 0",
        "small/landscape-00 seed 0",
        "small/narrow seed 0",
        "small/baseline seed 1",
        "small/lwdna seed 1",
        "small/landscape-01 seed 0",
        "small/lwdna-tuned seed 0 (lr=0.1)",
        "small/lwdna-tuned seed 0 (lr=0.3)",
        "small/lwdna-tuned seed 0",
        "small/lwdna-tuned seed 1",
        "large/uniform seed 0",
    ]


def test_a_baseline_has_no_section_to_change(suite):
    _, orders = do_all(suite)
    assert orders[Key("small", "baseline", 0)].options == {"lwdna": None}
    assert orders[Key("small", "lwdna", 0)].options == {"lwdna.shrink.min_ratio": 0.2}


@pytest.mark.parametrize("own", [{}, {"lwdna.budget": dict(flops=0.5, acts=0.9)}, {"lwdna.budget.flops": 0.5}])
def test_equal_cost_takes_the_place_of_other_budgets(tmp_path, own):
    text = SUITE.replace('equal=dict(params="lwdna")', f'equal=dict(params="lwdna"), options={own}')
    _, orders = do_all(load_suite(write_suite(tmp_path, text)))
    options = orders[Key("small", "narrow", 0)].options
    assert {name: value for name, value in options.items() if "budget" in name} == {
        "lwdna.budget": dict(flops=None, params=0.26, acts=None)
    }


def test_widths_of_another_arm_are_those_of_the_same_seed(tmp_path):
    suite = load_suite(write_suite(tmp_path, SUITE.replace('equal=dict(params="lwdna")', 'widths="lwdna"')))
    run = next(run for run in expand(suite) if run.key == Key("small", "narrow", 0))
    assert run.needs == (Key("small", "lwdna", 0),)
    record = make("lwdna", 50.0)
    order = resolve(suite, run, {run.needs[0]: replace(record, widths={"a.b": 3})})
    assert order.options["lwdna.shrink.criterion"] == dict(type="WidthsCriterion", widths={"a.b": 3}, grow=False)
    assert order.options["lwdna.shrink.min_ratio"] == 0.0
    assert order.options["lwdna.shrink.divisor"] == 1
    # Records of suites in which last layers may grow keep their specification.
    grown = replace(record, widths={"a.b": 3}, options={"lwdna.shrink.grow_last": True})
    order = resolve(suite, run, {run.needs[0]: grown})
    assert order.options == {
        "lwdna.shrink.criterion": dict(type="WidthsCriterion", widths={"a.b": 3}),
        "lwdna.shrink.min_ratio": 0.0,
    }
    with pytest.raises(UserError, match="small/narrow seed 0 is to have the widths of 'lwdna', which has no plan"):
        resolve(suite, run, {run.needs[0]: replace(record, widths=None)})


def test_what_varies_is_not_the_seed_of_the_training(suite):
    _, orders = do_all(suite)
    assert orders[Key("small", "landscape-01", 0)].options["lwdna.shrink.criterion.seed"] == 1


def test_tuning_holds_out_and_then_takes_the_best_for_all_seeds(suite):
    done, orders = do_all(suite)
    tried = [key for key in done if key.stage == "select"]
    assert [done[key].point for key in tried] == [{"optim_wrapper.optimizer.lr": lr} for lr in (0.1, 0.3)]
    assert all("select.share" in orders[key].options for key in tried)
    for seed in (0, 1):
        order = orders[Key("small", "lwdna-tuned", seed)]
        assert order.options["optim_wrapper.optimizer.lr"] == 0.3
        assert order.point == {"optim_wrapper.optimizer.lr": 0.3}
        assert "select.share" not in order.options


def test_a_point_that_diverges_is_the_worst():
    key = Key("50", "lwdna-tuned", 0)
    tried = [make("lwdna-tuned", value, point={"lr": lr}, stage="select") for lr, value in ((0.3, None), (0.1, 2.0))]
    assert best_point(key, tried) == {"lr": 0.1}
    less = [replace(record, metric="loss") for record in tried]
    assert best_point(key, less) == {"lr": 0.1}
    with pytest.raises(UserError, match="50/lwdna-tuned seed 0: all points of its grid have diverged"):
        best_point(key, tried[:1])


def test_a_point_counts_by_the_mean_of_its_seeds(tmp_path):
    suite = load_suite(write_suite(tmp_path, SUITE.replace("size=10,", "size=10, grid_seeds=2,")))
    tuned = [run for run in expand(suite) if run.arm.name == "lwdna-tuned"]
    assert [str(run.key) for run in tuned] == [
        "small/lwdna-tuned seed 0 (lr=0.1)",
        "small/lwdna-tuned seed 0 (lr=0.3)",
        "small/lwdna-tuned seed 1 (lr=0.1)",
        "small/lwdna-tuned seed 1 (lr=0.3)",
        "small/lwdna-tuned seed 0",
        "small/lwdna-tuned seed 1",
    ]
    assert all(len(run.needs) == 4 for run in tuned[4:])
    text = SUITE.replace("size=10,", "size=10, grid_seeds=3,").replace("tuned=True", "tuned=True, grid_seeds=2")
    assert [run.key for run in expand(load_suite(write_suite(tmp_path, text)))] == [run.key for run in expand(suite)]
    values = {(0.1, 0): 30.0, (0.3, 0): 31.0, (0.1, 1): 33.0, (0.3, 1): 31.0}
    key = tuned[4].key
    tried = [
        make("lwdna-tuned", value, seed=seed, point={"lr": lr}, stage="select") for (lr, seed), value in values.items()
    ]
    assert best_point(key, tried) == {"lr": 0.1}
    assert best_point(key, [replace(record, metric="loss") for record in tried]) == {"lr": 0.3}
    # One that diverges takes its point out.
    assert best_point(key, [*tried[:2], replace(tried[2], value=None), tried[3]]) == {"lr": 0.3}


def test_what_a_run_needs_comes_before_it_whatever_needs_what(tmp_path):
    """A tuned arm that follows a tuned one needs its second seed for the second seed of its grid."""
    follows = 'equal=dict(params="lwdna-tuned"), tuned=True'
    text = SUITE.replace('equal=dict(params="lwdna")', follows).replace('"narrow": 1', '"narrow": 2')
    suite = load_suite(write_suite(tmp_path, "grid_seeds = 2\n" + text))
    seen = set()
    for run in expand(suite):
        assert seen.issuperset(run.needs)
        seen.add(run.key)
    do_all(suite)


def test_values_of_a_grid_are_those_that_come_back_as_json(tmp_path):
    text = SUITE.replace('"optim_wrapper.optimizer.lr": [0.1, 0.3]', '"optim_wrapper.optimizer.betas": [(0.9, 0.99)]')
    done, orders = do_all(load_suite(write_suite(tmp_path, text)))
    assert any(key.point for key in orders)
    for key, record in done.items():
        assert Record.from_dict(json.loads(json.dumps(record.to_dict()))).key == key


def test_orders_travel_as_json(suite):
    _, orders = do_all(suite)
    for order in orders.values():
        back = Order.from_dict(json.loads(json.dumps(order.to_dict())))
        assert back == order
        assert back.spec == order.spec
    assert len({order.folder for order in orders.values()}) == len(orders)


def test_precision_is_part_of_the_specification(suite):
    _, orders = do_all(suite)
    order = orders[Key("small", "lwdna", 0)]
    assert replace(order, amp=not order.amp).spec != order.spec


def test_only_what_is_wanted_and_what_it_needs(suite):
    runs = expand(suite)
    assert [str(run.key) for run in only(runs, ["small/narrow"])] == ["small/lwdna seed 0", "small/narrow seed 0"]
    assert len(only(runs, ["small/lwdna-tuned", "large"])) == 5
    assert [run.key.arm for run in only(runs, ["small/landscape"])] == ["landscape-00", "landscape-01"]
    assert [run.key.arm for run in only(runs, ["small/landscape-01"])] == ["landscape-01"]
    with pytest.raises(UserError, match="--only small/narow: did you mean 'small/narrow'"):
        only(runs, ["small/narow"])


def test_a_task_may_have_a_metric_a_grid_and_a_precision_of_its_own(tmp_path):
    own = 'metric="Set5/PSNR", grid={"optim_wrapper.optimizer.lr": [1e-4, 3e-4, 1e-3]}, amp=True, size=10,'
    suite = load_suite(write_suite(tmp_path, SUITE.replace("size=10,", own)))
    _, orders = do_all(suite)
    assert {order.metric for key, order in orders.items() if key.task == "small"} == {"Set5/PSNR"}
    assert {order.amp for key, order in orders.items() if key.task == "small"} == {True}
    assert orders[Key("large", "uniform", 0)].metric == "accuracy/top1"
    assert not orders[Key("large", "uniform", 0)].amp
    points = [order.point for key, order in orders.items() if key.stage == "select"]
    assert points == [{"optim_wrapper.optimizer.lr": lr} for lr in (1e-4, 3e-4, 1e-3)]


def test_an_arm_may_have_a_grid_of_its_own(tmp_path):
    options = {"lwdna.shrink.min_ratio": [0.1, 0.4], "lwdna.shrink.policy": ["threshold", "density"]}
    suite = load_suite(write_suite(tmp_path, SUITE.replace("tuned=True", f"tuned=True, grid={options}")))
    _, orders = do_all(suite)
    points = [order.point for key, order in orders.items() if key.stage == "select"]
    assert points == [dict(zip(options, pair, strict=True)) for pair in itertools.product(*options.values())]
    chosen = orders[Key("small", "lwdna-tuned", 1)]
    assert chosen.point in points
    assert chosen.options.items() >= chosen.point.items()


def test_an_arm_may_take_the_point_that_is_best_for_another(tmp_path):
    follows = 'arms["a-tuned"] = dict(tuned="lwdna-tuned")\n'
    # In front, so that the order of the arms is not that of the runs.
    suite = load_suite(write_suite(tmp_path, SUITE.replace('"baseline": 2', '"a-tuned": 2, "baseline": 2') + follows))
    _, orders = do_all(suite)
    assert {key.arm for key in orders if key.stage == "select"} == {"lwdna-tuned"}
    assert [orders[Key("small", "a-tuned", seed)].point for seed in (0, 1)] == [{"optim_wrapper.optimizer.lr": 0.3}] * 2
    needed = [str(run.key) for run in only(expand(suite), ["small/a-tuned"])]
    assert len(needed) == 2 + 2
    assert needed[-1] == "small/a-tuned seed 1"
