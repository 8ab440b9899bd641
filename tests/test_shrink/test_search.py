import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lwdna_mm.channels import ChannelGraph, ChannelPlan, analyze
from lwdna_mm.errors import UserError
from lwdna_mm.shrink import BudgetError, RandomCriterion, UniformCriterion, search

from .nets import BACKBONES, graph_of, graph_of_widened

Widths = dict[str, int]


def random_scores(graph: ChannelGraph, seed: int, spread: float = 1.0, levels: int = 0) -> dict[str, torch.Tensor]:
    """Scores whose scale differs by group, over ``spread`` decades; with ``levels``, full of ties."""
    scores = RandomCriterion(seed).scores(graph)
    factors = 10 ** (spread * torch.rand(len(scores), generator=torch.Generator().manual_seed(seed)))
    if levels:
        return {name: (score * levels).floor() for name, score in scores.items()}
    return {name: score * factor for (name, score), factor in zip(scores.items(), factors, strict=True)}


def bounds(graph: ChannelGraph, min_ratio: float, divisor: int) -> tuple[Widths, Widths]:
    """The least and the largest width that search may give each group."""
    low, high = {}, {}
    for name, group in graph.free.items():
        least = max(math.ceil(min_ratio * group.width - 1e-9), 1)
        allowed = [w for w in range(least, group.width + 1) if w % divisor == 0] or [group.width]
        low[name], high[name] = allowed[0], allowed[-1]
    return low, high


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["ResNet-CIFAR", "MobileNetV2", "RegNetX"]),
    seed=st.integers(0, 99),
    spread=st.floats(0, 6),
    levels=st.sampled_from([0, 0, 1, 3]),
    min_ratio=st.floats(0, 1),
    divisor=st.integers(1, 9),
    policy=st.sampled_from(["threshold", "density"]),
    flops=st.none() | st.floats(0.05, 1.1),
    params=st.none() | st.floats(0.05, 1.1),
    acts=st.none() | st.floats(0.05, 1.1),
)
def test_never_exceeds_its_budget(name, seed, spread, levels, min_ratio, divisor, policy, flops, params, acts):
    graph = graph_of(name)
    scores = random_scores(graph, seed, spread, levels)
    low, high = bounds(graph, min_ratio, divisor)
    if flops is params is acts is None:
        flops = 0.5
    max_flops = math.inf if flops is None else flops * graph.flops()
    max_params = math.inf if params is None else params * graph.params()
    max_acts = math.inf if acts is None else acts * graph.acts()
    floors = ChannelPlan(low)
    arguments = dict(max_acts=max_acts, min_ratio=min_ratio, divisor=divisor, policy=policy)
    if graph.flops(floors) > max_flops or graph.params(floors) > max_params or graph.acts(floors) > max_acts:
        with pytest.raises(BudgetError):
            search(graph, scores, max_flops, max_params, **arguments)
        return
    plan = search(graph, scores, max_flops, max_params, **arguments)
    assert graph.flops(plan) <= max_flops
    assert graph.params(plan) <= max_params
    assert graph.acts(plan) <= max_acts
    assert list(plan.kept) == list(graph.free)
    for group, kept in plan.kept.items():
        assert low[group] <= len(kept) <= high[group]
        assert (len(kept) - low[group]) % divisor == 0
        assert kept == sorted(set(kept))
        dropped = sorted(set(range(graph.widths[group])) - set(kept))
        if dropped:
            assert scores[group][kept].min() >= scores[group][dropped].max()


def greedily(graph: ChannelGraph, scores: dict[str, torch.Tensor], max_flops: float, low: Widths) -> Widths:
    """The slow oracle of the threshold policy: take channels from best to worst as long as each fits."""
    widths = dict(low)
    ranked = [(score, n) for n, values in scores.items() for score in values.sort(descending=True).values[low[n] :]]
    for _, name in sorted(ranked, key=lambda entry: -entry[0]):
        grown = {**widths, name: widths[name] + 1}
        if graph.flops(ChannelPlan(grown)) <= max_flops:
            widths = grown
    return widths


