"""From importance scores and a budget to a channel plan."""

import fnmatch
import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from lwdna_mm.channels import ChannelGraph, ChannelPlan
from lwdna_mm.errors import UserError
from lwdna_mm.shrink.steps import Budget, Measure, Steps, bounds

# The floor of groups that a dict of floors leaves out.
MIN_RATIO = 0.2

# The least marginal cost of a step, as a share of the budget: steps that cost nothing have a value per cost too.
MIN_PRICE = 1e-12

# Rounds of the density policy: prices are taken anew in each.
ROUNDS = 12


class BudgetError(UserError):
    """The budget cannot be reached with the floors as they are."""


def search(
    graph: ChannelGraph,
    scores: Mapping[str, Tensor],
    max_flops: float | None = None,
    max_params: float | None = None,
    max_acts: float | None = None,
    min_ratio: float | Mapping[str, float] = MIN_RATIO,
    divisor: int = 1,
    policy: str = "threshold",
    relative_to: ChannelGraph | None = None,
    growth: Mapping[str, float] | None = None,
    measures: Mapping[str, tuple[Measure, float]] | None = None,
    widest: Mapping[str, int] | None = None,
) -> ChannelPlan:
    """Keep the most important channels that the budget holds; never more.

    Args:
        graph: the (widened) network.
        scores: per free group the score of each channel, (width,), as a criterion's ``scores(graph)`` gives them.
        max_flops: budget in multiply-adds, for the inputs that the graph was traced with.
        max_params: budget in parameters.
        max_acts: budget in activations, see :meth:`ChannelGraph.acts`. At least one budget is needed; all hold.
        min_ratio: every group keeps at least this share of its width in ``graph``, and one channel; or a dict of
            such shares per group, where the groups left out have 0.2.
        divisor: widths become multiples of it; a group without one between floor and width keeps its width.
        policy: ``'threshold'`` keeps the channels above one global threshold (as the paper does),
            ``'density'`` drops what is worth the least per marginal cost until the budget is met. Both then fill
            what is left of the budget with the best of the rest.
        relative_to: if given, the budgets are ratios of this (baseline) network's own costs.
        growth: how fast groups grow among channels of equal score, as a criterion's ``growth(graph)`` gives it; 1
            for groups left out. Where all scores are equal, widths are this times those of ``graph``, to one ratio.
        measures: further budgets by name: a function from widths of the free groups (..., groups) to a cost (...,)
            that never falls when a width grows, and its limit; such as :class:`lwdna_mm.latency.LatencyModel`'s.
        widest: the largest width by group, not below its floor; groups left out may keep all their channels.

    Returns:
        A plan with the kept channels of every free group, in rising order. Equal arguments give equal plans.

    Raises:
        BudgetError: the floors alone cost more than a budget.
        UserError: anything else about the arguments.
    """
    if policy not in POLICIES:
        raise UserError(f"unknown policy {policy!r}: use one of {', '.join(POLICIES)}")
    if not (isinstance(divisor, int) and divisor >= 1):
        raise UserError(f"divisor={divisor!r}: use a whole number of at least 1")
    if not graph.free:
        raise UserError("the network has no channel group that can change; graph.notes, and keep, say why")
    ranked = _ranked(graph, scores)
    names = list(graph.free)
    floors = _floors(graph, min_ratio)
    steps = Steps.build(
        [value for _, value in ranked],
        floors,
        _widest(graph, widest or {}, floors),
        divisor,
        _growth(graph, growth or {}),
    )
    limits = dict(flops=max_flops, params=max_params, acts=max_acts)
    own = {
        kind: (getattr(graph.complexity, kind), _share(limit, getattr(relative_to, kind)()) if relative_to else limit)
        for kind, limit in limits.items()
        if limit is not None
    }
    budget = _budget(steps, {**own, **(measures or {})})
    widths = POLICIES[policy](steps, budget)
    return ChannelPlan(
        {name: np.sort(order[:width]).tolist() for name, (order, _), width in zip(names, ranked, widths, strict=True)}
    )


def allowed_widths(
    graph: ChannelGraph, min_ratio: float | Mapping[str, float] = MIN_RATIO, divisor: int = 1
) -> dict[str, np.ndarray]:
    """The widths that :func:`search` may give every free group, in rising order.

    Args:
        graph, min_ratio, divisor: as for :func:`search`.
    """
    widths = np.array([group.width for group in graph.free.values()])
    ends = zip(graph.free, *bounds(widths, _floors(graph, min_ratio), divisor), strict=True)
    return {name: np.arange(floor, full + 1, divisor) for name, floor, full in ends}


def threshold(steps: Steps, budget: Budget) -> np.ndarray:
    """Widths (groups,) that hold all steps above the lowest affordable threshold, and what else then fits."""
    order = np.argsort(-steps.value, kind="stable")
    widths, rest = steps.take(steps.floor, order, budget)
    return steps.fill(widths, rest, steps.value, budget)


