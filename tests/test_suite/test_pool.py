import numpy as np
import pytest
from scipy import stats

from lwdna_mm.suite.pool import Layout, find_odd_arm, make_pools


def layout(*arms):
    """A layout from lists of values, seed by seed; None leaves a run out."""
    return Layout({f"a{i}": {seed: v for seed, v in enumerate(arm) if v is not None} for i, arm in enumerate(arms)})


def test_two_way_anova_of_a_textbook():
    """Montgomery, Design and Analysis of Experiments: four tips of a hardness tester (arms) on four coupons (seeds).

    In units of 0.1 about 9.5; his table has an error of 8.00 with 9 degrees of freedom.
    """
    tips = layout([-2, -1, 1, 5], [-1, -2, 3, 4], [-3, -1, 0, 2], [2, 1, 5, 7])
    assert (tips.squares, tips.freedom) == (pytest.approx(8.0), 9)
    difference, error = tips.contrast("a3", "a0")
    assert (difference, error) == (pytest.approx(3.0), pytest.approx((2 / 4) ** 0.5))


def test_a_pair_is_the_paired_t_test():
    ours, theirs = [24.3, 23.6, 25.0, 24.1], [19.9, 19.8, 20.5, 20.3]
    pair = layout(ours, theirs)
    pool = make_pools({"50": pair})["50"]
    difference, error = pair.contrast("a0", "a1")
    expected = stats.ttest_rel(ours, theirs)
    assert difference / (error * pool.deviation) == pytest.approx(expected.statistic)
    assert pool.freedom == expected.df


