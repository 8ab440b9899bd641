import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lwdna_mm.errors import UserError
from lwdna_mm.suite.differences import Difference, seeds_needed
from lwdna_mm.suite.statistics import Task, split_tasks

from .made import make, make_arm


def task_of(*groups, **changes):
    """A task from (arm, values...) tuples."""
    return Task("50", [record for arm, *values in groups for record in make_arm(arm, *values, **changes)])


def test_interval_is_that_of_the_paired_t_test():
    ours, theirs = [24.3, 23.6, 25.0, 24.1], [19.9, 19.8, 20.5, 20.3]
    difference = task_of(("lwdna", *ours), ("uniform", *theirs)).compare("lwdna")
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert difference.interval == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert difference.corrected == difference.interval  # it is the only comparison
    assert difference.verdict == "ahead"


def test_intervals_are_those_of_the_two_way_layout():
    """Randomized blocks by hand: the error's variance from the residuals of all arms, each difference 2/n of it."""
    arms = {"baseline": [18.0, 18.4, 17.9], "uniform": [19.9, 19.8, 20.5], "lwdna": [24.3, 23.6, 25.2]}
    arms["narrow"] = [20.0, 19.5, 21.0]
    task = task_of(*((arm, *values) for arm, values in arms.items()), ("tilt", 22.6))
    y = np.array([*arms.values()])
    residuals = y - y.mean(1, keepdims=True) - y.mean(0) + y.mean()
    variance = (residuals**2).sum() / 6
    assert task.pool.freedom == 6  # tilt has one seed, which tells nothing of the error
    assert task.pool.deviation == pytest.approx(variance**0.5)
    primary, secondary = task.compare("lwdna"), task.compare("narrow")
    assert (primary.comparisons, primary.primary) == (1, True)
    # narrow, baseline and total; tilt cannot be told apart from anything.
    assert (secondary.comparisons, secondary.primary) == (3, False)
    for one, level in ((primary, 0.05), (secondary, 0.05 / 3)):
        half = stats.t.isf(level / 2, 6) * math.sqrt(2 * variance / 3)
        assert one.estimate == pytest.approx(np.mean(one.values))
        assert one.corrected == pytest.approx((one.estimate - half, one.estimate + half))
        assert one.deviation == pytest.approx(math.sqrt(2 * variance))
    assert task.compare("tilt").comparisons == 3


def test_primary_comparisons_are_corrected_among_themselves():
    tuned = [("uniform-tuned", 22.0, 22.4), ("lwdna-tuned", 23.0, 22.8)]
    task = task_of(("uniform", 19.9, 19.8), ("lwdna", 24.3, 23.6), ("narrow", 20.0, 20.2), *tuned)
    parts = task.parts()
    assert {name: (one.primary, one.comparisons) for name, one in parts.items()} == {
        "widths": (True, 2),
        "widths, both tuned": (True, 2),
    }
    # Of the arms minus uniform, narrow and the two tuned ones are left.
    assert (task.compare("narrow").primary, task.compare("narrow").comparisons) == (False, 3)
    assert task_of(("uniform", 19.9, 19.8), ("lwdna", 24.3, 23.6), tuned[0]).parts()["widths"].comparisons == 1


def test_widths_drawn_for_every_seed_have_a_variance_of_their_own():
    fixed = [("uniform", 19.9, 19.8, 20.1), ("lwdna", 24.3, 23.6, 25.2)]
    random = [21.2, 15.0, 26.0]
    task = task_of(*fixed, ("random", *random))
    assert task.pool == task_of(*fixed).pool
    expected = stats.ttest_rel(random, fixed[0][1:]).confidence_interval(0.95)
    assert task.compare("random").interval == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert task.compare("lwdna").interval == task_of(*fixed).compare("lwdna").interval
    assert task_of(("uniform", 20.1, 30.2), ("random", 10.1, 20.2)).compare("random").interval is None


@pytest.mark.parametrize("other", [dict(train_value=61.5), dict(train_loss=0.25)])
def test_an_equal_metric_makes_no_copy_of_a_run_that_trained_otherwise(other):
    """Coarse metrics are equal by chance."""
    runs = [make("uniform", 20.0, widths=None), make("narrow", 20.0, widths=None)]
    assert [*Task("50", runs).distinct.runs] == ["uniform"]
    assert [*Task("50", [runs[0], replace(runs[1], **other)]).distinct.runs] == ["uniform", "narrow"]


