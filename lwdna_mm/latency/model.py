"""A network's time as a closed form of its widths."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..channels.complexity import Complexity
from ..shrink.steps import Measure

# Kinds of cost: what is counted, and whether at widths rounded up to whole vectors.
KINDS = {"flops": ("flops", False), "vectors": ("flops", True), "acts": ("acts", False), "params": ("params", False)}


@dataclass(frozen=True)
class LatencyModel:
    """Time as multiples of the baseline's: a constant, and for every layer's FLOPs, activations and parameters a share.

    No share is negative, so the time never falls when a width grows. FLOPs count twice: as they are, and as those of
    widths rounded up to a multiple of ``lanes``, because processors work in whole vectors.

    Attributes:
        constant: what no width changes.
        lanes: numbers in a vector.
        shares: by layer and kind of cost (``flops, vectors, acts, params``), the share of the baseline's time that the
            baseline's own cost takes.
    """

    constant: float
    lanes: int
    shares: Mapping[str, Mapping[str, float]]

    def measure(self, complexity: Complexity, base: np.ndarray) -> Measure:
        """The closed form: a function of widths (..., groups) that gives times (...,).

        Args:
            complexity: of the network, with the layers of ``shares``.
            base: the baseline's widths, (groups,).
        """
        rates = {}
        for kind, (cost, _) in KINDS.items():
            layers = self._rates(kind, complexity, base)
            rates[kind] = np.array([layers.get(layer_of(term[0]), 0.0) for term in complexity.terms[cost]])

        def time(widths: np.ndarray) -> np.ndarray:
            seen = {rounded: _seen(np.asarray(widths), rounded, self.lanes) for rounded in (False, True)}
            parts = (
                getattr(complexity, cost).products(seen[rounded]) @ rates[kind]
                for kind, (cost, rounded) in KINDS.items()
            )
            return self.constant + sum(parts)

        return time

    def by_layer(self, complexity: Complexity, base: np.ndarray, widths: np.ndarray) -> dict[str, float]:
        """The time of each layer at ``widths`` (groups,); the constant is left over."""
        times = dict.fromkeys(self.shares, 0.0)
        for kind in KINDS:
            for layer, rate in self._rates(kind, complexity, base).items():
                times[layer] += rate * float(cost_of(kind, complexity.layers[layer], widths, self.lanes))
        return times

    def _rates(self, kind: str, complexity: Complexity, base: np.ndarray) -> dict[str, float]:
        """By layer the time of one unit of its cost; layers without a share are left out."""
        rates = {}
        for layer, shares in self.shares.items():
            if shares.get(kind):
                rates[layer] = shares[kind] / float(cost_of(kind, complexity.layers[layer], base, self.lanes))
        return rates


def layer_of(module: str) -> str:
    """The layer that a module's cost is of, see :attr:`Complexity.layers`."""
    return module.partition(".parametrizations.")[0]


def cost_of(kind: str, layer: Complexity, widths: np.ndarray, lanes: int) -> np.ndarray:
    """A kind of cost of a layer at widths (..., groups): (...,)."""
    cost, rounded = KINDS[kind]
    return getattr(layer, cost)(_seen(widths, rounded, lanes))


def _seen(widths: np.ndarray, rounded: bool, lanes: int) -> np.ndarray:
    return -(-widths // lanes) * lanes if rounded else widths