def test_gaps_are_filled_by_least_squares():
    """The reference fits dummies with one arm and one seed left out, and inverts the normal matrix."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 3))
    gone = {(1, 0), (2, 2), (3, 0), (3, 1)}
    cells = [(arm, seed) for arm in range(4) for seed in range(3) if (arm, seed) not in gone]
    design = np.array([[1, *(arm == i for i in (1, 2, 3)), *(seed == i for i in (1, 2))] for arm, seed in cells], float)
    y = np.array([values[cell] for cell in cells])
    solution, squares, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    found = layout(*([None if (a, s) in gone else values[a, s] for s in range(3)] for a in range(4)))
    assert (found.squares, found.freedom) == (pytest.approx(squares[0]), len(cells) - rank)
    covariance = np.linalg.inv(design.T @ design)
    for arm in (1, 2, 3):
        error = covariance[arm, arm] ** 0.5
        assert found.contrast(f"a{arm}", "a0") == (pytest.approx(solution[arm]), pytest.approx(error))
    weights = np.array([0, 1, -1, 0, 0, 0])
    expected = pytest.approx(solution @ weights), pytest.approx((weights @ covariance @ weights) ** 0.5)
    assert found.contrast("a1", "a2") == expected


def test_arms_without_a_common_seed_add_nothing():
    assert layout([1.0, 2.0, None, None], [None, None, 3.0, 5.0]).freedom == 0
    assert layout([1.0, 2.0], [2.0, 5.0], [None, None, 3.0, 5.0]).freedom == 1
    for nothing in (layout(), layout([1.0]), layout([1.0], [2.0]), layout([20.1, 30.2], [10.1, 20.2])):
        assert make_pools({"50": nothing})["50"].deviation is None


def draw(rng, arms, seeds, deviations=1.0):
    """A layout with one deviation of the error, or one an arm."""
    errors = np.broadcast_to(deviations, arms)[:, None] * rng.normal(size=(arms, seeds))
    return layout(*(rng.normal(size=seeds) + errors))


def test_pool_is_the_mean_square_of_all_tasks():
    rng = np.random.default_rng(8)
    tasks = {"50": draw(rng, 6, 3), "200": draw(rng, 4, 3), "400": draw(rng, 2, 2)}
    pools = make_pools(tasks)
    assert pools["50"] == pools["200"] == pools["400"]
    assert not pools["50"].odd
    assert pools["50"].freedom == 10 + 6 + 1
    assert pools["50"].deviation ** 2 == pytest.approx(sum(one.squares for one in tasks.values()) / 17)


def test_equal_variances_are_refused_5_times_in_100():
    rng, trials = np.random.default_rng(3), 400
    odd = alone = 0
    for _ in range(trials):
        tasks = {"50": draw(rng, 6, 3), "200": draw(rng, 5, 3), "400": draw(rng, 2, 2)}
        odd += find_odd_arm(tasks) is not None
        alone += any(pool.alone for pool in make_pools(tasks).values())
    # Bonferroni's bound is nearly reached over three tasks, but not over arms, whose residuals sum to zero.
    assert alone / trials == pytest.approx(0.05, abs=0.033)
    assert 0.01 < odd / trials < 0.08


def test_unequal_variances_are_seen():
    rng, trials = np.random.default_rng(4), 200
    odd = alone = levene = 0
    for _ in range(trials):
        pools = make_pools({"50": draw(rng, 6, 3, 4.0), "200": draw(rng, 5, 3), "400": draw(rng, 2, 2)})
        alone += pools["50"].alone and pools["200"].tasks == ("200", "400")
        deviations = [5.0, *[1.0] * 7]
        odd += find_odd_arm({"50": draw(rng, 8, 3, deviations)}) == "a0"
        values = deviations * rng.normal(size=(3, 8))
        residuals = values - values.mean(0) - values.mean(1, keepdims=True)
        levene += stats.levene(*residuals.T).pvalue < 0.05
    assert alone > 0.8 * trials
    assert odd > 0.6 * trials
    assert levene == 0  # which is why that test is not used


def test_one_arm_that_varies_more_makes_no_task_of_it():
    rng = np.random.default_rng(0)
    sizes = {name: rng.normal(size=(6, 3)) for name in ("25", "50", "100", "200")}
    sizes["50"][3, 0] -= 12
    pools = make_pools({name: layout(*values) for name, values in sizes.items()})
    assert {name: pool.odd for name, pool in pools.items()} == {"25": (), "50": ("a3",), "100": (), "200": ()}
    assert len({(pool.deviation, pool.freedom) for pool in pools.values()}) == 1
    assert not any(pool.alone for pool in pools.values())


def test_an_arm_that_varies_more_everywhere_is_named_once():
    rng = np.random.default_rng(1)
    sizes = {name: rng.normal(size=(6, 3)) for name in ("25", "50", "100")}
    for name, factor in zip(sizes, (30, 6, 6), strict=True):
        sizes[name][3] *= factor
    pools = make_pools({name: layout(*values) for name, values in sizes.items()})
    assert {name: pool.odd for name, pool in pools.items()} == dict.fromkeys(sizes, ("a3",))


def test_a_pair_with_two_seeds_hardly_tells_its_own_deviation():
    """What docs/suite.md says that the test of equal variances cannot see."""
    rng, trials = np.random.default_rng(6), 400
    held = alone = 0
    for _ in range(trials):
        tasks = {"50": draw(rng, 11, 3), "200": draw(rng, 8, 3), "25": draw(rng, 2, 2, 2.0)}
        pool = make_pools(tasks)["25"]
        difference, error = tasks["25"].contrast("a0", "a1")
        held += abs(difference) < stats.t.isf(0.025, pool.freedom) * pool.deviation * error
        alone += pool.alone
    assert held / trials == pytest.approx(3 / 4, abs=0.07)
    assert alone / trials == pytest.approx(1 / 4, abs=0.07)


def test_the_odd_arm_by_an_f_test():
    """What the arm's runs add to the squares, against the squares without them."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        task = draw(rng, 4, 3, [4.0, 1.0, 1.0, 1.0])
        rests = {arm: task.without(arm) for arm in task.runs}
        ratios = {arm: ((task.squares - rest.squares) / 2) / (rest.squares / 4) for arm, rest in rests.items()}
        arm = max(ratios, key=ratios.get)
        refused = stats.f.sf(ratios[arm], 2, 4) < 0.05 / 4
        assert find_odd_arm({"50": task}) == (arm if refused else None)