def test_an_arm_that_varies_more_is_judged_by_its_own_pairs():
    steady = [("uniform", 19.9, 19.8, 20.1), ("lwdna", 24.3, 23.6, 24.2), ("narrow", 18.1, 17.7, 18.0)]
    broken = [35.0, 36.2, 9.1]
    task, without = task_of(*steady, ("tilt", *broken)), task_of(*steady)
    assert task.pool.odd == ("tilt",)
    assert (task.pool.deviation, task.pool.freedom) == (without.pool.deviation, without.pool.freedom)
    assert task.compare("lwdna").interval == without.compare("lwdna").interval
    expected = stats.ttest_rel(broken, steady[0][1:]).confidence_interval(0.95)
    assert task.compare("tilt").interval == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_a_copy_of_an_arm_that_varies_more_is_judged_by_its_own_pairs():
    """Tuning that takes the config's own point repeats the runs, and what is known of them."""
    lwdna, uniform = ("lwdna", 20.0, 5.1, 20.1, 20.3), ("uniform", 20.2, 20.0, 20.4, 20.1)
    others = [(f"other{i}", *(20 + 0.1 * np.random.default_rng(i).normal(size=4))) for i in range(5)]
    task = task_of(lwdna, uniform, ("lwdna-tuned", *lwdna[1:]), ("uniform-tuned", *uniform[1:]), *others)
    assert task.pool.odd == ("lwdna",)
    plain, tuned = task.compare("lwdna"), task.compare("lwdna-tuned", "uniform-tuned")
    assert not plain.pooled
    assert plain.corrected == pytest.approx(tuned.corrected)
    assert task.freedom_per_seed == 5  # uniform and the five others


def test_by_hand():
    # Differences 4 and 5: mean 4.5, deviation 0.7071, t(0.975, 1) = 12.706: 4.5 +- 12.706 * 0.5.
    difference = task_of(("lwdna", 24.0, 26.0), ("uniform", 20.0, 21.0)).compare("lwdna")
    assert difference.values == (4.0, 5.0)
    assert difference.interval == pytest.approx((-1.853, 10.853), abs=1e-3)
    assert difference.verdict == "not told apart"
    # Two more arms without a residual of their own halve the variance of the error and give it 3 degrees of freedom:
    # residuals -1/8 and 1/8 (6 times), -3/8 and 3/8; their squares make 3/8; t(0.975, 3) = 3.1824.
    task = task_of(("lwdna", 24.0, 26.0), ("uniform", 20.0, 21.0), ("narrow", 7.0, 8.0), ("tilt", 8.0, 9.0))
    assert task.pool.deviation == pytest.approx(math.sqrt(3 / 8 / 3))
    half = 3.1824 * math.sqrt(1 / 8)
    assert task.compare("lwdna").interval == pytest.approx((4.5 - half, 4.5 + half), abs=1e-3)
    assert task.compare("lwdna").verdict == "ahead"


def test_only_common_seeds_are_paired():
    task = task_of(("lwdna", 24.0, None, 26.0), ("uniform", 20.0, 50.0, 21.0), ("random", None, None, None, 21.0))
    assert task.compare("lwdna").seeds == (0, 2)
    assert task.compare("random") is None
    assert task.compare("missing") is None


def test_one_seed_or_equal_differences_are_never_ahead():
    one = task_of(("lwdna", 60.0), ("uniform", 20.0)).compare("lwdna")
    assert (one.interval, one.corrected, one.verdict) == (None, None, "not told apart")
    equal = task_of(("lwdna", 20.1, 30.2), ("uniform", 10.1, 20.2)).compare("lwdna")
    assert (equal.deviation, equal.interval, equal.verdict) == (None, None, "not told apart")
    same = task_of(("lwdna", 20.1, 30.2), ("uniform", 20.1, 30.2)).compare("lwdna")
    assert (round(same.estimate, 9), same.interval, same.verdict) == (0, None, "not told apart")


@pytest.mark.parametrize(
    ("values", "is_error", "verdict"),
    [
        ((1.0, 1.1, 0.9), False, "ahead"),
        ((1.0, 1.1, 0.9), True, "behind"),
        ((-1.0, -1.1, -0.9), False, "behind"),
        ((-1.0, -1.1, -0.9), True, "ahead"),
        ((1.0, -1.1, 0.9), False, "not told apart"),
    ],
)
def test_verdict_knows_the_direction(values, is_error, verdict):
    error = 1 / math.sqrt(3)
    one = Difference("a", "b", (0, 1, 2), values, np.mean(values), np.std(values, ddof=1), error, 2, is_error)
    assert one.verdict == verdict


def test_errors_are_better_when_small():
    task = task_of(("lwdna", 0.1, 0.11, 0.12), ("uniform", 0.3, 0.312, 0.321), metric="MAE")
    assert task.compare("lwdna").verdict == "ahead"


