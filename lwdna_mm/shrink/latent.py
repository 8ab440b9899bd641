"""The paper's hypernetwork: convolution weights that are generated from the latents of the groups they join.

Li et al., "DHP: Differentiable Meta Pruning via HyperNetworks" (ECCV 2020, arXiv 2003.13683), which "The Heterogeneity
Hypothesis" (CVPR 2021, arXiv 2006.16242, section 3) takes over.
"""

import math

import torch
from torch import Tensor, nn

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.errors import UserError
from lwdna_mm.shrink.criteria import CRITERIA, GateGradientCriterion, checked_seed
from lwdna_mm.shrink.gates import Gates, attach_gates, own_parameters, parametrize_all, places_of
from lwdna_mm.shrink.registry import Registry

GATES = Registry("gate")


@GATES.register
class PlainGates:
    """Gates that multiply the weights, see :func:`attach_gates`."""

    def attach(self, model: nn.Module, graph: ChannelGraph) -> Gates:
        """As :func:`attach_gates`."""
        return attach_gates(model, graph)


@GATES.register
class LatentHypernet:
    """One latent number per channel, and a small hypernetwork per convolution that makes its weight of them.

    Every free group has a latent vector z, drawn from N(0, 1). The weight of a convolution, (O, I, k...), is

        S = z_out z_in^T + B0 (O, I);  E = S W1 + B1 (O, I, m), by channel pair;  weight = W2 E + B2 (O, I, k...),

    where W1 is drawn from U(-sqrt 3, sqrt 3), W2 (O, I, k, m) from U(-a, a), a = sqrt(3 / (m I k)), and the B are 0: at
    the start a weight's variance is 1 / (I k). Channels that belong to no free group, such as an image's, have latents
    of their own, which are not judged. A linear layer's weight is generated only where its group has no convolution.

    In place of a k x k convolution's every weight there are m + 1 + (2 m + 1) / k^2 values.

    Args:
        embedding_dim: m.
        seed: of the draws.
    """

    def __init__(self, embedding_dim: int = 8, seed: int = 0) -> None:
        if not (isinstance(embedding_dim, int) and embedding_dim >= 1):
            raise UserError(f"embedding_dim={embedding_dim!r}: use a whole number of at least 1")
        self.embedding_dim = embedding_dim
        self.seed = checked_seed("LatentHypernet", seed)

    def attach(self, model: nn.Module, graph: ChannelGraph) -> "Latents":
        """Let the model's convolutions be generated, until :meth:`Latents.remove`.

        Args:
            model: the network that was analysed; it is changed in place.
            graph: ``analyze(model, ...)``.

        Raises:
            UserError: the graph is not this model's, or the model has gates already.
        """
        parameters = own_parameters(model, graph)
        draw = torch.Generator().manual_seed(self.seed)
        like = next(iter(parameters.values()))
        latents = {
            name: nn.Parameter(torch.randn(group.width, generator=draw).to(like)) for name, group in graph.free.items()
        }
        generators = {}
        for param, names in _generated(graph, parameters).items():
            weight = parameters[param]
            sides = [
                (tuple(latents[name] for name in names[dim]), places_of(graph, param, dim, names[dim], weight))
                for dim in (0, 1)
            ]
            transposed = any((param, 0) in graph.free[name].consumers for name in names[0])
            fan_in = weight.select(int(transposed), 0).numel()
            generators[weight] = _Generator(weight, fan_in, sides, self.embedding_dim, draw)
        return Latents(latents, model, generators)


class Latents(Gates):
    """The latents of a model's groups: group name -> parameter (width,).

    Unlike plain gates they, and the hypernetworks, are parameters of the model while they are attached: what is
    trained instead of the weights that are generated.
    """

    def __init__(
        self, latents: dict[str, nn.Parameter], model: nn.Module, generators: "dict[Tensor, _Generator]"
    ) -> None:
        self._generators = generators
        for weight in generators:
            weight.requires_grad_(False)
        super().__init__(latents, parametrize_all(model, generators))

    @property
    def trained(self) -> list[nn.Parameter]:
        """Latents and hypernetworks, for an optimizer."""
        parameters = [p for generator in self._generators.values() for p in generator.parameters()]
        return list(dict.fromkeys(parameters))

    def remove(self) -> None:
        """Give the model back its own classes and parameters, whose values are the generated ones."""
        with torch.no_grad():
            for weight, generator in self._generators.items():
                weight.copy_(generator(weight))
                weight.requires_grad_(True)
        super().remove()


