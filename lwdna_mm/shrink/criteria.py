"""Importance criteria: one score per channel of every free group, from the gradients of its gates."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.errors import UserError
from lwdna_mm.shrink.registry import Registry

CRITERIA = Registry("criterion")


class Criterion:
    """What every criterion offers. Register your own with ``@CRITERIA.register``.

    Attributes:
        policy: how the search spends the budget by these scores, where a config does not say it.
        holds_last: whether what the last layers read is to become no wider than in the baseline, where a config does
            not say otherwise; not where widths are prescribed, or what they give is measured.
    """

    policy = "threshold"
    holds_last = True

    def observe(self, gates: Mapping[str, nn.Parameter]) -> None:
        """Take the gradients of the gates into account, after a backward pass, and clear them."""
        for gate in gates.values():
            gate.grad = None

    def scores(self, graph: ChannelGraph) -> dict[str, Tensor]:
        """Give each free group's channels their scores: name -> tensor (width,), float64, on the CPU."""
        raise NotImplementedError

    def growth(self, graph: ChannelGraph) -> dict[str, float]:
        """Give how fast groups grow among channels of equal score; 1 for those left out. See :func:`search`."""
        return {}

    def widest(self, graph: ChannelGraph) -> dict[str, int]:
        """Give the largest widths of groups that the criterion itself limits. See :func:`search`."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """What has been observed so far, so that a search can be resumed."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""


class GateGradientCriterion(Criterion):
    """A mean over the observed batches of some function of the gate gradients.

    Args:
        normalize: None compares channels over the whole network as they are. ``'l2'`` divides the scores
            of a group by their Euclidean norm, ``'mean'`` by their mean.
    """

    def __init__(self, normalize: str | None = None) -> None:
        if normalize not in (None, "l2", "mean"):
            raise UserError(f"normalize={normalize!r}: use None, 'l2' or 'mean'")
        self.normalize = normalize
        self.batches = 0
        self.sums: dict[str, Tensor] = {}

    def of_batch(self, gate: Tensor, grad: Tensor) -> Tensor:
        """What one batch adds to the mean, (width,), from a group's gate and its gradient."""
        raise NotImplementedError

    def of_mean(self, mean: Tensor) -> Tensor:
        """The scores (width,) from the mean over the batches."""
        return mean

    def observe(self, gates: Mapping[str, nn.Parameter]) -> None:
        """Add one batch, and clear the gradients.

        A gate without gradient counts as zero: the loss does not depend on its group.

        Raises:
            UserError: no gate has a gradient, or one is not finite.
        """
        if all(gate.grad is None for gate in gates.values()):
            raise UserError("no gate has a gradient: call observe() after loss.backward()")
        batch = {}
        for name, gate in gates.items():
            grad = torch.zeros_like(gate) if gate.grad is None else gate.grad
            if not torch.isfinite(grad).all():
                raise UserError(f"the gradient of the gates of group {name!r} is not finite: the loss has diverged")
            batch[name] = self.of_batch(gate.detach().double(), grad.double()).cpu()
        for name, value in batch.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.batches += 1
        super().observe(gates)

    def scores(self, graph: ChannelGraph) -> dict[str, Tensor]:
        """Give the scores of the mean over all observed batches.

        Raises:
            UserError: nothing was observed, or not this graph's groups.
        """
        scores = {}
        for name in graph.free:
            if name not in self.sums:
                raise UserError(f"group {name!r} was never observed: call observe(gates) of this graph first")
            scores[name] = self._normalized(self.of_mean(self.sums[name] / self.batches))
        return scores

    def _normalized(self, score: Tensor) -> Tensor:
        if self.normalize is None:
            return score
        scale = score.norm() if self.normalize == "l2" else score.mean()
        return score / scale if scale > 0 else score

    def state_dict(self) -> dict[str, Any]:
        """``batches`` and ``sums`` {name: (width,)}; adding up those of several ranks averages over them."""
        return {"batches": self.batches, "sums": dict(self.sums)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.batches = state["batches"]
        self.sums = dict(state["sums"])


@CRITERIA.register
class GradientCriterion(GateGradientCriterion):
    """``|mean of dL/dz|``, the paper's criterion taken over several batches; the default."""

    def of_batch(self, gate: Tensor, grad: Tensor) -> Tensor:
        """Keep the sign: what differs from batch to batch cancels out."""
        return grad

    def of_mean(self, mean: Tensor) -> Tensor:
        """Take the magnitude."""
        return mean.abs()


@CRITERIA.register
class AbsGradientCriterion(GateGradientCriterion):
    """``mean of |dL/dz|``: opposite gradients of different batches do not cancel out."""

    def of_batch(self, gate: Tensor, grad: Tensor) -> Tensor:
        """Take the magnitude per batch."""
        return grad.abs()


@CRITERIA.register
class TaylorCriterion(GateGradientCriterion):
    """``mean of (z * dL/dz)^2``: the squared first-order change of the loss when the channel goes."""

    def of_batch(self, gate: Tensor, grad: Tensor) -> Tensor:
        """Square the product of gate and gradient."""
        return (gate * grad).square()


def checked_seed(name: str, seed: Any) -> int:
    """The seed; raises UserError by the name of whose it is where it is no whole number of at least 0."""
    if isinstance(seed, bool) or not (isinstance(seed, int) and seed >= 0):
        raise UserError(f"{name}'s seed is {seed!r}, but must be a whole number of at least 0")
    return seed


@CRITERIA.register
class RandomCriterion(Criterion):
    """A control: independent uniform scores, which depend on the seed and the graph alone."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = checked_seed("RandomCriterion", seed)

    def scores(self, graph: ChannelGraph) -> dict[str, Tensor]:
        """Draw the scores in the order of the graph's groups."""
        generator = torch.Generator().manual_seed(self.seed)
        return {
            name: torch.rand(group.width, generator=generator, dtype=torch.float64)
            for name, group in graph.free.items()
        }


@CRITERIA.register
class UniformCriterion(Criterion):
    """A control: all channels are worth the same, so that ``search`` scales all groups by one ratio."""

    holds_last = False

    def scores(self, graph: ChannelGraph) -> dict[str, Tensor]:
        """Give every channel the score 1."""
        return {name: torch.ones(group.width, dtype=torch.float64) for name, group in graph.free.items()}
