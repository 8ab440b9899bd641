"""What a model puts out: all its tensors are seen, or the model is refused; and which layers are the last."""

import enum
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lwdna_mm.channels import AnalysisError, ChannelPlan, analyze, resize


@dataclass
class Found:
    """As many libraries return it; torch's pytrees do not look into it."""

    scores: Tensor
    more: Any = None


class Sample:
    """As mmengine's data elements."""

    def __init__(self, scores: Tensor) -> None:
        self.scores = scores


class Named(dict):
    """As the outputs of transformers."""


class Puts(nn.Sequential):
    """Two layers; what they compute is put out in some way."""

    def __init__(self, wrap: Any) -> None:
        super().__init__(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1))
        self.wrap = wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(super().forward(x))


IMAGE = torch.rand(1, 3, 4, 4)


@pytest.mark.parametrize(
    "wrap",
    [
        Found,
        lambda y: {"found": [Found(y, {"scale": 2.0})], "kind": "scores", "none": None},
        lambda y: Found(torch.zeros(1), Found(y)),
        lambda y: Named(scores=y),
    ],
)
def test_outputs_in_dataclasses_and_containers_are_outputs(wrap: Any) -> None:
    model = Puts(wrap)
    graph = analyze(model, IMAGE)
    assert graph.widths == {"0": 8}
    assert graph.frozen == {"1": "an output of the model"}
    assert resize(model, graph, ChannelPlan({"0": 4}))[0].out_channels == 4


@pytest.mark.parametrize(
    ("wrap", "message"),
    [
        (Sample, "the model puts out a Sample, whose tensors cannot be seen; give forward= that returns tensors"),
        (lambda y: [y, Found(y, {Sample(y)})], "puts out a set, whose tensors cannot be seen"),
        (lambda y: enum.Enum("Kind", "a").a, "puts out a Kind, whose"),
        (lambda y: {"size": [4, 4]}, "the model puts out no tensor; give forward= that returns tensors"),
    ],
)
def test_outputs_that_cannot_be_seen(wrap: Any, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        analyze(Puts(wrap), IMAGE)


def test_a_forward_of_ones_own_returns_the_tensors() -> None:
    graph = analyze(Puts(Sample), IMAGE, forward=lambda model, x: model(x).scores)
    assert graph.frozen == {"1": "an output of the model"}


class Regressor(nn.Module):
    """Scores of one channel, put out in some shape."""

    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.body, self.shape = nn.Linear(3, 8), shape
        self.head = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shape(self.head(F.relu(self.body(x))))


@pytest.mark.parametrize(
    "shape", [lambda y: y, lambda y: y.squeeze(1), lambda y: y.view(-1), lambda y: y.squeeze(1).sigmoid(), torch.mean]
)
def test_a_single_channel_has_a_last_layer_in_any_shape(shape: Any) -> None:
    assert analyze(Regressor(shape), torch.rand(4, 3)).last == ("body",)


@pytest.mark.parametrize("squeeze", [lambda y: y, lambda y: y[:, 0], lambda y: y.flatten()])
def test_a_cross_correlation_has_no_last_layer(squeeze: Any) -> None:
    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 3))

        def forward(self, z: Tensor, x: Tensor) -> Tensor:
            return squeeze(F.conv2d(self.net(x), self.net(z)))

    graph = analyze(Siamese(), (torch.rand(1, 3, 8, 8), torch.rand(1, 3, 12, 12)))
    assert len(graph.free) == 2
    assert graph.last == ()
