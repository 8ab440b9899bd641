"""One gate per channel of every free channel group of a model."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.errors import UserError
from lwdna_mm.shrink.gated_conv import gate_product


class Gates(Mapping[str, nn.Parameter]):
    """The gates of a model: group name -> parameter (width,), all 1 at the start.

    They are no parameters of the model, so that its optimizers, checkpoints and data-parallel wrappers do not
    see them; ``loss.backward()`` fills their ``grad``.
    """

    def __init__(
        self, parameters: dict[str, nn.Parameter], gated: list[tuple[nn.Module, list[str], list[str]]]
    ) -> None:
        """Hold the gates and, per gated module, the order of its parameters and the gated ones' names."""
        self._parameters = parameters
        self._gated = gated

    def __getitem__(self, name: str) -> nn.Parameter:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """The gated groups, in the order of the graph."""
        return tuple(self._parameters)

    def keep_first(self, widths: Mapping[str, int]) -> None:
        """Let the groups have their first channels only: gates of 1, and 0 for the others.

        Args:
            widths: how many channels each of the groups keeps.
        """
        with torch.no_grad():
            for name, width in widths.items():
                self[name].fill_(0)[:width] = 1

    def remove(self) -> None:
        """Give the model back its own classes, parameters (the same, in the same order) and state_dict keys."""
        while self._gated:
            module, order, attributes = self._gated.pop()
            # A deep copy of the model shares the class that parametrize made, and goes on needing it.
            made = type(module)
            module.__class__ = type(made.__name__, made.__bases__, dict(vars(made)))
            for attribute in attributes:
                parametrize.remove_parametrizations(module, attribute, leave_parametrized=False)
            for name in order:
                module._parameters[name] = module._parameters.pop(name)


class _Gate(nn.Module):
    """Parametrization that multiplies a parameter by gates along some of its dimensions.

    Args:
        gates: for each gated dimension, the gates used there.
        places: for each gated dimension, what :func:`places_of` gives.
    """

    def __init__(self, gates: dict[int, tuple[nn.Parameter, ...]], places: dict[int, Tensor]) -> None:
        super().__init__()
        # Inside a dict and tuples the gates are not registered as parameters of the model: see Gates.
        self.gates = gates
        for dim, value in places.items():
            self.register_buffer(f"places{dim}", value, persistent=False)

    def forward(self, weight: Tensor) -> Tensor:
        factors = []
        for dim, gates in self.gates.items():
            values = torch.cat([gates[0].new_ones(1), *gates])[getattr(self, f"places{dim}")]
            factors.append(values.view([-1 if i == dim else 1 for i in range(weight.dim())]))
        return gate_product(weight, tuple(factors))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        # The gates follow the model to another device or dtype.
        for gates in self.gates.values():
            for gate in gates:
                gate.data = fn(gate.data)
        return super()._apply(fn, recurse)


def attach_gates(model: nn.Module, graph: ChannelGraph) -> Gates:
    """Multiply a gate per channel into the weights, where each free group is judged: at ``group.gated``.

    That is at the inputs of the layers that read the group or, where no layer with weights reads it, at the
    outputs of those that write it. Gates act through parametrizations of the parameters, so any module works,
    shared modules and tied parameters too. While they are 1 the model computes exactly what it did before,
    forward and backward.

    Args:
        model: the network that was analysed; it is changed in place until :meth:`Gates.remove`.
        graph: ``analyze(model, ...)``.

    Raises:
        UserError: the graph is not this model's, or the model has gates already.
    """
    parameters = own_parameters(model, graph)
    gates: dict[str, nn.Parameter] = {}
    uses: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, group in graph.free.items():
        for param, dim in group.gated:
            uses[param][dim].append(name)
        like = parameters[group.gated[0][0]] if group.gated else next(iter(parameters.values()))
        gates[name] = nn.Parameter(like.new_ones(group.width))
    gate_of = {}
    for param, dims in uses.items():
        parameter = parameters[param]
        gate_of[parameter] = _Gate(
            {dim: tuple(gates[name] for name in names) for dim, names in dims.items()},
            {dim: places_of(graph, param, dim, names, parameter) for dim, names in dims.items()},
        )
    return Gates(gates, parametrize_all(model, gate_of))


def own_parameters(model: nn.Module, graph: ChannelGraph) -> dict[str, nn.Parameter]:
    """The parameters of a model by name.

    Raises:
        UserError: the graph is not this model's, or the model has gates already.
    """
    parameters = dict(model.named_parameters())
    for name, group in graph.free.items():
        for param, _ in group.gated:
            if param not in parameters:
                raise UserError(
                    f"the model has no parameter {param!r}, which group {name!r} of the graph has: "
                    "pass the graph of this very model, and attach gates only once"
                )
    count = sum(parameter.numel() for parameter in parameters.values())
    if count != graph.params():
        raise UserError(f"the model has {count} parameters, the graph's has {graph.params()}: pass its own graph")
    return parameters


def parametrize_all(
    model: nn.Module, parametrizations: Mapping[Tensor, nn.Module]
) -> list[tuple[nn.Module, list[str], list[str]]]:
    """Register a parametrization for each given parameter, wherever in the model it is; what :class:`Gates` takes."""
    gated = []
    for module in list(model.modules()):
        order = list(module._parameters)
        attributes = [name for name in order if module._parameters[name] in parametrizations]
        for attribute in attributes:
            parametrize.register_parametrization(module, attribute, parametrizations[module._parameters[attribute]])
        if attributes:
            gated.append((module, order, attributes))
    return gated


def places_of(graph: ChannelGraph, param: str, dim: int, names: list[str], parameter: Tensor) -> Tensor:
    """For every position along ``dim``, the index of its factor in ``[1, *gates of names]`` end to end."""
    places = np.zeros(parameter.shape[dim], dtype=np.int64)
    first = 1
    for name in names:
        group = graph.free[name]
        places[group.members[param, dim]] = first + np.arange(group.width)[:, None]
        first += group.width
    return torch.from_numpy(places).to(parameter.device)
