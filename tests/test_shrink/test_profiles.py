import math

import pytest
import torch

from lwdna_mm.errors import UserError
from lwdna_mm.shrink import (
    CRITERIA,
    RandomCriterion,
    RandomWidthsCriterion,
    TiltCriterion,
    UniformCriterion,
    WidthsCriterion,
    search,
)

from .nets import BACKBONES, graph_of

POLICIES = ["threshold", "density"]
PROFILES = [TiltCriterion(-1.0), TiltCriterion(0.7), RandomWidthsCriterion(seed=3), RandomWidthsCriterion(1, spread=1)]


def plan_of(graph, criterion, budget=0.5, **arguments):
    return search(graph, criterion.scores(graph), budget * graph.flops(), growth=criterion.growth(graph), **arguments)


def test_the_tilt_runs_from_the_first_group_to_the_last():
    graph = graph_of("ResNet-CIFAR")
    growth = TiltCriterion(0.5).growth(graph)
    assert list(growth) == list(graph.free)
    logarithms = [math.log(factor) for factor in growth.values()]
    count = len(logarithms)
    assert logarithms == pytest.approx([0.5 * (2 * index / (count - 1) - 1) for index in range(count)])


def test_random_widths_depend_on_seed_and_spread_alone():
    graph = graph_of("MobileNetV2")
    growth = RandomWidthsCriterion(seed=2).growth(graph)
    torch.rand(3)
    assert RandomWidthsCriterion(seed=2).growth(graph) == growth != RandomWidthsCriterion(seed=3).growth(graph)
    wider = RandomWidthsCriterion(seed=2, spread=1.0).growth(graph)
    assert [factor**2 for factor in growth.values()] == pytest.approx(list(wider.values()))
    many = torch.cat([torch.tensor(list(RandomWidthsCriterion(i).growth(graph).values())).log() for i in range(40)])
    assert abs(many.mean()) < 0.05
    assert many.std() == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("divisor", [1, 4])
@pytest.mark.parametrize("criterion", PROFILES)
@pytest.mark.parametrize("name", BACKBONES)
def test_widths_are_in_proportion(name, criterion, divisor, policy):
    graph = graph_of(name)
    plan = plan_of(graph, criterion, min_ratio=0.1, divisor=divisor, policy=policy)
    low, high = [], []
    for group, factor in criterion.growth(graph).items():
        width = graph.widths[group]
        if width >= 2 * divisor:
            # What the floor, or the width itself, stops says only on which side of it the ratio lies.
            least, most = max(math.ceil(0.1 * width - 1e-9), 1) + divisor, width - divisor
            low.append(0 if plan.widths[group] < least else (plan.widths[group] - divisor) / (factor * width))
            high.append(math.inf if plan.widths[group] > most else (plan.widths[group] + divisor) / (factor * width))
    assert max(low) <= min(high)
    assert graph.flops(plan) <= 0.5 * graph.flops()
    if divisor == 1:
        assert graph.flops(plan) >= 0.93 * 0.5 * graph.flops()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("divisor", [1, 3])
@pytest.mark.parametrize("name", BACKBONES)
def test_without_tilt_or_spread_it_is_the_uniform_control(name, divisor, policy):
    graph = graph_of(name)
    uniform = plan_of(graph, UniformCriterion(), divisor=divisor, policy=policy)
    for criterion in (TiltCriterion(0), RandomWidthsCriterion(seed=1, spread=0)):
        assert plan_of(graph, criterion, divisor=divisor, policy=policy) == uniform


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("divisor", [1, 4])
@pytest.mark.parametrize("name", BACKBONES)
def test_given_widths_come_back_with_the_first_channels(name, divisor, policy):
    graph = graph_of(name)
    # Groups that differ in scale, so that their shares do.
    scores = {
        group: score * (1 + index % 3)
        for index, (group, score) in enumerate(RandomCriterion(seed=1).scores(graph).items())
    }
    found = search(graph, scores, 0.5 * graph.flops(), min_ratio=0.2, divisor=divisor, policy=policy)
    again = plan_of(graph, WidthsCriterion(found.widths), min_ratio=0.0, divisor=divisor, policy=policy)
    assert again.widths == found.widths != plan_of(graph, UniformCriterion(), divisor=divisor).widths
    assert all(kept == list(range(len(kept))) for kept in again.kept.values())
    half = plan_of(graph, WidthsCriterion(found.widths), budget=0.25, min_ratio=0.0)
    assert graph.flops(half) <= 0.25 * graph.flops()


@pytest.mark.parametrize("name", ["ResNet-CIFAR", "MobileNetV2"])
def test_given_widths_grow_unless_told_and_shrink_in_any_case(name):
    graph = graph_of(name)
    widths = plan_of(graph, RandomWidthsCriterion(seed=3), budget=0.3).widths
    grown, kept = (WidthsCriterion(widths, grow=grow) for grow in (True, False))
    assert not grown.widest(graph)
    plans = [plan_of(graph, one, min_ratio=0.0, widest=one.widest(graph)) for one in (grown, kept)]
    assert graph.flops(plans[0]) > 0.45 * graph.flops()
    assert plans[1].widths == widths
    plans = [plan_of(graph, one, budget=0.2, min_ratio=0.0, widest=one.widest(graph)) for one in (grown, kept)]
    assert plans[0].widths == plans[1].widths


def test_widths_of_another_network_are_refused():
    graph = graph_of("ResNet-CIFAR")
    first, *others = graph.free
    with pytest.raises(UserError, match=f"WidthsCriterion's widths have no group '{first}'"):
        WidthsCriterion(dict.fromkeys(others, 4)).growth(graph)
    with pytest.raises(UserError, match="have a group that the network lacks: 'zz'"):
        WidthsCriterion(dict.fromkeys([*graph.free, "zz"], 4)).growth(graph)


@pytest.mark.parametrize(
    ("criterion", "told"),
    [
        (dict(type="TiltCriterion", tilt="abc"), "TiltCriterion's tilt is 'abc', but must be a number"),
        (dict(type="TiltCriterion", tilt=float("nan")), "TiltCriterion's tilt is nan"),
        (dict(type="RandomWidthsCriterion", spread="x"), "RandomWidthsCriterion's spread is 'x', but must be a number"),
        (dict(type="ProfileCriterion", trunk=True), "ProfileCriterion's trunk is True, but must be a number"),
        (dict(type="WidthsCriterion", widths=3), "WidthsCriterion's widths are 3, but must be a dict"),
        (dict(type="WidthsCriterion", widths=dict(a="b")), "width of 'a' is 'b', but must be a number"),
        (dict(type="WidthsCriterion", widths=dict(a=0)), "width of 'a' is 0, but must be above 0"),
        (dict(type="ProfileSearch", seed=-1), "ProfileSearch's seed is -1, but must be a whole number"),
    ],
)
def test_what_are_no_numbers_is_refused(criterion, told):
    with pytest.raises(UserError, match=told):
        CRITERIA.build(criterion)


def test_a_negative_spread_is_refused():
    with pytest.raises(UserError, match=r"spread=-0.5: use a number of at least 0"):
        RandomWidthsCriterion(spread=-0.5)


def test_a_tilt_beyond_all_numbers_names_a_group():
    graph = graph_of("ResNet-CIFAR")
    with pytest.raises(UserError, match=r"growth=0\.0 of group .*use a positive number"):
        plan_of(graph, TiltCriterion(1000))
