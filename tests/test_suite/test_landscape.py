"""What a landscape of random plans says: an arm's place in it, its spread, and whose widths go with the result."""

import itertools

import numpy as np
import pytest
from scipy import stats

from lwdna_mm.suite.drawing import styles_of
from lwdna_mm.suite.landscape import compare_spreads, lead, place, tie_widths
from lwdna_mm.suite.landscape_figures import draw_landscape
from lwdna_mm.suite.statistics import Task
from lwdna_mm.suite.tables import landscape_blocks

from .made import make, make_arm


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


def test_plans_of_another_machine_are_counted():
    plans = landscape(*range(4))
    plans[1:3] = [make(f"landscape-{i:02d}", i, machine="Xeon") for i in (1, 2)]
    task = Task("50", [*plans, *make_arm("lwdna", 2.5, 2.5), *make_arm("uniform", 1.5, 2.0)])
    assert (place(task).across, place(task, "uniform").across) == (2, 2)
    text = " ".join(block.text for block in landscape_blocks(task))
    assert "(2 of 4 from another machine)" in text
    assert place(Task("50", [*landscape(1, 2), make("lwdna", 1.0)])).across == 0


def test_spread_of_plans_against_the_error():
    fixed = [*make_arm("uniform", 19.0, 20.0, 21.5), *make_arm("baseline", 18.0, 19.2, 20.0)]
    task = Task("50", [*landscape(10, 20, 30, 40), *fixed, *make_arm("random", 3.0, 30.0, 300.0)])
    error = np.var([1.0, 0.8, 1.5], ddof=1) / 2  # half the variance of the paired differences
    spread = compare_spreads(task)
    assert (spread.error, spread.freedom) == (pytest.approx(error**0.5), 2)
    assert spread.ratio == pytest.approx(np.var([10, 20, 30, 40], ddof=1) / error)
    # The interval holds 1 exactly when the F test at 5 % would not reject.
    for scale in (0.001, 0.05, 0.2, 1.0):
        scaled = compare_spreads(Task("50", [*landscape(*(scale * v for v in (10, 20, 30, 40))), *fixed]))
        p = 2 * min(stats.f.sf(scaled.ratio, 3, 2), stats.f.cdf(scaled.ratio, 3, 2))
        assert (scaled.interval[0] <= 1 <= scaled.interval[1]) == (p >= 0.05)
        assert scaled.matters == (p < 0.05 and scaled.ratio > 1)
    assert compare_spreads(Task("50", [*landscape(10, 20), make("uniform")])) is None
    assert compare_spreads(Task("50", fixed)) is None


@pytest.mark.parametrize(("plans", "critical"), [(1, 1.72), (2, 2.03), (5, 2.39), (9, 2.60)])
def test_lead_of_the_best_plan(plans, critical):
    """Dunnett's table (1955), one-sided, 5 %, 20 degrees of freedom."""
    noise = np.random.default_rng(5).normal(20, 1, (2, 21))
    fixed = [*make_arm("uniform", *noise[0]), *make_arm("baseline", *noise[1])]
    error = Task("50", fixed).pool.deviation
    by = critical * 2**0.5 * error
    rest = [noise[0][0] - 3.0] * (plans - 1)
    found = lead(Task("50", [*landscape(noise[0][0] + by, *rest), *fixed]))
    assert (found.value, found.deviations) == (pytest.approx(by), pytest.approx(critical * 2**0.5))
    assert found.probability == pytest.approx(0.05, abs=0.003)
    assert lead(Task("50", [*landscape(noise[0][0] + 1.2 * by, *rest), *fixed])).told
    assert not lead(Task("50", [*landscape(noise[0][0] + 0.8 * by, *rest), *fixed])).told