def test_total_is_start_plus_widths():
    task = task_of(("baseline", 18.0, 18.2), ("uniform", 19.9, 19.8), ("lwdna", 24.3, 23.6), ("lwdna-fresh", 22.1))
    parts = task.parts()
    assert list(parts) == ["total", "start", "widths", "widths, fresh start"]
    assert parts["total"].estimate == pytest.approx(parts["start"].estimate + parts["widths"].estimate)
    assert parts["widths"].estimate == pytest.approx((4.4 + 3.8) / 2)
    # baseline - uniform and uniform - baseline are one comparison; the fresh one has one seed.
    assert (task.comparisons(primary=True), task.comparisons(primary=False)) == (1, 2)


def test_arms_with_their_own_initialisation_are_compared_with_the_baseline():
    task = task_of(("baseline", 18.0, 18.2), ("uniform", 19.9, 19.8), ("tilt-fresh", 19.0, 19.4))
    assert list(task.parts()) == ["start", "tilt-fresh's widths"]
    assert task.parts()["tilt-fresh's widths"].estimate == pytest.approx(1.1)


def test_total_is_start_plus_widths_with_any_gaps():
    task = task_of(("baseline", 18.0, None, 18.2, 17.0), ("uniform", 19.9, 19.8), ("lwdna", None, 23.6, 24.1, 23.9))
    start, widths, total = (task.parts()[name].estimate for name in ("start", "widths", "total"))
    assert total == pytest.approx(start + widths, abs=1e-9)


NAMES = ["uniform", "lwdna", "narrow", "tilt", "wider", "torch-pruning"]


def simulate(rng, arms, seeds, lost=0):
    """Runs of a task whose arm i is i better than uniform; ``lost`` runs are missing, never one of uniform's."""
    names = NAMES[:arms]
    runs = np.arange(arms)[:, None] + rng.normal(size=seeds) + 0.4 * rng.normal(size=(arms, seeds))
    gone = rng.choice(np.arange(seeds, arms * seeds), lost, replace=False)
    values = [None if i in gone else value for i, value in enumerate(runs.flat)]
    return [(name, *values[i * seeds : (i + 1) * seeds]) for i, name in enumerate(names)]


@pytest.mark.parametrize(("arms", "seeds", "lost"), [(6, 3, 0), (6, 3, 4), (5, 2, 0)])
def test_corrected_intervals_hold_all_true_differences_95_times_in_100(arms, seeds, lost):
    """All arms share the seeds of uniform, so that their differences are not independent."""
    rng, trials = np.random.default_rng(0), 400
    primary = secondary = alone = 0
    for _ in range(trials):
        task = task_of(*simulate(rng, arms, seeds, lost))
        told = [task.compare(name) for name in task.arms if name != "uniform"]
        told = [one for one in told if one is not None and one.interval is not None]
        right = {d.arm: d.corrected[0] <= NAMES.index(d.arm) <= d.corrected[1] for d in told}
        primary += right.pop("lwdna", True)
        secondary += all(right.values())
        alone += all(d.interval[0] <= NAMES.index(d.arm) <= d.interval[1] for d in told)
    error = math.sqrt(0.95 * 0.05 / trials)
    assert primary / trials == pytest.approx(0.95, abs=3 * error)
    assert secondary / trials > 0.95 - 2 * error
    assert alone / trials < 0.93  # which is why they are corrected


def test_intervals_hold_beside_an_arm_that_varies_more():
    """Whether or not the test finds it out; the other arms alone share the seeds of uniform."""
    rng, trials = np.random.default_rng(7), 200
    held, found = {"lwdna": 0, "tilt": 0}, 0
    for _ in range(trials):
        arms = {name: rng.normal(size=3) for name in ("uniform", "lwdna", "narrow", "wider", "chosen")}
        task = task_of(*((name, *values) for name, values in arms.items()), ("tilt", *(5 * rng.normal(size=3))))
        found += task.pool.odd == ("tilt",)
        for name in held:
            low, high = task.compare(name).interval
            held[name] += low <= 0 <= high
    assert found > trials / 2
    assert held["lwdna"] > 0.93 * trials
    assert held["tilt"] > 0.85 * trials  # where it is not found out it borrows from the others