class _Generator(nn.Module):
    """Parametrization that generates a weight and does not look at the one that is there.

    Args:
        weight: (A, B, k...): outputs and inputs of a convolution, or the other way round of a transposed one.
        fan_in: values that one output sums over.
        sides: for A and B, the latents of the groups there, and the places that :func:`places_of` gives, where 0 now
            stands for a latent of the layer's own.
        embedding_dim: m.
        draw: where the numbers come from.
    """

    def __init__(
        self,
        weight: Tensor,
        fan_in: int,
        sides: list[tuple[tuple[nn.Parameter, ...], Tensor]],
        embedding_dim: int,
        draw: torch.Generator,
    ) -> None:
        super().__init__()
        for side, (shared, places) in enumerate(sides):
            alone = places == 0
            own = int(alone.sum())
            index = torch.where(alone, alone.cumsum(0) - 1, places - 1 + own)
            self.register_buffer(f"index{side}", index, persistent=False)
            latents = [nn.Parameter(torch.randn(own, generator=draw).to(weight)), *shared]
            setattr(self, f"latents{side}", nn.ParameterList(latents))
        pairs, taps = weight.shape[:2], weight[0, 0].numel()
        self.b0 = nn.Parameter(weight.new_zeros(pairs))
        self.w1 = _uniform(weight, (*pairs, embedding_dim), math.sqrt(3), draw)
        self.b1 = nn.Parameter(weight.new_zeros(*pairs, embedding_dim))
        self.w2 = _uniform(weight, (*pairs, taps, embedding_dim), math.sqrt(3 / (embedding_dim * fan_in)), draw)
        self.b2 = nn.Parameter(weight.new_zeros(*pairs, taps))

    def forward(self, weight: Tensor) -> Tensor:
        z0, z1 = (
            torch.cat(list(latents))[index]
            for latents, index in ((self.latents0, self.index0), (self.latents1, self.index1))
        )
        scale = z0[:, None] * z1[None] + self.b0
        embedding = scale[..., None] * self.w1 + self.b1
        return (torch.einsum("abkm,abm->abk", self.w2, embedding) + self.b2).view_as(weight)


def _uniform(like: Tensor, shape: tuple[int, ...], bound: float, draw: torch.Generator) -> nn.Parameter:
    return nn.Parameter((2 * bound * (torch.rand(shape, generator=draw) - 0.5)).to(like))


def _generated(graph: ChannelGraph, parameters: dict[str, nn.Parameter]) -> dict[str, dict[int, list[str]]]:
    """The weights to generate, and the names of the groups along their dims 0 and 1."""
    weights = {name: parameter.dim() for name, parameter in parameters.items() if parameter.dim() > 1}
    uses: dict[str, dict[int, list[str]]] = {}
    for name, group in graph.free.items():
        joined = [(param, dim) for param, dim in group.members if param in weights and dim < 2]
        convolutions = [(param, dim) for param, dim in joined if weights[param] > 2]
        for param, dim in convolutions or joined:
            uses.setdefault(param, {0: [], 1: []})[dim].append(name)
    return uses


@CRITERIA.register
class LatentMagnitudeCriterion(GateGradientCriterion):
    """``|z|``, by which the paper's public code ranks a network's latents on ImageNet; for :class:`LatentHypernet`.

    Plain gates are all 1, so that it cannot tell their channels apart.
    """

    def of_batch(self, gate: Tensor, grad: Tensor) -> Tensor:
        """Take the magnitude of the latents as they are."""
        return gate.abs()