@pytest.mark.parametrize("name", ["ResNet-CIFAR", "RegNetX"])
@pytest.mark.parametrize("budget", [0.3, 0.7])
def test_threshold_keeps_the_best_channels_that_fit(name, budget):
    graph = graph_of(name)
    scores = random_scores(graph, 5)
    max_flops = budget * graph.flops()
    plan = search(graph, scores, max_flops, min_ratio=0.1)
    assert plan.widths == greedily(graph, scores, max_flops, bounds(graph, 0.1, 1)[0])


def test_density_keeps_more_of_cheap_groups():
    """Against the slow oracle, which drops one channel at a time and prices anew after each."""
    graph = graph_of("ResNet-CIFAR")
    scores = random_scores(graph, 2)
    ranked = {name: score.sort(descending=True).values for name, score in scores.items()}
    max_flops = 0.4 * graph.flops()
    widths = dict(graph.widths)
    while graph.flops(ChannelPlan(widths)) > max_flops:
        cost = graph.flops(ChannelPlan(widths))

        def density(name, widths=widths, cost=cost):
            return ranked[name][widths[name] - 1] / (
                cost - graph.flops(ChannelPlan({**widths, name: widths[name] - 1}))
            )

        widths[min((n for n in widths if widths[n] > 1), key=density)] -= 1

    def worth(plan):
        return sum(ranked[name][:width].sum().item() for name, width in plan.items())

    found = search(graph, scores, max_flops, min_ratio=0, policy="density")
    assert worth(found.widths) >= 0.99 * worth(widths)
    assert worth(found.widths) > 1.05 * worth(search(graph, scores, max_flops, min_ratio=0).widths)


@pytest.mark.parametrize("name", BACKBONES)
def test_comes_within_half_a_percent_of_the_budget(name):
    graph = graph_of(name)
    for seed in range(5):
        for budget in (0.25, 0.5, 0.9):
            plan = search(graph, random_scores(graph, seed), budget * graph.flops(), min_ratio=0.05)
            assert graph.flops(plan) >= 0.995 * budget * graph.flops()


@pytest.mark.parametrize("policy", ["threshold", "density"])
def test_nothing_more_fits(policy):
    graph = graph_of("MobileNetV2")
    plan = search(graph, random_scores(graph, 1), 0.5 * graph.flops(), divisor=4, policy=policy)
    _, high = bounds(graph, 0.2, 4)
    growable = [name for name, width in plan.widths.items() if width < high[name]]
    assert growable
    for name in growable:
        grown = ChannelPlan({**plan.widths, name: plan.widths[name] + 4})
        assert graph.flops(grown) > 0.5 * graph.flops()


