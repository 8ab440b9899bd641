import math

import numpy as np
import pytest
from scipy import stats

from lwdna_mm.errors import UserError
from lwdna_mm.suite.landscape import compare_spreads, place, seed_squares
from lwdna_mm.suite.statistics import Difference, Task, seeds_needed, split_tasks

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


def test_bonferroni_is_the_t_test_at_a_smaller_level():
    arms = {"uniform": [19.9, 19.8, 20.5], "random": [21.2, 20.0, 20.9], "narrow": [20.0, 19.5, 21.0]}
    arms["lwdna"] = [24.3, 23.6, 25.2]
    task = task_of(*((arm, *values) for arm, values in arms.items()), ("tilt", 22.6))
    assert task.comparisons == 3  # tilt has one seed, so that it can be told apart from nothing
    expected = stats.ttest_rel(arms["lwdna"], arms["uniform"]).confidence_interval(1 - 0.05 / 3)
    assert task.compare("lwdna").corrected == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert task.compare("tilt").comparisons == 3


def test_by_hand():
    # Differences 4 and 5: mean 4.5, deviation 0.7071, t(0.975, 1) = 12.706: 4.5 +- 12.706 * 0.5.
    difference = task_of(("lwdna", 24.0, 26.0), ("uniform", 20.0, 21.0)).compare("lwdna")
    assert difference.values == (4.0, 5.0)
    assert difference.interval == pytest.approx((-1.853, 10.853), abs=1e-3)
    assert difference.verdict == "not told apart"


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
    assert (same.mean, same.interval, same.verdict) == (0, None, "not told apart")


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
    assert Difference("a", "b", (0, 1, 2), values, is_error).verdict == verdict


def test_errors_are_better_when_small():
    task = task_of(("lwdna", 0.1, 0.11, 0.12), ("uniform", 0.3, 0.312, 0.321), metric="MAE")
    assert task.compare("lwdna").verdict == "ahead"


def test_total_is_start_plus_widths():
    task = task_of(("baseline", 18.0, 18.2), ("uniform", 19.9, 19.8), ("lwdna", 24.3, 23.6), ("lwdna-fresh", 22.1))
    parts = task.parts()
    assert list(parts) == ["total", "start", "widths", "widths, fresh start"]
    assert parts["total"].mean == pytest.approx(parts["start"].mean + parts["widths"].mean)
    assert parts["widths"].mean == pytest.approx((4.4 + 3.8) / 2)
    assert parts["widths, fresh start"].mean == pytest.approx(22.1 - 18.0)
    # baseline - uniform and uniform - baseline are one comparison; the fresh one has one seed.
    assert task.comparisons == 3


@pytest.mark.parametrize(("count", "arms"), [(3, 6), (2, 3)])
def test_corrected_intervals_hold_all_true_differences_95_times_in_100(count, arms):
    """All arms share the seeds of uniform, so that their differences are not independent."""
    rng = np.random.default_rng(0)
    truth, held, alone, trials = np.arange(arms), 0, 0, 400
    for _ in range(trials):
        runs = truth[:, None] + rng.normal(size=count) + 0.4 * rng.normal(size=(arms, count))
        named = [("uniform", *runs[0]), *((f"arm{i}", *runs[i]) for i in range(1, arms))]
        differences = [task_of(*named).compare(f"arm{i}") for i in range(1, arms)]
        held += all(d.corrected[0] <= truth[i] <= d.corrected[1] for i, d in enumerate(differences, 1))
        alone += all(d.interval[0] <= truth[i] <= d.interval[1] for i, d in enumerate(differences, 1))
    assert held / trials > 0.95 - 2 * math.sqrt(0.95 * 0.05 / trials)
    assert alone / trials < 0.93  # which is why they are corrected


@pytest.mark.parametrize(
    ("effect", "alpha", "count"), [(0.5, 0.05, 34), (0.8, 0.05, 15), (1.0, 0.05, 10), (0.2, 0.05, 199)]
)
def test_seeds_needed_as_in_textbooks(effect, alpha, count):
    """Cohen's tables, as G*Power gives them for two dependent means."""
    assert seeds_needed(1.0, effect, alpha=alpha) == count
    assert seeds_needed(3.0, 3 * effect, alpha=alpha) == count


def test_seeds_needed_keeps_its_promise():
    rng = np.random.default_rng(1)
    count = seeds_needed(0.4, alpha=0.05 / 8)
    powers = []
    for n in (count, count - 1):
        draws = rng.normal(0.5, 0.4, size=(n, 20_000))
        powers.append((stats.ttest_1samp(draws, 0).pvalue < 0.05 / 8).mean())
    assert powers[0] > 0.79
    assert powers[1] < 0.81


def test_seeds_needed_at_the_ends():
    assert seeds_needed(0) == seeds_needed(1e-7) == 2
    assert seeds_needed(100) is None


def landscape(*values, seed=0):
    return [make(f"landscape-{i:02d}", value, seed) for i, value in enumerate(values)]


def test_place_among_random_plans():
    task = Task("50", [*landscape(*range(20)), *make_arm("lwdna", 17.5, 0.0, 0.0)])
    found = place(task)
    assert (found.value, found.beaten, found.count) == (17.5, 18, 20)  # of the seed that the plans have
    assert found.interval == pytest.approx((0.6830, 0.9877), abs=1e-4)  # Clopper and Pearson's table
    task = Task("50", [*landscape(*range(20), seed=5), *make_arm("lwdna", 2.0, 3.0, metric="accuracy/top1")])
    assert (place(task).value, place(task).beaten) == (2.5, 3)
    errors = Task("50", [make("landscape-00", 1.0, metric="loss"), make("lwdna", 0.5, metric="loss")])
    assert place(errors).beaten == 1
    assert place(Task("50", landscape(1, 2))) is None
    assert place(Task("50", [make()])) is None


def test_spread_of_plans_against_that_of_seeds():
    fixed = [*make_arm("uniform", 19.0, 20.0, 21.0), *make_arm("baseline", 18.0, 19.0), make("tilt", 3.0)]
    moving = [make("lwdna", 10.0 * seed, seed, widths={"stem": seed}) for seed in range(3)]
    task = Task("50", [*landscape(10, 20, 30, 40), *fixed, *moving])
    assert seed_squares(task) == (3, pytest.approx(2.0 + 0.5))  # lwdna has other widths at every seed
    spread = compare_spreads(task)
    assert spread.ratio == pytest.approx(np.var([10, 20, 30, 40], ddof=1) / (2.5 / 3))
    # The interval holds 1 exactly when the F test at 5 % would not reject.
    for scale in (0.05, 0.2, 1.0):
        scaled = compare_spreads(Task("50", [*landscape(*(scale * v for v in (10, 20, 30, 40))), *fixed]))
        p = 2 * min(stats.f.sf(scaled.ratio, 3, 3), stats.f.cdf(scaled.ratio, 3, 3))
        assert (scaled.interval[0] <= 1 <= scaled.interval[1]) == (p >= 0.05)
        assert scaled.matters == (p < 0.05)
    assert compare_spreads(Task("50", [*landscape(10, 20), make("uniform")])) is None
    assert compare_spreads(Task("50", fixed)) is None


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
