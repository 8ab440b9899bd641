"""A network's time as a closed form of its widths."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..channels.complexity import Complexity
from ..shrink.steps import Measure

KINDS = ("flops", "acts", "params")


@dataclass(frozen=True)
class LatencyModel:
    """Time as multiples of the baseline's: a constant, and of every layer's FLOPs, activations and parameters a share.

    No share is negative, so the time never falls when a width grows.

    Attributes:
        constant: what no width changes.
        lanes: a layer has the FLOPs of widths rounded up to multiples of this: processors work in whole vectors.
        shares: by layer and kind of cost, the share of the baseline's time that the baseline's own cost takes.
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
        layers = {kind: self._rates(kind, complexity, base) for kind in KINDS}
        rates = {
            kind: np.array([layers[kind].get(layer_of(term[0]), 0.0) for term in complexity.terms[kind]])
            for kind in KINDS
        }

        def time(widths: np.ndarray) -> np.ndarray:
            parts = (
                getattr(complexity, kind).products(seen_as(kind, np.asarray(widths), self.lanes)) @ rates[kind]
                for kind in KINDS
            )
            return self.constant + sum(parts)

        return time

    def by_layer(self, complexity: Complexity, base: np.ndarray, widths: np.ndarray) -> dict[str, float]:
        """The time of each layer at ``widths`` (groups,); the constant is left over."""
        times = dict.fromkeys(self.shares, 0.0)
        for kind in KINDS:
            for layer, rate in self._rates(kind, complexity, base).items():
                cost = getattr(complexity.layers[layer], kind)(seen_as(kind, widths, self.lanes))
                times[layer] += rate * float(cost)
        return times

    def _rates(self, kind: str, complexity: Complexity, base: np.ndarray) -> dict[str, float]:
        """By layer the time of one unit of its cost; layers without a share are left out."""
        rates = {}
        for layer, shares in self.shares.items():
            if shares.get(kind):
                rates[layer] = shares[kind] / float(
                    getattr(complexity.layers[layer], kind)(seen_as(kind, base, self.lanes))
                )
        return rates


def layer_of(module: str) -> str:
    """The layer that a module's cost is of, see :attr:`Complexity.layers`."""
    return module.partition(".parametrizations.")[0]


def seen_as(kind: str, widths: np.ndarray, lanes: int) -> np.ndarray:
    """The widths at which a kind of cost is taken."""
    return -(-widths // lanes) * lanes if kind == "flops" else widths
