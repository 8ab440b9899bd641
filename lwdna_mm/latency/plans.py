"""Random widths to fit a latency model on, or to hold it against."""

import numpy as np

from ..channels import ChannelGraph

# Spread of the logarithm of a group's width, by itself and as a trend from the first group to the last.
SPREAD = 0.4
# Widths stay within these multiples of the network's own; FLOPs are drawn from these multiples of its own.
WIDTHS = (0.3, 2.5)
FLOPS = (0.4, 1.6)


def random_widths(graph: ChannelGraph, count: int, divisor: int = 1, seed: int = 0) -> np.ndarray:
    """Widths of the free groups of ``count`` random networks, (count, groups).

    Early and late layers, and each by itself, get more or less than their share, as they do in a search; all
    widths together are then scaled to FLOPs between 0.4 and 1.6 times those of the graph.

    Args:
        divisor: widths are multiples of it; a group that is narrower keeps its width.
    """
    rng = np.random.default_rng(seed)
    base = graph.vector()
    depth = np.linspace(-1, 1, len(base))
    found = []
    for _ in range(count):
        shares = np.exp(SPREAD * (rng.normal() * depth + rng.normal(size=len(base))))
        found.append(_scaled(graph, base, shares, rng.uniform(*FLOPS) * graph.flops(), divisor))
    return np.array(found, np.int64).reshape(count, len(base))


def _scaled(graph: ChannelGraph, base: np.ndarray, shares: np.ndarray, flops: float, divisor: int) -> np.ndarray:
    """The largest multiple of ``shares`` of the base widths that costs no more than ``flops``."""
    low, high = 1 / 16, 16.0
    for _ in range(24):
        middle = (low * high) ** 0.5
        if graph.complexity.flops(_widths(base, shares * middle, divisor)) > flops:
            high = middle
        else:
            low = middle
    return _widths(base, shares * low, divisor)


def _widths(base: np.ndarray, shares: np.ndarray, divisor: int) -> np.ndarray:
    widths = base * np.clip(shares, *WIDTHS)
    rounded = np.maximum(np.rint(widths / divisor), 1).astype(np.int64) * divisor
    return np.where(base < divisor, base, rounded)
