"""The search for a channel plan, as a hook of a short mmengine run over the widened network."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import all_gather_object, barrier, broadcast_object_list, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from ..channels import ChannelGraph, ChannelPlan, resize
from ..errors import UserError
from ..latency import LatencyBudget, Limits
from ..models.trace import trace
from ..registry import HOOKS
from ..runs.plan_file import describe_plan, weights_path, write_beside, write_weights
from ..shrink import (
    CRITERIA,
    GATES,
    Gates,
    LatentMagnitudeCriterion,
    Latents,
    search,
)
from .section import LwdnaSection


class SearchHook(Hook):
    """What makes a plan of the widened network while it sees a few mini-batches.

    The runner's model is the widened network, its loop a :class:`ShrinkLoop`. At the end the plan lies in
    ``out`` and the weights cut out of the widened network beside it, under the same name with suffix ``.pth``.

    Args:
        model: the widened network, before a runner wraps it.
        section: the ``lwdna`` section of the config.
        baseline: the channel graph of the network before it was widened.
        seed: written into the plan.
        out: where the plan goes.
        started: ``time.perf_counter()`` at the beginning of the search, for its cost.
        latency: the limit on the plan's time, if there is one.

    Attributes:
        gates: by group, where there are some.
    """

    priority = "VERY_LOW"
    gates: Mapping[str, nn.Parameter] = {}

    def __init__(
        self,
        model: nn.Module,
        section: LwdnaSection,
        baseline: ChannelGraph,
        seed: int,
        out: str | Path,
        started: float,
        latency: LatencyBudget | None = None,
    ) -> None:
        self.model, self.section, self.baseline, self.seed = model, section, baseline, seed
        self.out, self.started, self.latency = Path(out), started, latency
        self.graph = trace(model, section.trace_options)

    def settings(self, cfg: Config) -> dict[str, Any]:
        """What the runner of the search takes from here: its data and its loop.

        Args:
            cfg: the whole config.
        """
        shrink = self.section.shrink
        loop = dict(type="lwdna_mm.ShrinkLoop", warmup_iters=shrink.warmup_iters, iters=shrink.iters)
        return dict(train_dataloader=self.loader(cfg), train_cfg=loop)

    def loader(self, cfg: Config) -> dict[str, Any]:
        """The training's dataloader, with batches of the search's size."""
        loader = cfg.train_dataloader
        return {**loader, "batch_size": max(1, round(loader.batch_size * self.section.shrink.batch_ratio))}

    @property
    def trained(self) -> list[nn.Parameter]:
        """What the search trains beside the network's own parameters."""
        return []

    def cost(self, runner: Runner) -> dict[str, int]:
        """What the search has cost: ``samples`` that were run forward and backward, and ``flops`` of each."""
        samples = runner.max_iters * runner.train_dataloader.batch_sampler.batch_size * get_world_size()
        return dict(samples=samples, flops=self.graph.flops())

    def beside(self, runner: Runner) -> dict[str, Any]:
        """What else has been found out, in plain JSON types; by the kind of file that it is written to."""
        return {}

    def write(self, runner: Runner, plan: ChannelPlan, criterion: dict[str, Any], **found: Any) -> None:
        """Cut the network to the plan, which is described as made by ``criterion`` and by what was ``found``, and
        write both.
        """
        self.model.cpu()  # where it was traced
        if is_main_process():
            small = resize(self.model, self.graph, plan)
            seconds = round(time.perf_counter() - self.started, 2)
            options = self.section.plan_options
            described = describe_plan(plan, self.graph, self.baseline, options, criterion, self.seed)
            described.meta.update(found)
            write_beside(self.beside(runner), self.out)
            # The plan comes last: where it is, the search is over.
            write_weights(small, dict(self.cost(runner), seconds=seconds), weights_path(self.out))
            described.to_json(self.out)
        barrier()


