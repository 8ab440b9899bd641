"""The search space, and how it is filled, on costs that can be followed by hand."""

import itertools

import numpy as np

from lwdna_mm.shrink.search import density, threshold
from lwdna_mm.shrink.steps import Budget, Steps


def steps_of(scores):
    """Steps of one channel from a floor of one, given the scores from best to worst."""
    scores = [np.array(score, float) for score in scores]
    floors, growth = np.ones(len(scores), np.int64), np.ones(len(scores))
    return Steps.build(scores, floors, np.array([len(score) for score in scores]), 1, growth)


def test_steps_are_sorted_by_where_they_end():
    steps = steps_of([np.ones(4), np.ones(10)])
    assert (np.diff(steps.end) >= 0).all()
    assert steps.group.tolist() == [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1]  # at an equal end the first group first


def test_equal_worth_stops_at_the_share_where_the_first_refused_step_ends():
    """The second group has half of its channels, where the step of the first one would have ended, and no more."""
    steps = steps_of([np.ones(4), np.ones(4)])
    budget = Budget([lambda widths: widths @ np.array([10, 1])], np.array([16.0]))
    assert threshold(steps, budget).tolist() == [1, 2]


def test_density_adds_up_the_shares_of_all_budgets():
    """The first group costs less of the dearer budget, but something of both."""
    steps = steps_of([np.full(10, 1.0), np.full(10, 0.9)])
    measures = [lambda widths: widths @ np.array([5, 6]), lambda widths: widths @ np.array([5, 0])]
    assert density(steps, Budget(measures, np.array([60.0, 60.0]))).tolist() == [1, 9]


def test_density_takes_prices_anew_on_its_way():
    """Two groups whose prices are each other's widths; at the prices of the full network alone 7 % and more is lost."""

    def cost(widths):
        return widths[..., 0] * widths[..., 1] + 3 * widths[..., 2]

    plans = np.array(list(itertools.product(range(1, 13), repeat=3)))
    plans = plans[cost(plans) <= 60]
    for seed in (181, 183, 273):
        rng = np.random.default_rng(seed)
        scores = [np.sort(rng.random(12) * scale)[::-1] for scale in rng.choice([1, 3, 6], 3)]
        worth = [np.append(0, score.cumsum()) for score in scores]
        best = sum(of_width[plans[:, group]] for group, of_width in enumerate(worth)).max()
        found = density(steps_of(scores), Budget([cost], np.array([60.0])))
        assert sum(of_width[width] for of_width, width in zip(worth, found, strict=True)) > 0.99 * best
