"""Timing: real steps, in turns."""

import platform
import resource
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from lwdna_mm.latency import Setting, Workload, clock, middle_ratios, ratios, time_in_turns
from lwdna_mm.latency.layers import time_by_layer
from lwdna_mm.latency.steps import make_step
from tests.test_latency.profiles import digits

WALL = Setting("a clock", threads=2)


def test_times_are_those_of_the_steps() -> None:
    calls = []
    steps = [lambda n=n: (calls.append(n), time.sleep(0.01 * n)) for n in (1, 3)]
    times = time_in_turns(steps, WALL, turns=6)
    assert times.shape == (6, 2)
    assert 2.0 < np.median(ratios(times)[:, 1]) < 3.5  # sleeping may take longer
    assert calls[:2] != calls[-2:] or len(set(calls)) == 2


def test_one_thread_is_timed_by_its_own_clock() -> None:
    def step() -> None:
        started = time.thread_time()
        while time.thread_time() - started < 0.01:
            pass
        time.sleep(0.05)

    times = time_in_turns([step], replace(WALL, threads=1), turns=3)
    assert 0.009 < np.median(times) < 0.03


def test_no_turn_begins_after_the_time_is_over() -> None:
    assert len(time_in_turns([lambda: time.sleep(0.01)], WALL, turns=50, seconds=0.01)) == 3


def test_long_timings_tell_how_far_they_are(monkeypatch) -> None:
    monkeypatch.setattr(clock, "QUIET", 0.0)
    told: list[str] = []
    time_in_turns([lambda: time.sleep(0.01)] * 2, WALL, turns=4, tell=told.append)
    assert [line.split(";")[0] for line in told] == [f"turn {n} of at most 4" for n in (1, 1, 2, 2, 3, 3, 4, 4)]
    assert told[-1].endswith("about 0 s left")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_large_blocks_are_not_mapped_anew() -> None:
    faults = []

    def step() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.ones(10_000_000)  # 40 MB are some 10,000 pages
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

    time_in_turns([step], replace(WALL, threads=1), turns=3)
    assert np.median(faults) < 1000


def test_outliers_of_one_network_leave_the_others() -> None:
    sizes = np.linspace(1, 3, 9)
    times = np.outer(np.array([1.0, 2.0, 4.0, 1.0, 1.0]), sizes)
    times[0, 2] = 9.0
    times[1:3, 0] *= 1.3  # the first network itself was disturbed in two of five turns
    assert middle_ratios(times) == pytest.approx(sizes)


def test_a_training_step_leaves_gradients_but_the_weights() -> None:
    model = digits()[0]
    before = [p.clone() for p in model.parameters()]
    make_step(model, [(1, 8, 8)], Workload(4, train=True), Setting.here(1, channels_last=True))()
    assert model.training
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(p.grad is not None for p in model.parameters())
    seen = []
    handle = model.head.fc.register_forward_hook(lambda module, args, out: seen.append((out.dtype, len(out))))
    make_step(model, [(1, 8, 8)], Workload(2), Setting.here(1, dtype="bf16"))()
    handle.remove()
    assert not model.training
    assert seen == [(torch.bfloat16, 2)]


def test_time_by_layer() -> None:
    model, graph = digits()

    class Slow(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            time.sleep(0.003)
            return x

    network = torch.nn.Sequential(Slow(), torch.nn.Conv2d(1, 2, 1), Slow())
    times = time_by_layer(network, lambda: network(torch.rand(1, 1, 8, 8)), ["0", "1"])
    assert times["0"] > 0.002
    assert times["1"] < times["0"]
    assert times[""] > 0.002  # the third module is no layer
    step = make_step(model, [(1, 8, 8)], Workload(1), Setting.here(1))
    assert set(time_by_layer(model, step, list(graph.complexity.layers))) == {*graph.complexity.layers, ""}
    assert not any(module._forward_hooks for module in model.modules())
