"""Groups that fail are found together, and quickly."""

import pytest
import torch
from torch import nn

from lwdna_mm.channels import ChannelPlan, ResizeError, analyze, resize
from lwdna_mm.channels.resize import attempt_shapes, failures


class Fixed(nn.Conv2d):
    """Counts its channels by a number in Python."""

    def forward(self, x):
        y = super().forward(x)
        return y.view(1, 8, *y.shape[2:])


class Apart(nn.Module):
    """Fails where both groups have changed, and not where one has."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.last = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        if a.shape[1] != 8 and b.shape[1] != 8:
            raise ValueError("both have changed")
        return self.last(b)


def chain(fixed: set[int], length: int = 16) -> nn.Module:
    kinds = [Fixed if index in fixed else nn.Conv2d for index in range(length)]
    return nn.Sequential(*(kind(3 if i == 0 else 8, 8, 1) for i, kind in enumerate(kinds)), nn.Conv2d(8, 2, 1)).eval()


def test_all_that_fail_are_frozen_at_once():
    model = chain({2, 3, 11})
    graph = analyze(model, torch.rand(1, 3, 4, 4), on_failure="freeze")
    assert [name for name, reason in graph.frozen.items() if "fails" in reason] == ["2", "3", "11"]
    assert len(graph.free) == 13
    resize(model, graph, graph.scaled(0.5))


def test_failures_are_found_by_halving():
    model, tried = chain({2, 3, 11}), []
    graph = analyze(model, torch.rand(1, 3, 4, 4))

    def attempt(*arguments):
        tried.append(list(arguments[2]))
        return attempt_shapes(*arguments)

    sources = graph.resolve(graph.scaled(2.0))
    found = list(failures(model, graph, sources, RuntimeError("so"), attempt))
    assert [failure.group for failure in found] == ["2", "3", "11"]
    assert "view in module '2' of (1, 16, 4, 4)" in str(found[0])
    assert len(tried) < 16


class Undefined(nn.Sequential):
    """Puts out what no proof can compare."""

    def forward(self, x):
        return super().forward(x) * torch.nan


def test_a_network_that_fails_as_it_is_says_so():
    model = Undefined(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1))
    graph = analyze(model, torch.rand(1, 3, 4, 4))
    for plan in (ChannelPlan({}), ChannelPlan(graph.widths)):
        with pytest.raises(ResizeError, match=r"^the resized network fails: its outputs hold no finite number"):
            resize(model, graph, plan)
    with pytest.raises(ResizeError, match=r"^the resized network fails"):
        analyze(model, torch.rand(1, 3, 4, 4), on_failure="freeze")


def test_a_failure_of_two_groups_together_names_neither():
    model = Apart()
    graph = analyze(model, torch.rand(1, 3, 4, 4))
    resize(model, graph, ChannelPlan({"a": 4}))
    with pytest.raises(ResizeError, match="the resized network fails: both have changed") as caught:
        resize(model, graph, ChannelPlan({"a": 4, "b": 4}))
    assert caught.value.group is None