def test_no_lead_without_uniform_of_the_plans_seed():
    fixed = [*make_arm("uniform", 19.0, 20.0, 21.5), *make_arm("baseline", 18.0, 19.2, 20.0)]
    assert lead(Task("50", [*landscape(20.0, 21.0, seed=5), *fixed])) is None
    assert lead(Task("50", [*landscape(20.0, 21.0), make("uniform")])) is None
    assert lead(Task("50", fixed)) is None
    errors = [make(r.arm, r.value, r.seed, metric="loss") for r in [*landscape(18.0, 21.0), *fixed]]
    assert lead(Task("50", errors)).value == pytest.approx(1.0)


def test_no_lead_over_a_uniform_that_varies_more_than_the_pool():
    rng = np.random.default_rng(0)
    arms = [record for i in range(6) for record in make_arm(f"arm{i}", *rng.normal(20, 0.2, 3))]
    plans = landscape(*rng.normal(20, 0.2, 12))
    odd = Task("50", [*plans, *arms, *make_arm("uniform", 5.0, 20.0, 35.0)])
    assert odd.pool.odd == ("uniform",)
    assert lead(odd) is None
    assert not any("something to win" in block.text for block in landscape_blocks(odd))
    even = Task("50", [*plans, *arms, *make_arm("uniform", 20.1, 19.9, 20.0)])
    assert lead(even) is not None
    for task, shaded in ((odd, False), (even, True)):
        axes = draw_landscape(task, styles_of([task])).axes
        labels = [label for axis in axes for label in axis.get_legend_handles_labels()[1]]
        assert ("± one deviation of the error" in labels) == shaded


def test_groups_whose_widths_go_with_the_result():
    widths = {"stem": [8, 16, 24, 32, 40], "body": [30, 9, 30, 12, 20], "frozen": [7] * 5}
    values = [1.0, 2.0, 3.5, 3.0, 9.0]
    plans = landscape(*values)
    for i, plan in enumerate(plans):
        plans[i] = make(plan.arm, plan.value, widths={name: given[i] for name, given in widths.items()})
    ties = tie_widths(Task("50", plans))
    assert list(ties.correlations) == ["stem", "body"]
    for name, found in ties.correlations.items():
        assert found == pytest.approx(stats.spearmanr(widths[name], values).statistic)
    # Against all 120 orders that the results can have.
    orders = [
        [abs(stats.spearmanr(widths[n], o).statistic) for n in widths if n != "frozen"]
        for o in itertools.permutations(values)
    ]
    largest = np.max(orders, axis=1)
    assert ties.strongest == "stem"
    assert ties.probability == pytest.approx(np.mean(largest >= ties.correlations["stem"] - 1e-9), abs=0.01)
    assert (ties.alone, ties.corrected) == pytest.approx(
        (np.quantile(orders, 0.95), np.quantile(largest, 0.95)), abs=0.01
    )
    assert not ties.told
    errors = tie_widths(Task("50", [make(p.arm, p.value, widths=p.widths, metric="loss") for p in plans]))
    assert errors.correlations["stem"] == -ties.correlations["stem"]
    assert tie_widths(Task("50", landscape(1, 2, 3))) is None  # all of one width
    assert tie_widths(Task("50", [make(p.arm, 20.0, widths=p.widths) for p in plans])) is None
    assert tie_widths(Task("50", [plans[0], make("landscape-01", 3.0, widths=None)])) is None
    assert tie_widths(Task("50", [make()])) is None


def test_a_group_that_decides_is_told_and_chance_is_not():
    generator = np.random.default_rng(1)
    told = []
    for effect in (1.0, *[0.0] * 40):
        widths = generator.integers(8, 64, (12, 6))
        values = effect * widths[:, 4] + generator.normal(0, 3, 12)
        plans = [
            make(f"landscape-{i:02d}", v, widths=dict(zip("abcdef", w.tolist(), strict=True)))
            for i, (v, w) in enumerate(zip(values, widths, strict=True))
        ]
        ties = tie_widths(Task("50", plans), draws=1000)
        told.append(ties.told)
        if effect:
            assert (ties.strongest, ties.told) == ("e", True)
    assert sum(told[1:]) <= 6  # 2 of 40 are expected
