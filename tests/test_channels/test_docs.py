"""The example rule of docs/channels.md, as it stands there."""

import random
import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lwdna_mm.channels import analyze
from lwdna_mm.channels.tracing.rules import RULES
from tests.oracle import halved_difference, masked_difference, random_plan

PAGE = Path(__file__).resolve().parents[2] / "docs" / "channels.md"


class Gated(nn.Module):
    """A convolution, F.glu, a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.glu(self.first(x), 1))


def test_the_example_rule_makes_glu_exact() -> None:
    model, x = Gated().double().eval(), torch.randn(1, 3, 4, 4, dtype=torch.float64)
    assert not analyze(model, x).free
    (example,) = re.findall(r"```python\n(from lwdna_mm.channels.tracing.labels.*?)```", PAGE.read_text(), re.S)
    before = dict(RULES)
    try:
        exec(example, {})
        graph = analyze(model, x)
        assert graph.widths == {"first": 4}
        assert masked_difference(model, graph, random_plan(graph, random.Random(0))) < 1e-12
        assert halved_difference(model, graph) < 1e-12
    finally:
        RULES.clear()
        RULES.update(before)
