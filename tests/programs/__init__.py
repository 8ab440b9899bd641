"""Random CNN programs: every kind of layer and tensor operation, joined at random, in several spellings.

A program is an ``nn.Module`` that interprets a list of steps over a growing list of values. Steps marked
``constant`` spell a channel count as a Python number, which no resized network can follow: the engine has
to keep such channels or to refuse.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from tests.programs import layers, operations
from tests.programs.program import Program, Writer

__all__ = ["Program", "random_program"]

# How to add a step, and how often.
STEPS = [
    (layers.conv, 6), (layers.grouped, 2), (layers.depthwise, 2), (layers.transposed, 1), (layers.norm, 4),
    (layers.layer_norm, 1), (operations.activation, 4), (operations.join, 4), (operations.cat, 3),
    (operations.split, 2), (operations.shuffle, 3), (operations.spatial, 2), (operations.attention, 2),
    (layers.bare, 2), (layers.linear, 2), (layers.shared, 1), (operations.write, 1), (operations.correlate, 1),
]  # fmt: skip


def random_program(rng: random.Random, most: int = 12) -> tuple[Program, tuple[Tensor, ...]]:
    """A random program and inputs for it, in float64.

    Args:
        rng: where all decisions come from.
        most: the largest number of steps.
    """
    torch.manual_seed(rng.randrange(2**31))
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return _random_program(rng, most)
    finally:
        torch.set_default_dtype(default)


def _random_program(rng: random.Random, most: int) -> tuple[Program, tuple[Tensor, ...]]:
    writer = Writer(rng)
    inputs = tuple(torch.randn(1, rng.choice([2, 3]), 6, 6) for _ in range(rng.choice([1, 1, 1, 2])))
    writer.values = list(inputs)
    for i in range(len(inputs)):
        writer.convolution(i, rng.randint(4, 8), 3, bias=True)
    kinds, weights = zip(*STEPS, strict=True)
    for _ in range(rng.randint(2, most)):
        rng.choices(kinds, weights)[0](writer)
    last = len(writer.values) - 1
    if rng.random() < 0.8 and writer.values[last].ndim == 4:
        writer.convolution(last, 2, 1, bias=True)
        last = len(writer.values) - 1
    program = writer.program
    program.outputs = [last]
    if rng.random() < 0.3:
        program.outputs.append(rng.randrange(len(inputs), last + 1))
    program.eval()
    for module in program.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return program, inputs