def density(steps: Steps, budget: Budget) -> np.ndarray:
    """Widths (groups,) left after dropping, in rounds, the steps with the least value per marginal cost.

    The marginal cost of a group depends on the widths of its neighbours, so each round drops only its share of
    the excess. Costs are shares of the budget, added up where there are several. Constant scores, the uniform control,
    stay uniform: the threshold policy decides.
    """
    if (steps.value == steps.value[:1]).all():
        return threshold(steps, budget)
    widths, kept = steps.full, np.arange(len(steps.group))
    excess = np.maximum(budget.cost(widths) - budget.limits, 0)
    for left in reversed(range(ROUNDS)):
        narrower = np.maximum(widths - steps.divisor * np.eye(len(widths), dtype=np.int64), 0)
        price = ((budget.cost(widths) - budget.cost(narrower)) / budget.limits).sum(-1)
        value_per_cost = steps.value / np.maximum(price, MIN_PRICE)[steps.group]
        kept = kept[np.argsort(-value_per_cost[kept], kind="stable")]
        looser = Budget(budget.measures, budget.limits + excess * left / ROUNDS)
        widths, rest = steps.take(steps.floor, kept, looser)
        kept = kept[: len(kept) - len(rest)]
    order = np.argsort(-value_per_cost, kind="stable")
    return steps.fill(widths, order[~np.isin(order, kept)], value_per_cost, budget)


POLICIES = {"threshold": threshold, "density": density}


def _ranked(graph: ChannelGraph, scores: Mapping[str, Tensor]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per free group its channels from best to worst, and their scores in that order."""
    for name in scores:
        if name not in graph.free:
            raise UserError(f"scores for {name!r}, which is no free group of this graph")
    ranked = []
    for name, group in graph.free.items():
        if name not in scores:
            raise UserError(f"no scores for group {name!r}")
        score = torch.as_tensor(scores[name]).detach().cpu().double().numpy()
        if score.shape != (group.width,):
            raise UserError(f"scores of group {name!r} have shape {score.shape}, not ({group.width},)")
        if not np.isfinite(score).all():
            raise UserError(f"scores of group {name!r} hold NaN or infinity")
        order = np.argsort(-score, kind="stable")
        ranked.append((order, score[order]))
    return ranked


def _floors(graph: ChannelGraph, min_ratio: float | Mapping[str, float]) -> np.ndarray:
    """The least width of every free group, (groups,)."""
    if isinstance(min_ratio, Mapping):
        ratios = dict.fromkeys(graph.free, MIN_RATIO)
        for pattern, ratio in min_ratio.items():
            matched = fnmatch.filter(graph.free, pattern)
            if not matched:
                raise UserError(f"min_ratio for {pattern!r}, which is no free group of this graph")
            ratios.update(dict.fromkeys(matched, ratio))
    else:
        ratios = dict.fromkeys(graph.free, min_ratio)
    for name, ratio in ratios.items():
        if not 0 <= ratio <= 1:
            raise UserError(f"min_ratio={ratio!r} of group {name!r}: use a number from 0 to 1")
    # The small allowance keeps e.g. 0.07 * 100 from being rounded up to 8.
    return np.array([max(math.ceil(ratios[name] * g.width - 1e-9), 1) for name, g in graph.free.items()])


def _growth(graph: ChannelGraph, growth: Mapping[str, float]) -> np.ndarray:
    """How fast every free group grows, (groups,)."""
    for name, factor in growth.items():
        if name not in graph.free:
            raise UserError(f"growth for {name!r}, which is no free group of this graph")
        if not 0 < factor < math.inf:
            raise UserError(f"growth={factor!r} of group {name!r}: use a positive number")
    return np.array([growth.get(name, 1.0) for name in graph.free])


def _widest(graph: ChannelGraph, widest: Mapping[str, int], floors: np.ndarray) -> np.ndarray:
    """The largest width of every free group, (groups,)."""
    for name in widest:
        if name not in graph.free:
            raise UserError(f"widest for {name!r}, which is no free group of this graph")
    widths = [min(widest.get(name, group.width), group.width) for name, group in graph.free.items()]
    return np.maximum(widths, floors)


def _share(ratio: float, whole: int) -> float:
    """The ratio of a count; a whole number where it is one but for rounding, so that a share gives back its count."""
    nearest = np.rint(ratio * whole)
    return nearest if math.isclose(ratio * whole, nearest, rel_tol=1e-9) else ratio * whole


def _budget(steps: Steps, limits: Mapping[str, tuple[Measure, float]]) -> Budget:
    """All budgets as one; raises BudgetError where the floors alone exceed one."""
    if not limits:
        raise UserError("search needs a budget: give max_flops, max_params or max_acts")
    for kind, (measure, limit) in limits.items():
        least = measure(steps.floor)
        if not least <= limit:
            raise BudgetError(
                f"the budget of {_number(limit)} {kind} cannot be met: the floors alone cost {_number(least)}; "
                "raise it, or lower min_ratio or divisor"
            )
    return Budget([measure for measure, _ in limits.values()], np.array([limit for _, limit in limits.values()]))


def _number(cost: float) -> str:
    """Counts in full, shares to three digits."""
    return f"{cost:,.0f}" if cost >= 100 else f"{cost:.3g}"
