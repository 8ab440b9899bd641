"""Plans by other methods: on the same widened network, the same mini-batches and the same budget as ours."""

import copy
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from ..channels import ChannelGraph, ChannelPlan, resize
from ..engine.pipeline import shrink
from ..engine.section import LwdnaSection, ShrinkOptions
from ..engine.shrink_hook import SearchHook
from ..errors import UserError

# Pruning steps from the whole network to none of it, as many as in Torch-Pruning's own experiments.
STEPS = 400


def torch_pruning_plan(cfg: Config, out: str | Path) -> ChannelPlan:
    """Let Torch-Pruning (Fang et al., CVPR 2023, arXiv 2301.12900) find the plan of a config with an ``lwdna`` section.

    Its global Taylor importance prunes, in small steps, the widened network that our own search begins with, by the
    mean gradients of as many mini-batches, until the budget is met. Everything else is at its defaults: importances
    are divided by their mean in every group, and a layer may lose all channels but one. ``min_ratio``, ``policy``,
    ``grow_last`` and ``criterion`` of the section are not used.

    Args:
        cfg: from :func:`load_config`; changed in place.
        out: where the plan goes; the weights go beside it. ``engine.run(cfg, plan=out)`` trains it.

    Raises:
        UserError: as :func:`lwdna_mm.engine.shrink`; or Torch-Pruning is not installed, cannot meet the budget, or
            couples channels otherwise than our graph does.
    """
    return shrink(cfg, out, TorchPruningHook)


class TorchPruningHook(SearchHook):
    """Averages the gradients of the widened network's weights, and prunes by them."""

    def __init__(self, model: nn.Module, section: LwdnaSection, *args: Any) -> None:
        torch_pruning()  # is missed at once, not after the gradients
        if section.budget.latency is not None:
            raise UserError("torch-pruning knows no limit on time: leave lwdna.budget.latency out")
        # So that the plan does not name what had no part in it.
        unused = dict(policy="global", min_ratio=0.0, grow_last=True, gate=ShrinkOptions().gate)
        super().__init__(model, replace(section, shrink=replace(section.shrink, **unused)), *args)
        self.gradients: dict[str, Tensor] = {}

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Add up the gradients; their scale does not matter."""
        if runner.train_loop.observing:
            for name, parameter in self.model.named_parameters():
                if parameter.grad is not None:
                    self.gradients[name] = self.gradients.get(name, 0) + parameter.grad

    def after_train(self, runner: Runner) -> None:
        """Prune a copy, and write what is left of it as a plan."""
        self.model.cpu()
        gradients = {name: gradient.cpu() for name, gradient in self.gradients.items()}
        plan, _ = prune(self.model, self.graph, gradients, self._fits, self.section.shrink.divisor)
        version = importlib.metadata.version("torch-pruning")
        criterion = dict(type="torch-pruning", importance="GroupTaylorImportance", steps=STEPS, version=version)
        self.write(runner, plan, criterion)

    def _fits(self, plan: ChannelPlan) -> bool:
        shares = self.section.budget.shares
        return all(getattr(self.graph, k)(plan) <= share * getattr(self.baseline, k)() for k, share in shares.items())


def prune(
    model: nn.Module,
    graph: ChannelGraph,
    gradients: Mapping[str, Tensor],
    fits: Callable[[ChannelPlan], bool],
    divisor: int = 1,
) -> tuple[ChannelPlan, nn.Module]:
    """Prune a copy of a network by Torch-Pruning's global Taylor importance until its plan fits.

    Args:
        model: the network, on the CPU; it is left as it is.
        graph: its channels.
        gradients: the loss's gradient for every parameter that has one.
        fits: tells of a plan whether it is small enough.
        divisor: widths become multiples of it.

    Returns:
        The channels that are left, and the network as Torch-Pruning left it, which :func:`resize` makes as well.

    Raises:
        UserError: a layer has no gradient, no plan fits, or the two packages couple channels differently.
    """
    package = torch_pruning()
    pruned = copy.deepcopy(model)
    for name, parameter in pruned.named_parameters():
        parameter.grad = gradients.get(name, torch.zeros_like(parameter))
    names = {module: name for name, module in pruned.named_modules()}
    taylor = package.importance.GroupTaylorImportance()

    def importance(group: Any) -> Tensor | None:
        score = taylor(group)
        if score is not None and not score.isfinite().all():
            raise UserError(
                f"torch-pruning cannot judge layer {names[group[0].dep.target.module]!r}: its gradient is zero. "
                "Does a zero initialisation (zero_init_residual) cut it off? Then give lwdna.shrink.warmup_iters."
            )
        return score

    pruner = package.pruner.BasePruner(
        pruned,
        graph.tracing.inputs,
        importance,
        global_pruning=True,
        pruning_ratio=1.0,
        iterative_steps=STEPS,
        ignored_layers=kept_whole(pruned, graph),
        round_to=divisor,
        in_channel_groups={},  # its defaults are dicts that all pruners share
        out_channel_groups={},
        forward_fn=lambda module, inputs: graph.tracing.forward(module, *inputs),
    )
    left: dict[str, np.ndarray] = {}  # per layer at the root of one of its groups, the output channels left
    plan = _plan(graph, left)
    while not fits(plan) and pruner.current_step < STEPS:
        for group in pruner.step(interactive=True):
            layer = group[0].dep.target.module
            before = left.get(names[layer], np.arange(pruner.DG.get_out_channels(layer)))
            left[names[layer]] = np.delete(before, group[0].idxs)
            group.prune()
        plan = _plan(graph, left)
    if not fits(plan):
        raise UserError(
            f"torch-pruning stops at {graph.flops(plan):,} flops and {graph.params(plan):,} parameters, "
            "above lwdna.budget: raise it"
        )
    _check_equal(resize(model, graph, plan), pruned)
    return plan, pruned


def torch_pruning() -> ModuleType:
    """The package.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module("torch_pruning")
    except ImportError as error:
        raise UserError("the peer torch-pruning is not installed: pip install 'lwdna_mm[peers]'") from error


def kept_whole(model: nn.Module, graph: ChannelGraph) -> list[nn.Module]:
    """The layers whose output channels cannot change, such as the classifier."""
    made = {parameter for group in graph.free.values() for parameter, _ in group.producers}
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, (_ConvNd, nn.Linear))]
    return [module for name, module in layers if f"{name}.weight" not in made]


def _plan(graph: ChannelGraph, left: Mapping[str, np.ndarray]) -> ChannelPlan:
    """The channels of our groups, from the output channels left of the layers at the roots of its groups."""
    kept = {}
    for name, group in graph.free.items():
        whole = np.ones(group.width, bool)
        for parameter, dim in group.producers:
            layer, _, kind = parameter.rpartition(".")
            if kind == "weight" and layer in left:
                whole &= np.isin(group.members[parameter, dim], left[layer]).all(1)
        kept[name] = np.flatnonzero(whole).tolist()
    return ChannelPlan(kept)


def _check_equal(ours: nn.Module, theirs: nn.Module) -> None:
    """Both networks are cut out of one, so that they are the same exactly where all values are."""
    values = theirs.state_dict()
    for name, value in ours.state_dict().items():
        if not torch.equal(value, values[name]):
            layer = name.rpartition(".")[0]
            raise UserError(
                f"torch-pruning couples the channels of layer {layer!r} otherwise than this package: "
                "its result is no channel plan of this network"
            )
