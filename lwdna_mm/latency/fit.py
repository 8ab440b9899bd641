"""Fitting a latency model to measured times."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import nnls
from scipy.stats import spearmanr

from ..channels.complexity import Complexity
from .model import KINDS, LatencyModel, cost_of

# What is tried, judged by folds of the plans that are fitted.
LANES = (8, 16)
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
FOLDS = 5


@dataclass(frozen=True)
class Error:
    """How far predictions are off.

    Attributes:
        median, worst: relative errors.
        rank: Spearman's correlation of predicted and measured.
        plans: how many were predicted.
    """

    median: float
    worst: float
    rank: float
    plans: int

    @classmethod
    def of(cls, predicted: np.ndarray, measured: np.ndarray) -> "Error":
        """Compare predictions (plans,) with measurements (plans,)."""
        errors = np.abs(predicted / measured - 1)
        rank = float(spearmanr(predicted, measured).statistic)
        return cls(float(np.median(errors)), float(errors.max()), rank, len(errors))


def fit(complexity: Complexity, base: np.ndarray, widths: np.ndarray, times: np.ndarray) -> LatencyModel:
    """The model that has the least relative error on plans that are held out in turn.

    All layers pay alike for each kind of cost, unless the times speak against it: a layer's rate is drawn to the
    mean by a strength that is chosen, like the number of lanes, by cross-validation.

    Args:
        complexity: of the network.
        base: the baseline's widths, (groups,).
        widths: of the plans, (plans, groups).
        times: of the plans as multiples of the baseline's, (plans,).
    """
    folds = np.random.default_rng(0).permutation(len(times)) % FOLDS
    best, chosen = np.inf, (LANES[0], STRENGTHS[0])
    for lanes, strength in product(LANES, STRENGTHS):
        shares = _cost_shares(complexity, base, widths, lanes)
        predicted = np.empty(len(times))
        for fold in range(FOLDS):
            own = folds != fold
            constant, found = _solve(shares[own], times[own], strength)
            predicted[~own] = constant + np.tensordot(shares[~own], found, 2)
        error = float(np.median(np.abs(predicted / times - 1)))
        if error < best:
            best, chosen = error, (lanes, strength)
    lanes, strength = chosen
    constant, found = _solve(_cost_shares(complexity, base, widths, lanes), times, strength)
    own = _cost_shares(complexity, base, base[None], lanes)[0]
    layers = {
        layer: {kind: round(float(rate * share), 6) for kind, rate, share in zip(KINDS, rates, costs, strict=True)}
        for layer, rates, costs in zip(complexity.layers, found, own, strict=True)
    }
    return LatencyModel(round(float(constant), 6), lanes, layers)


def _cost_shares(complexity: Complexity, base: np.ndarray, widths: np.ndarray, lanes: int) -> np.ndarray:
    """The costs of every plan and layer as shares of the whole baseline's, (plans, layers, kinds)."""
    kinds = []
    for kind in KINDS:
        costs = [cost_of(kind, layer, np.vstack([base, widths]), lanes) for layer in complexity.layers.values()]
        costs = np.stack(costs, 1).astype(float)
        kinds.append(costs[1:] / max(costs[0].sum(), 1.0))
    return np.stack(kinds, 2)


def _solve(shares: np.ndarray, times: np.ndarray, strength: float) -> tuple[float, np.ndarray]:
    """The non-negative constant and rates (layers, kinds) of the least squared relative errors.

    Besides them each kind has an unknown for its mean rate, from which the rates of its layers are held not to
    depart; a layer is held the more, the more of that cost it has.
    """
    plans, layers, kinds = shares.shape
    features = shares.reshape(plans, -1)
    fitted = np.hstack([np.ones((plans, 1)), features, np.zeros((plans, kinds))]) / times[:, None]
    weights = np.sqrt(strength * plans * features.mean(0))
    means = np.tile(np.eye(kinds), (layers, 1))
    held = np.hstack([np.zeros((layers * kinds, 1)), np.diag(weights), -weights[:, None] * means])
    rows = np.vstack([fitted, held])
    target = np.concatenate([np.ones(plans), np.zeros(len(held))])
    solution, _ = nnls(rows, target, maxiter=100 * rows.shape[1])
    return float(solution[0]), solution[1 : 1 + layers * kinds].reshape(layers, kinds)
