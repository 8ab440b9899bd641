"""A program and how it grows."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Collection

import torch
from torch import Tensor, nn

Run = Callable[..., Tensor | list[Tensor]]


def as_list(result: Tensor | list[Tensor]) -> list[Tensor]:
    """The results of a step."""
    return list(result) if isinstance(result, (list, tuple)) else [result]


class Program(nn.Module):
    """A random network.

    Attributes:
        steps: (title, indices of the values read, function) for each step.
        results: how many values each step makes.
        constant: whether a channel count is spelt as a Python number somewhere.
        least: the smallest width worth trying: torch.einsum multiplies instead of contracting where one
            channel is left, and torch's flop counter does not count that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.parameters_ = nn.ParameterList()
        self.steps: list[tuple[str, list[int], Run]] = []
        self.results: list[int] = []
        self.outputs: list[int] = []
        self.constant = False
        self.least = 1

    def layer(self, module: nn.Module) -> int:
        """Add a layer; return its index. Steps refer to layers by index, so that copies stay apart."""
        self.layers.append(module)
        return len(self.layers) - 1

    def parameter(self, *shape: int) -> int:
        """Add a bare parameter; return its index."""
        self.parameters_.append(nn.Parameter(torch.randn(*shape)))
        return len(self.parameters_) - 1

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        values: list[Tensor] = list(inputs)
        for _, reads, run in self.steps:
            values.extend(as_list(run(self, *(values[i] for i in reads))))
        return [values[i] for i in self.outputs]

    def without(self, dropped: Collection[int], inputs: int) -> Program:
        """The program without some steps, for whose results what they read first stands in; it may not run.

        Args:
            inputs: how many there are.
        """
        if not dropped:
            return self
        rest, place = copy.copy(self), list(range(inputs))  # of every value of the whole program, its index in the rest
        rest.steps, made = [], inputs
        for index, (title, reads, run) in enumerate(self.steps):
            reads = [place[i] for i in reads]
            if index in dropped:
                place += [reads[0]] * self.results[index]
            else:
                rest.steps.append((title, reads, run))
                place += range(made, made + self.results[index])
                made += self.results[index]
        rest.outputs = [place[i] for i in self.outputs]
        return rest

    def listing(self) -> str:
        """The steps, for a report."""
        return "\n".join(f"{title} {reads}" for title, reads, _ in self.steps) + f"\noutputs {self.outputs}"


class Writer:
    """Grows a program step by step, running each step to know the shapes."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.program = Program()
        self.values: list[Tensor] = []

    def add(self, title: str, reads: list[int], run: Run) -> None:
        with torch.no_grad():
            results = as_list(run(self.program, *(self.values[i].clone() for i in reads)))
        self.program.steps.append((title, reads, run))
        self.program.results.append(len(results))
        self.values.extend(results)

    def image(self) -> int:
        """The index of a random value of shape (1, C, H, W)."""
        found = [i for i, v in enumerate(self.values) if v.ndim == 4]
        return self.rng.choice(found[-4:] if self.rng.random() < 0.8 else found)

    def alike(self, index: int) -> int:
        """Another value of the same shape, made by a convolution where there is none."""
        shape = self.values[index].shape
        found = [i for i, v in enumerate(self.values) if v.shape == shape and i != index]
        if found and self.rng.random() < 0.8:
            return self.rng.choice(found)
        self.convolution(index, shape[1], bias=True)
        return len(self.values) - 1

    def convolution(self, index: int, out: int, kernel: int = 1, groups: int = 1, bias: bool = False) -> None:
        channels = self.values[index].shape[1]
        n = self.program.layer(nn.Conv2d(channels, out, kernel, 1, kernel // 2, groups=groups, bias=bias))
        self.add(f"conv {channels}->{out} k{kernel} g{groups}", [index], lambda p, x: p.layers[n](x))
