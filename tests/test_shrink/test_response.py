"""Curves of loss against width: their hulls against linear programs, plans by them against brute force."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import nn

from lwdna_mm.channels import ChannelPlan, analyze, resize
from lwdna_mm.errors import UserError
from lwdna_mm.shrink import ResponseCriterion, attach_gates, search
from lwdna_mm.shrink.response import Curve, falling_hull, marginal_flops
from lwdna_mm.shrink.search import allowed_widths

from .nets import classifier, graph_of, images


def largest_convex(widths, losses):
    """The same hull as the solution of a linear program."""
    count = len(widths)
    rises = np.diff(np.eye(count), axis=0)
    slopes = rises / np.diff(widths)[:, None]
    constraints = np.concatenate([rises, -np.diff(slopes, axis=0)])
    found = linprog(-np.ones(count), constraints, np.zeros(len(constraints)), bounds=[(None, y) for y in losses])
    return found.x


@pytest.mark.parametrize("seed", range(20))
def test_the_hull_is_the_highest_convex_function_that_never_rises(seed):
    generator = np.random.default_rng(seed)
    widths = np.sort(generator.choice(np.arange(1, 60), size=2 + seed % 7, replace=False))
    losses = 2 * generator.random() / widths + 0.1 * generator.standard_normal(len(widths))
    assert falling_hull(widths, losses) == pytest.approx(largest_convex(widths, losses), abs=1e-7)


def test_savings_are_the_slopes_of_the_hull():
    curve = Curve([2, 4, 8, 10], [5.0, 3.0, 3.5, 2.0])
    assert curve.hull.tolist() == pytest.approx([5, 3, 3 - 4 / 6, 2])
    savings = curve.savings(12)
    assert savings.tolist() == pytest.approx([1, 1, 1, 1, *[1 / 6] * 6, 0, 0])
    assert savings[2:10].sum() == pytest.approx(5 - 2)
    rising = Curve([1, 2, 3], [1.0, 2.0, 3.0])
    assert rising.savings(3).tolist() == [0, 0, 0]
    assert Curve([7], [1.0]).savings(7).tolist() == [0] * 7


@pytest.mark.parametrize("points", [3, 5, 8])
@pytest.mark.parametrize("reference", [4, 6, 14, 38, 40])
def test_grids_have_the_ends_the_reference_and_no_more_points_than_asked(points, reference):
    allowed = np.arange(4, 41, 2)
    grid = ResponseCriterion(points=points).grid(allowed, reference)
    assert {4, reference, 40} <= set(grid) <= set(allowed.tolist())
    assert grid == sorted(set(grid))
    assert len(grid) == points
    assert ResponseCriterion().grid(np.array([9]), 9) == [9]


def test_draws_depend_on_seed_and_iteration_and_reach_all_widths():
    graph = graph_of("ResNet-CIFAR")
    allowed = allowed_widths(graph, min_ratio=0.5)
    reference = {name: int(widths[len(widths) // 2]) for name, widths in allowed.items()}
    draws = [ResponseCriterion(seed=3).draw(allowed, reference, i) for i in range(400)]
    again, other = (ResponseCriterion(seed=seed).draw(allowed, reference, 7) for seed in (3, 4))
    assert draws[7] == again != other
    for name, widths in allowed.items():
        assert widths[0] == -(-graph.widths[name] // 2)
        assert sum(draw[name] == reference[name] for draw in draws) > 0.65 * 400
        if len(widths) < 6:
            assert {draw[name] for draw in draws} == set(widths)
        for end in (widths[0], widths[-1]):
            assert sum(draw[name] == end for draw in draws) > 400 / 16 - 15


class Two(nn.Sequential):
    """Two groups whose prices depend on each other."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 24, 3), nn.Conv2d(24, 5, 1))


@pytest.mark.parametrize("seed", range(6))
def test_density_comes_near_the_best_of_all_plans(seed):
    generator = np.random.default_rng(seed)
    graph = analyze(Two(), torch.rand(1, 3, 9, 9))
    criterion, budget = ResponseCriterion(), 0.45 * graph.flops()
    allowed = allowed_widths(graph, min_ratio=0.1)
    for name, widths in allowed.items():
        power, scale = generator.uniform(0.3, 2), generator.uniform(0.2, 1)
        grid = criterion.grid(widths, widths[len(widths) // 2])
        criterion.curves[name] = Curve(grid, [scale / width**power for width in grid])
    saved = {name: criterion.curves[name].savings(group.width).cumsum() for name, group in graph.free.items()}

    def value(widths):
        return sum(saved[name][width - 1] for name, width in zip(saved, widths, strict=True))

    plans = np.array(list(itertools.product(*allowed.values())))
    affordable = plans[graph.complexity.flops(plans) <= budget]
    least, best = value([widths[0] for widths in allowed.values()]), max(map(value, affordable))
    plan = search(graph, criterion.scores(graph), budget, min_ratio=0.1, policy=criterion.policy)
    assert graph.flops(plan) <= budget
    assert value([plan.widths[name] for name in saved]) - least > 0.97 * (best - least)


def test_marginal_flops_are_those_of_the_network():
    graph = graph_of("MobileNetV2")
    widths = {name: max(group.width // 2, 3) for name, group in graph.free.items()}
    for name in list(widths)[::5]:
        narrower = ChannelPlan({**widths, name: widths[name] - 2})
        price = (graph.flops(ChannelPlan(widths)) - graph.flops(narrower)) / 2
        assert marginal_flops(graph, widths, 2)[name] == price


def test_gates_that_keep_the_first_channels_are_the_narrower_network():
    model = classifier("MobileNetV2")
    graph = analyze(model, images())
    widths = {name: max(group.width // 3, 1) for name, group in graph.free.items()}
    model.train()
    small = resize(model, graph, ChannelPlan({name: list(range(width)) for name, width in widths.items()}))
    small.train()
    whole = model(images())
    gates = attach_gates(model, graph)
    gates.keep_first(widths)
    torch.testing.assert_close(model(images()), small(images()))
    gates.keep_first({name: group.width for name, group in graph.free.items()})
    torch.testing.assert_close(model(images()), whole)


def test_a_group_that_was_not_measured():
    graph = analyze(Two(), torch.rand(1, 3, 9, 9))
    with pytest.raises(UserError, match="group '0' was never measured"):
        ResponseCriterion().scores(graph)


@pytest.mark.parametrize("given", [dict(points=2), dict(rounds=0), dict(held_out=1.0), dict(held_out="a")])
def test_arguments_that_cannot_be(given):
    (name,) = given
    with pytest.raises(UserError, match=f"ResponseCriterion's {name} is .* but must be"):
        ResponseCriterion(**given)
