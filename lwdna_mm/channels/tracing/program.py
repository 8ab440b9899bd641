"""The operations of a forward pass as a straight-line program, to tell whether another pass runs the same."""

from __future__ import annotations

from functools import cache
from typing import Any

from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from lwdna_mm.channels.tracing.rules import tensors_in


class Program:
    """Notes every operation: what it is, what it works on, whether its results are floating-point, and which of their
    axes are longer than 1.

    Tensors are told apart, by a str, as parameters and buffers, inputs, results of earlier operations and constants;
    sizes, devices and other differences of type do not count. Where two passes have equal steps, the one does what the
    other does, with the same weights, to data of other sizes.

    Args:
        model: whose parameters and buffers are known by name.
        inputs: of the model.

    Attributes:
        steps: the operations so far.
    """

    def __init__(self, model: nn.Module, inputs: tuple) -> None:
        self.steps: list[tuple] = []
        named = [*model.named_parameters(), *model.named_buffers()]
        named += [(f"input {index}", leaf) for index, leaf in enumerate(tree_leaves(inputs))]
        self._known: dict[int, tuple[str, Any]] = {id(t): (name, t) for name, t in named}

    def note(self, func: Any, args: tuple, kwargs: dict, out: Any) -> None:
        """Add an operation."""
        sizes = _sizes(func)
        used = [self._key(value) for index, value in enumerate(args) if index not in sizes]
        used += [(name, self._key(value)) for name, value in kwargs.items() if name not in sizes]
        results = list(tensors_in(out))
        for index, result in enumerate(results):  # kept, so that its identity stays its own
            self._known.setdefault(id(result), (f"result {len(self.steps)}, {index}", result))
        made = [(result.is_floating_point(), [size > 1 for size in result.shape]) for result in results]
        self.steps.append((func, used, made))

    def _key(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._known[id(value)][0] if id(value) in self._known else "constant"
        if isinstance(value, (list, tuple)):
            return [self._key(item) for item in value]
        return value if isinstance(value, (bool, int, float, str)) else None


@cache
def _sizes(func: Any) -> frozenset[int | str]:
    """Positions and names of the arguments that are sizes."""
    arguments = enumerate(argument.name for argument in func._schema.arguments)
    return frozenset(place for item in arguments if item[1] in ("size", "output_size") for place in item)
