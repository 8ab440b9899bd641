"""FLOPs, parameters and activations as a closed form of the widths.

FLOPs are multiply-adds of convolutions, linear layers and matrix products, the field's convention; activations
are the elements that convolutions and linear layers put out. Each such operation costs ``c * prod_k (A_k w + b_k)``
for the vector ``w`` of widths: a constant times the sizes of the axes that change with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass
class Axis:
    """The size of an axis: a weighted sum of widths and a constant."""

    weights: Mapping[int, int]
    constant: int


class Polynomial:
    """A sum of products of axis sizes.

    Args:
        terms: ``(factor, axes)`` for each product.
        count: number of widths.
    """

    def __init__(self, terms: Sequence[tuple[int, Sequence[Axis]]], count: int) -> None:
        most = max((len(axes) for _, axes in terms), default=1)
        self.factors = np.array([factor for factor, _ in terms], np.int64)
        self.weights = np.zeros((most, len(terms), count), np.int64)
        self.constants = np.ones((most, len(terms)), np.int64)
        for row, (_, axes) in enumerate(terms):
            for k, axis in enumerate(axes):
                self.constants[k, row] = axis.constant
                for column, weight in axis.weights.items():
                    self.weights[k, row, column] = weight

    def products(self, widths: np.ndarray) -> np.ndarray:
        """Each product for widths of shape (..., count), as int64 of shape (..., terms)."""
        widths = np.asarray(widths, np.int64)
        product = np.broadcast_to(self.factors, (*widths.shape[:-1], len(self.factors)))
        for weights, constants in zip(self.weights, self.constants, strict=True):
            product = product * (widths @ weights.T + constants)
        return product

    def __call__(self, widths: np.ndarray) -> np.ndarray:
        """The value for widths of shape (..., count), as int64 of shape (...)."""
        return self.products(widths).sum(-1)


LayerTerm = tuple[str, int, Sequence[Axis]]
"""The path of the module that a cost is of, a factor and the axes that it is multiplied by."""


class Complexity:
    """Costs as closed forms over the widths of a graph's free groups, in their order.

    Args:
        flops, params, acts: the terms of each.
        count: number of widths.

    Attributes:
        flops, params, acts: the sum of each over the whole network.
        terms: the terms of each, by its name.
    """

    def __init__(
        self, flops: Sequence[LayerTerm], params: Sequence[LayerTerm], acts: Sequence[LayerTerm], count: int
    ) -> None:
        self.terms, self.count = dict(flops=flops, params=params, acts=acts), count
        self.flops, self.params, self.acts = (
            Polynomial([(factor, axes) for _, factor, axes in terms], count) for terms in self.terms.values()
        )

    @cached_property
    def layers(self) -> dict[str, Complexity]:
        """The costs of every module that has FLOPs or activations of its own, in the order of execution."""
        names = dict.fromkeys(layer for cost in ("flops", "acts") for layer, *_ in self.terms[cost])
        by_layer: dict[str, dict[str, list[LayerTerm]]] = {name: {cost: [] for cost in self.terms} for name in names}
        for cost, terms in self.terms.items():
            for term in terms:
                layer = term[0].partition(".parametrizations.")[0]
                if layer in by_layer:
                    by_layer[layer][cost].append(term)
        return {name: Complexity(**terms, count=self.count) for name, terms in by_layer.items()}