def test_runs_that_are_another_one_over_again_count_once():
    arms = [
        make_arm("uniform", 20.0, 21.0, 22.5),
        make_arm("lwdna", 23.0, 22.0, 26.0),
        make_arm("tilt", 19.0, 23.0, 21.0),
    ]
    plain = split_tasks(record for arm in arms for record in arm)[0]
    # A search that has returned the even widths in each seed but the last.
    chosen = make_arm("profile", 20.0, 21.0, 24.0, widths=arms[0][0].widths)
    task = split_tasks(record for arm in [*arms, chosen] for record in arm)[0]
    assert task.pool.freedom == task.distinct.freedom == plain.pool.freedom == 4
    assert task.pool.deviation == pytest.approx(plain.pool.deviation)
    assert task.compare("profile").values == (0, 0, 1.5)
    assert task.compare("profile").estimate == pytest.approx(0.5)
    assert task.compare("lwdna").estimate == pytest.approx(plain.compare("lwdna").estimate)
    # Equal values of other widths are no copies.
    other = make_arm("profile", 20.0, 21.0, 24.0, widths={"stem": 1})
    assert split_tasks(record for arm in [*arms, other] for record in arm)[0].pool.freedom == 6


def test_sizes_share_a_pool():
    rng = np.random.default_rng(1)
    covered, trials = 0, 200
    for _ in range(trials):
        sizes = {"25": (2, 2), "50": (6, 3), "200": (5, 3), "400": (2, 2)}
        named = {task: simulate(rng, *shape) for task, shape in sizes.items()}
        tasks = split_tasks(
            record for task, arms in named.items() for arm, *runs in arms for record in make_arm(arm, *runs, task=task)
        )
        assert sum(task.distinct.freedom for task in tasks) == 1 + 10 + 8 + 1
        if not any(task.pool.alone or task.pool.odd for task in tasks):
            assert {task.pool.freedom for task in tasks} == {20}
        one = tasks[0].compare("lwdna")
        covered += one.corrected[0] <= 1 <= one.corrected[1]
    assert covered / trials == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / trials))


def test_only_sizes_of_one_metric_share_a_pool():
    values = [("uniform", 20.0, 20.5), ("lwdna", 21.0, 20.8)]
    arms = [("25", {}), ("50", {}), ("digits", {}), ("100", dict(metric="accuracy/top5"))]
    records = [make_arm(arm, *runs, task=task, **changes) for task, changes in arms for arm, *runs in values]
    pools = {task.name: task.pool.tasks for task in split_tasks(one for runs in records for one in runs)}
    assert pools == {"25": ("25", "50"), "50": ("25", "50"), "digits": ("digits",), "100": ("100",)}


@pytest.mark.parametrize(
    ("effect", "alpha", "count"), [(0.5, 0.05, 34), (0.8, 0.05, 15), (1.0, 0.05, 10), (0.2, 0.05, 199)]
)
def test_seeds_needed_as_in_textbooks(effect, alpha, count):
    """Cohen's tables, as G*Power gives them for two dependent means."""
    assert seeds_needed(1.0, effect, alpha=alpha) == count
    assert seeds_needed(3.0, 3 * effect, alpha=alpha) == count


@pytest.mark.parametrize("freedom", [1, 6])
def test_seeds_needed_keeps_its_promise(freedom):
    rng = np.random.default_rng(1)
    count = seeds_needed(0.4, alpha=0.05 / 8, freedom_per_seed=freedom)
    powers = []
    for n in (count, count - 1):
        means = rng.normal(0.5, 0.4 / math.sqrt(n), size=20_000)
        variances = 0.4**2 * rng.chisquare((n - 1) * freedom, size=20_000) / ((n - 1) * freedom)
        limit = stats.t.isf(0.05 / 8 / 2, (n - 1) * freedom)
        powers.append((np.abs(means) > limit * np.sqrt(variances / n)).mean())
    assert powers[0] > 0.79
    assert powers[1] < 0.81


def test_seeds_needed_at_the_ends():
    assert seeds_needed(0) == seeds_needed(1e-7) == 2
    assert seeds_needed(100) is None


def test_records_that_do_not_belong_together():
    with pytest.raises(UserError, match="50/lwdna seed 0 is there twice"):
        split_tasks([make(), make()])
    with pytest.raises(UserError, match=r"seed 1 has metric .* they cannot be compared"):
        split_tasks([make(), make(seed=1, metric="loss")])
    with pytest.raises(UserError, match="suites smoke, tiny"):
        split_tasks([make(), make(seed=1, suite="smoke")])


def test_tasks_are_sorted_by_size():
    records = [make(task=name) for name in ("200", "50", "digits", "100")]
    assert [task.name for task in split_tasks(records)] == ["50", "100", "200", "digits"]
    assert split_tasks([]) == []
    arms = ["random", "lwdna-tuned", "uniform-tuned", "lwdna", "baseline", "narrow", "uniform", "landscape-00"]
    task = Task("50", [make(arm) for arm in arms] + [make("uniform-tuned", stage="select", point={"a.lr": 0.1})])
    assert list(task.arms) == ["baseline", "uniform", "uniform-tuned", "lwdna", "lwdna-tuned", "narrow", "random"]
    assert len(task.landscape) == len(task.grid) == 1