@pytest.mark.parametrize(("divisor", "policy"), [(1, "threshold"), (4, "threshold"), (1, "density")])
@pytest.mark.parametrize("budget", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("name", BACKBONES)
def test_uniform_scores_give_uniform_ratios(name, budget, divisor, policy):
    graph = graph_of(name)
    scores = UniformCriterion().scores(graph)
    plan = search(graph, scores, budget * graph.flops(), min_ratio=0.01, divisor=divisor, policy=policy)
    # One common ratio exists from which no group is further than a step.
    wide = {group: width for group, width in graph.widths.items() if width >= 2 * divisor}
    lowest = max((plan.widths[group] - divisor) / width for group, width in wide.items())
    highest = min((plan.widths[group] + divisor) / width for group, width in wide.items())
    assert lowest <= highest
    if divisor == 1:
        assert graph.flops(plan) >= 0.93 * budget * graph.flops()


def test_equal_arguments_give_equal_plans():
    graph = graph_of("ResNet-18")
    for policy in ("threshold", "density"):
        plans = [
            search(graph, RandomCriterion(seed).scores(graph), 0.5 * graph.flops(), policy=policy).kept
            for seed in (3, 3, 4)
        ]
        assert plans[0] == plans[1] != plans[2]


def test_budgets_relative_to_the_baseline():
    wide, base = graph_of("ResNet-18"), graph_of("ResNet-CIFAR")
    scores = random_scores(wide, 0)
    plan = search(wide, scores, max_flops=0.2, max_params=0.5, relative_to=base)
    assert plan == search(wide, scores, 0.2 * base.flops(), 0.5 * base.params())


def test_a_plan_searched_again_at_its_own_share_is_the_same():
    """Also where the share times the baseline's cost is a bit below the whole number that it came from."""
    wide, base = graph_of_widened("ResNet-CIFAR"), graph_of("ResNet-CIFAR")
    scores = random_scores(wide, 0)
    below = []
    for budget in (0.9, 1.18, 1.32):
        plan = search(wide, scores, max_params=budget, relative_to=base)
        share = wide.params(plan) / base.params()
        below.append(share * base.params() < wide.params(plan))
        assert search(wide, scores, max_params=share, relative_to=base) == plan
    assert any(below)


def test_a_floor_is_not_raised_by_rounding():
    """0.07 * 100 is a bit more than 7."""
    graph = analyze(torch.nn.Sequential(torch.nn.Conv2d(3, 100, 1), torch.nn.Conv2d(100, 4, 1)), torch.rand(1, 3, 2, 2))
    (name,) = graph.free
    plan = search(graph, {name: torch.ones(100)}, graph.flops(ChannelPlan({name: 7})), min_ratio=0.07)
    assert plan.widths == {name: 7}


def test_floors_per_group():
    graph = graph_of("ResNet-CIFAR")
    zero = {name: torch.zeros(width) for name, width in graph.widths.items()}
    name = list(graph.free)[3]
    scores = {**zero, "backbone.conv1": torch.ones(8)}
    plan = search(graph, scores, 0.5 * graph.flops(), min_ratio={name: 0.9})
    assert plan.widths[name] >= 0.9 * graph.widths[name]
    assert min(width / graph.widths[n] for n, width in plan.widths.items()) >= 0.2


def test_an_ample_budget_keeps_everything():
    graph = graph_of("ResNet-CIFAR")
    for policy in ("threshold", "density"):
        plan = search(graph, random_scores(graph, 0), max_params=graph.params(), policy=policy)
        assert plan.widths == graph.widths


def test_rigid_groups_are_paid_for_but_not_in_the_plan():
    torch.manual_seed(0)
    shuffled = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.ChannelShuffle(2), torch.nn.Conv2d(8, 6, 3), torch.nn.Conv2d(6, 2, 3)
    )
    graph = analyze(shuffled, torch.rand(1, 3, 9, 9))
    plan = search(graph, RandomCriterion().scores(graph), 0.8 * graph.flops())
    assert set(plan.kept) == set(graph.free)
    assert graph.flops(plan) <= 0.8 * graph.flops()


def test_an_unreachable_budget_tells_what_the_floors_cost():
    graph = graph_of("ResNet-CIFAR")
    scores = UniformCriterion().scores(graph)
    floors = f"{graph.flops(ChannelPlan(bounds(graph, 0.5, 1)[0])):,}"
    with pytest.raises(BudgetError, match=f"budget of 1,000 flops .* cost {floors}; raise it"):
        search(graph, scores, 1000, min_ratio=0.5)
    with pytest.raises(BudgetError, match="params"):
        search(graph, scores, graph.flops(), 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("backbone.conv1"), "no scores for group 'backbone.conv1'"),
        (lambda s: s.update(other=torch.ones(3)), "'other', which is no free group"),
        (lambda s: s.update({"backbone.conv1": torch.ones(3)}), r"'backbone.conv1' have shape \(3,\), not \(8,\)"),
        (lambda s: s["backbone.conv1"].fill_(math.nan), "'backbone.conv1' hold NaN"),
    ],
)
def test_wrong_scores(change, message):
    graph = graph_of("ResNet-CIFAR")
    scores = UniformCriterion().scores(graph)
    change(scores)
    with pytest.raises(UserError, match=message):
        search(graph, scores, graph.flops())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(), "needs a budget"),
        (dict(max_flops=1e9, policy="greedy"), "unknown policy 'greedy': use one of threshold, density"),
        (dict(max_flops=1e9, min_ratio=1.5), "min_ratio=1.5 of group 'backbone.conv1'"),
        (dict(max_flops=1e9, min_ratio=math.nan), "from 0 to 1"),
        (dict(max_flops=1e9, min_ratio={"stem": 0.5}), "min_ratio for 'stem'"),
        (dict(max_flops=1e9, divisor=0), "divisor=0"),
        (dict(max_flops=1e9, divisor=1.5), "divisor=1.5"),
        (dict(max_flops=math.nan), "cannot be met"),
        (dict(max_flops=1e9, growth={"stem": 2.0}), "growth for 'stem', which is no free group"),
        (dict(max_flops=1e9, growth={"backbone.conv1": 0.0}), "growth=0.0 of group 'backbone.conv1': use a positive"),
        (dict(max_flops=1e9, growth={"backbone.conv1": math.inf}), "use a positive number"),
    ],
)
def test_wrong_arguments(arguments, message):
    graph = graph_of("ResNet-CIFAR")
    with pytest.raises(UserError, match=message):
        search(graph, UniformCriterion().scores(graph), **arguments)