@HOOKS.register_module()
class ShrinkHook(SearchHook):
    """Judges the channels of the widened network by a criterion and searches the plan (the shrinkage of the paper).

    Args: as :class:`SearchHook`. Gates are attached to ``model`` until the end of the run, and ``seed`` is given to
    criteria that draw numbers.

    Raises:
        BudgetError: the smallest allowed network already costs more than the budget.
        LatencyError: at the end of the run, no plan was measured to be as fast as asked.
    """

    def __init__(
        self,
        model: nn.Module,
        section: LwdnaSection,
        baseline: ChannelGraph,
        seed: int,
        out: str | Path,
        started: float,
        latency: LatencyBudget | None = None,
    ) -> None:
        super().__init__(model, section, baseline, seed, out, started, latency)
        self.criterion_config = CRITERIA.complete(section.shrink.criterion, seed=seed)
        self.criterion = CRITERIA.build(self.criterion_config)
        even = {name: torch.ones(group.width) for name, group in self.graph.free.items()}
        self.even = self._draft(even)
        self.gates = self._attach()

    @property
    def trained(self) -> list[nn.Parameter]:
        """A hypernetwork and its latents, where there are such."""
        return self.gates.trained if isinstance(self.gates, Latents) else []

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Let the criterion see the gates' gradients."""
        if runner.train_loop.observing:
            self.criterion.observe(self.gates)
        elif not self.trained:  # whose gradients are the optimizer's
            for gate in self.gates.values():
                gate.grad = None

    def after_train(self, runner: Runner) -> None:
        """Search the plan, cut the network, write both."""
        scores = self.judge(runner)
        self.release()
        self.model.cpu()  # where it was traced
        plan, found = self.shared(lambda: self._find(scores))
        self.write(runner, plan, self.criterion_config, **found)

    def judge(self, runner: Runner) -> dict[str, Tensor]:
        """The scores of all channels, by what the iterations have shown."""
        self._merge_ranks()
        scores = self.criterion.scores(self.graph)
        silent = [name for name, score in scores.items() if not score.any()]
        if silent:
            runner.logger.warning(
                f"{len(silent)} groups got no gradient, so their channels cannot be told apart: {', '.join(silent)}. "
                "Does a zero initialisation (zero_init_residual) cut them off? Then give lwdna.shrink.warmup_iters."
            )
        return scores

    def release(self) -> None:
        """Make the widened network a plain one again."""
        self.gates.remove()

    @staticmethod
    def shared(find: Callable[[], Any]) -> Any:
        """What ``find`` gives on the main rank: all hold the same scores; rounding may still differ between devices."""
        found: list[Any] = [find() if is_main_process() else None]
        broadcast_object_list(found)
        return found[0]

    def _attach(self) -> Gates:
        if isinstance(self.criterion, LatentMagnitudeCriterion) and self.section.shrink.plain:
            raise UserError(
                "lwdna.shrink.criterion is LatentMagnitudeCriterion, but plain gates are all 1: "
                "give lwdna.shrink.gate=dict(type='LatentHypernet')"
            )
        return GATES.build(GATES.complete(self.section.shrink.gate, seed=self.seed)).attach(self.model, self.graph)

    def _find(self, scores: dict[str, Tensor]) -> tuple[ChannelPlan, dict[str, Any]]:
        """The plan, and what was measured on the way."""
        if self.latency is None:
            return self._search(scores), {}
        plan, latency = self.latency.find(
            lambda limits: self._search(scores, limits), lambda plan: resize(self.model, self.graph, plan)
        )
        return plan, dict(latency=latency)

    def _draft(self, scores: dict[str, Tensor]) -> ChannelPlan:
        """The plan by the limits as they are counted and predicted, nothing being timed."""
        return self._search(scores, self.latency.limits() if self.latency else None)

    def _search(self, scores: dict[str, Tensor], measures: Limits | None = None) -> ChannelPlan:
        shrink, budget = self.section.shrink, self.section.budget
        return search(
            self.graph,
            scores,
            max_flops=budget.flops,
            max_params=budget.params,
            max_acts=budget.acts,
            min_ratio=shrink.min_ratio,
            divisor=shrink.divisor,
            policy=shrink.policy,
            relative_to=self.baseline,
            growth=self.criterion.growth(self.graph),
            measures=measures,
            widest=self._widest(),
        )

    def _widest(self) -> dict[str, int]:
        """What the criterion limits; and what the last layers read is no wider than in the baseline, unless config or
        criterion say otherwise.
        """
        own = self.criterion.widest(self.graph)
        if self.section.shrink.grow_last or not self.criterion.holds_last:
            return own
        return own | {name: self.baseline.groups[name].width for name in self.graph.last if name in self.graph.free}

    def _merge_ranks(self) -> None:
        """Average what the ranks have observed."""
        if get_world_size() == 1:
            return
        states = all_gather_object(self.criterion.state_dict())
        if states[0]:
            names = states[0]["sums"]
            merged = {name: sum(state["sums"][name] for state in states) for name in names}
            self.criterion.load_state_dict(dict(batches=sum(state["batches"] for state in states), sums=merged))
