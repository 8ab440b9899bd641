"""The search by measured losses: draws the widths of the training, asks for the losses, keeps the curves."""

import copy
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor, nn

from ..errors import UserError
from ..registry import HOOKS
from ..runs.plan_file import RESPONSE
from ..shrink.response import Curve, marginal_flops
from ..shrink.search import allowed_widths
from .section import LwdnaSection
from .shrink_hook import ShrinkHook
from .subset import hold_out


@HOOKS.register_module()
class ResponseHook(ShrinkHook):
    """Measures what each group's width is worth, see :class:`lwdna_mm.shrink.ResponseCriterion`, and searches the plan.

    The trained network is only the instrument: at the end the weights are again what they were at the beginning, so
    that the plan's network starts as that of any other criterion.

    Args: as :class:`ShrinkHook`. The runner's loop is a :class:`ResponseLoop`.

    Raises:
        UserError: there is no warm-up.
    """

    def __init__(self, model: nn.Module, section: LwdnaSection, *args: Any) -> None:
        if not section.shrink.warmup_iters:
            raise UserError(
                "lwdna.shrink.criterion is ResponseCriterion, which measures a network that has been trained: "
                "give lwdna.shrink.warmup_iters, such as 200"
            )
        if not section.shrink.plain:
            raise UserError("lwdna.shrink.criterion is ResponseCriterion, which needs plain gates: leave out gate")
        initial = copy.deepcopy(model.state_dict())
        super().__init__(model, section, *args)
        self.initial = initial
        for gate in self.gates.values():
            gate.requires_grad_(False)
        self.allowed = allowed_widths(self.graph, section.shrink.min_ratio, section.shrink.divisor)
        self.rounds: list[dict[str, Any]] = []

    def settings(self, cfg: Config) -> dict[str, Any]:
        """A part of the training images trains, another is measured on."""
        shrink, loader = self.section.shrink, self.loader(cfg)
        train, held_out = hold_out(loader["dataset"], self.criterion.held_out, self.criterion.seed)
        loop = dict(type="lwdna_mm.ResponseLoop", warmup_iters=shrink.warmup_iters, iters=shrink.iters)
        return dict(
            train_dataloader={**loader, "dataset": train},
            train_cfg={**loop, "held_out": {**loader, "dataset": held_out}},
        )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Draw the widths of the iteration."""
        even = {name: self.even.widths[name] for name in self.graph.free}
        self.gates.keep_first(self.criterion.draw(self.allowed, even, batch_idx))

    def judge(self, runner: Runner) -> dict[str, Tensor]:
        """Measure round after round, each about the plan that the one before has led to."""
        plan = self.even
        for number in range(self.criterion.rounds):
            if number:
                plan = self.shared(lambda: self._draft(self.criterion.scores(self.graph)))
            reference = {name: plan.widths[name] for name in self.graph.free}
            runner.logger.info(f"response, round {number + 1} of {self.criterion.rounds}: about {_told(reference)}")
            self._measure(runner, reference)
        return self.criterion.scores(self.graph)

    def release(self) -> None:
        """Take the gates away, and what the training has done to the weights."""
        super().release()
        self.model.load_state_dict(self.initial)

    def cost(self, runner: Runner) -> dict[str, int]:
        """A sample that is run forward only counts a third: backward costs twice as much."""
        cost = super().cost(runner)
        return dict(cost, samples=cost["samples"] + round(runner.train_loop.forwards / 3))

    def beside(self, runner: Runner) -> dict[str, Any]:
        """The curves of all rounds, and over how many samples each loss is taken."""
        return {RESPONSE: dict(samples=runner.train_loop.samples, rounds=self.rounds)}

    def _measure(self, runner: Runner, reference: dict[str, int]) -> None:
        """Measure every group's curve about a reference."""
        price = marginal_flops(self.graph, reference, self.section.shrink.divisor)
        self.gates.keep_first(reference)
        loss = runner.train_loop.held_out_loss()
        measured = {}
        for index, (name, width) in enumerate(reference.items(), 1):
            losses = {}
            for other in self.criterion.grid(self.allowed[name], width):
                self.gates.keep_first({name: other})
                losses[other] = loss if other == width else runner.train_loop.held_out_loss()
            self.gates.keep_first({name: width})
            curve = self.criterion.curves[name] = Curve(list(losses), list(losses.values()))
            measured[name] = dict(widths=curve.widths, losses=curve.losses, hull=curve.hull.tolist(), flops=price[name])
            told = ", ".join(f"{loss:.4g} at {other}" for other, loss in losses.items())
            runner.logger.info(f"  group {index} of {len(reference)}, {name}: loss {told}")
        self.rounds.append(dict(reference=reference, loss=loss, groups=measured))


def _told(widths: dict[str, int]) -> str:
    return " ".join(map(str, widths.values()))