@pytest.mark.parametrize("budget", [0.6, 1.39])
def test_activations_alone_scale_all_widths_evenly_under_constant_scores(budget):
    """Budgets above 1, too: the uniform control of a network widened by other means."""
    base, wide = graph_of("ResNet-CIFAR"), graph_of_widened("ResNet-CIFAR")
    plan = search(wide, UniformCriterion().scores(wide), max_acts=budget, min_ratio=0.05, relative_to=base)
    assert 0.97 * budget * base.acts() <= wide.acts(plan) <= budget * base.acts()
    shares = [width / wide.widths[name] for name, width in plan.widths.items()]
    assert max(shares) - min(shares) <= 1 / min(wide.widths.values())  # one step of the narrowest group


def test_both_flops_and_activations_bind():
    base, wide = graph_of("ResNet-CIFAR"), graph_of_widened("ResNet-CIFAR")
    scores = {name: torch.rand(group.width) * 10 ** (-len(name)) for name, group in wide.free.items()}
    free = search(wide, scores, 1.0, min_ratio=0.3, relative_to=base)
    bound = search(wide, scores, 1.0, max_acts=0.9 * wide.acts(free) / base.acts(), min_ratio=0.3, relative_to=base)
    assert wide.acts(bound) <= 0.9 * wide.acts(free)
    assert wide.flops(bound) <= base.flops()


@pytest.mark.parametrize("policy", ["threshold", "density"])
@pytest.mark.parametrize("divisor", [1, 4])
def test_no_wider_than_said(policy, divisor):
    graph = graph_of_widened("ResNet-CIFAR")
    scores = random_scores(graph, 0)
    first, *_, last = graph.free
    scores = {name: score + 9 * (name == last) for name, score in scores.items()}
    arguments = dict(max_flops=0.3 * graph.flops(), min_ratio=0.2, divisor=divisor, policy=policy)
    assert search(graph, scores, **arguments).widths[last] == graph.widths[last]
    half = graph.widths[last] // 2
    plan = search(graph, scores, **arguments, widest={last: half, first: 10**6})
    assert plan.widths[last] == half
    assert plan.widths[first] <= graph.widths[first]
    assert 0.25 * graph.flops() < graph.flops(plan) <= 0.3 * graph.flops()
    # A floor holds against it.
    floor = search(graph, scores, **{**arguments, "min_ratio": {"*": 0.1, last: 0.5}}, widest={last: 1}).widths[last]
    assert floor == -(-half // divisor) * divisor
    with pytest.raises(UserError, match="widest for 'stem', which is no free group"):
        search(graph, scores, **arguments, widest={"stem": 3})


def test_floors_by_pattern_later_ones_first():
    graph = graph_of_widened("ResNet-18")
    scores = UniformCriterion().scores(graph)
    ratios = {"*": 0.1, "backbone.layer4*": 0.6, "backbone.layer4.1.conv1": 0.9}
    plan = search(graph, scores, 0.25 * graph.flops(), min_ratio=ratios)
    share = {name: plan.widths[name] / group.width for name, group in graph.free.items()}
    assert share["backbone.layer4.1.conv1"] >= 0.9
    assert 0.59 < share["backbone.layer4.0.conv1"] < 0.9
    assert min(share.values()) < 0.4
    with pytest.raises(UserError, match="min_ratio for 'layer9"):
        search(graph, scores, 0.5 * graph.flops(), min_ratio={"layer9*": 0.4})
