"""The closed form: exact where it is known, never falling, and found again from times that it has made."""

import numpy as np
import pytest

from lwdna_mm.latency import LatencyModel, fit
from lwdna_mm.latency.fit import Error
from lwdna_mm.latency.plans import random_widths as plans
from tests.check_networks import prepare
from tests.test_latency.profiles import digits, model_of, random_widths


def test_the_baseline_takes_one_time() -> None:
    graph = digits()[1]
    measure = model_of(graph).measure(graph.complexity, graph.vector())
    assert float(measure(graph.vector())) == pytest.approx(1.0)
    assert measure(np.tile(graph.vector(), (2, 3, 1))).shape == (2, 3)


def test_shares_follow_their_costs() -> None:
    graph = digits()[1]
    flops = LatencyModel(0.0, 1, {n: dict(flops=0.1) for n in graph.complexity.layers})
    wide = graph.vector() * 2
    expected = sum(
        0.1 * float(one.flops(wide)) / float(one.flops(graph.vector())) for one in graph.complexity.layers.values()
    )
    assert float(flops.measure(graph.complexity, graph.vector())(wide)) == pytest.approx(expected)


def test_lanes_round_the_widths_of_flops_up() -> None:
    graph = digits()[1]
    vectors = LatencyModel(0.0, 16, {name: dict(vectors=0.1) for name in graph.complexity.layers})
    measure = vectors.measure(graph.complexity, graph.vector())
    full = float(measure(graph.vector()))
    assert (graph.vector() % 16 == 0).all()
    narrower = graph.vector().copy()
    narrower[3] -= 5  # within the same sixteen
    assert float(measure(narrower)) == pytest.approx(full)
    narrower[3] -= 16
    assert float(measure(narrower)) < full


@pytest.mark.parametrize("lanes", [1, 8, 16])
def test_time_never_falls_when_a_width_grows(lanes: int) -> None:
    graph = digits()[1]
    measure = model_of(graph, lanes=lanes).measure(graph.complexity, graph.vector())
    for widths in random_widths(graph, 20):
        wider = widths + np.eye(len(widths), dtype=np.int64)
        assert (measure(wider) >= measure(widths) - 1e-12).all()


def test_layers_and_the_constant_are_the_whole() -> None:
    graph = digits()[1]
    model = model_of(graph)
    for widths in random_widths(graph, 5):
        whole = float(model.measure(graph.complexity, graph.vector())(widths))
        assert sum(model.by_layer(graph.complexity, graph.vector(), widths).values()) + 0.2 == pytest.approx(whole)


@pytest.mark.parametrize("name", ["ResNet-20 (CIFAR)", "MobileNetV2"])
def test_fit_predicts_plans_that_it_has_not_seen(name: str) -> None:
    graph = prepare(name)[1]
    rng = np.random.default_rng(0)
    base, complexity = graph.vector(), graph.complexity
    shares = {
        layer: dict(zip(("vectors", "acts", "params"), rng.exponential(size=3), strict=True))
        for layer in complexity.layers
    }
    whole = sum(sum(one.values()) for one in shares.values())
    shares = {layer: {kind: 0.9 * v / whole for kind, v in one.items()} for layer, one in shares.items()}
    truth = LatencyModel(0.1, 16, shares).measure(complexity, base)
    widths = plans(graph, 52)
    times = truth(widths)
    noisy = times * np.exp(0.01 * rng.normal(size=len(times)))
    model = fit(complexity, base, widths[:40], noisy[:40])
    assert all(share >= 0 for one in model.shares.values() for share in one.values())
    error = Error.of(model.measure(complexity, base)(widths[40:]), times[40:])
    assert error.median < 0.04
    assert error.rank > 0.95
    assert error.plans == 12


def test_random_plans_spread_widths_and_costs() -> None:
    graph = prepare("ResNet-20 (CIFAR)")[1]
    widths = plans(graph, 40)
    shares = widths / graph.vector()
    flops = graph.complexity.flops(widths) / graph.flops()
    assert (widths == plans(graph, 40)).all()
    assert (plans(graph, 40, divisor=8) % 8 == 0).all()
    assert (plans(graph, 5, divisor=64)[:, graph.vector() < 64] == graph.vector()[graph.vector() < 64]).all()
    assert 0.3 < flops.min() < 0.6
    assert 1.4 < flops.max() <= 1.6
    assert (shares.min(0) < 0.7).all()
    assert (shares.max(0) > 1.3).all()
