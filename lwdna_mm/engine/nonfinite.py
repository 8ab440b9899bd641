"""A loss or a gradient that is not finite ends a run in the iteration where it is met, before it can be saved."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from ..errors import DivergedError
from ..registry import HOOKS
from .accumulated import optim_wrappers

SKIPPED = "nonfinite_skipped"


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Looks at the loss and at all gradients of every iteration.

    With ``skip`` at 0 it reads their values when the iteration is over, so that no accelerator has to wait for it.
    Otherwise it reads them before the optimizer's step: a batch that is skipped leaves weights, optimizer and buffers
    as they were; gradients that were accumulated before it are lost. Gradients that a scaler has scaled are the
    scaler's.

    Args:
        skip: how many such batches a run goes on past; their number is a part of the checkpoints.
        gates: of the groups, in a search; their gradients are looked at first.

    Raises:
        DivergedError: after an iteration, naming it and what was not finite.
    """

    priority = "ABOVE_NORMAL"  # before anything is saved

    def __init__(self, skip: int = 0, gates: Mapping[str, nn.Parameter] | None = None) -> None:
        self.skip, self.gates = skip, gates
        self._seen: list[tuple[Tensor, list[str], Tensor | None]] = []  # of each backward pass of an iteration
        self._problem = ""
        self._buffers: list[tuple[Tensor, Tensor]] = []

    def before_train(self, runner: Runner) -> None:
        """Look over the shoulders of the optimizer wrappers."""
        self.model = getattr(runner.model, "module", runner.model)
        self._parameters = [(name, one) for name, one in self.model.named_parameters() if one.numel()]
        for wrapper in optim_wrappers(runner):
            wrapper.backward = partial(self._backward, wrapper, wrapper.backward)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep what a forward pass changes, such as running statistics."""
        if self.skip:
            self._buffers = [(buffer, buffer.clone()) for buffer in self.model.buffers()]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """End the run, or undo what a batch that is skipped has done."""
        loss = (outputs or {}).get("loss")
        problem = self._problem or self._find_problem(*([] if loss is None else [loss]))
        self._seen, self._problem = [], ""
        if problem:
            self._skip_or_end(runner, problem)

    def _backward(self, wrapper: OptimWrapper, backward: Any, loss: Tensor, **kwargs: Any) -> None:
        backward(loss, **kwargs)
        scaled = hasattr(wrapper, "loss_scaler")
        named = [] if scaled else [(name, one.grad) for name, one in self._parameters if one.grad is not None]
        # As torch's own clip_grad_norm_: a few kernels for all tensors. What squares beyond float32 counts as infinite.
        norms = torch.stack(torch._foreach_norm([value for _, value in named])) if named else None
        self._seen.append((loss.detach(), [name for name, _ in named], norms))
        if not self.skip:
            return
        self._problem = self._problem or self._find_problem()
        found = torch.tensor(float(bool(self._problem)), device=loss.device)
        all_reduce(found, "max")  # one process alone may have met it
        if found:
            self._problem = self._problem or "another process has met what is not finite"
            if not scaled:
                wrapper.zero_grad()  # so that the step does nothing

    def _find_problem(self, *losses: Tensor) -> str:
        """What is not finite, in words; empty where all is."""
        for loss in [*losses, *(loss for loss, _, _ in self._seen)]:
            if not torch.isfinite(loss).all():
                return f"the loss is {float(loss)}"
        for name, gate in (self.gates or {}).items():
            if gate.grad is not None and not torch.isfinite(gate.grad).all():
                return f"the gradient of group {name!r} is not finite"
        for _, names, norms in self._seen:
            if norms is not None and not torch.isfinite(norms).all():
                return f"the gradient of {names[int(torch.isfinite(norms).int().argmin())]} is not finite"
        return ""

    def _skip_or_end(self, runner: Runner, problem: str) -> None:
        met = f"{'search, ' if self.gates is not None else ''}iteration {runner.iter + 1}: {problem}"
        count = runner.message_hub.runtime_info.get(SKIPPED, 0) + 1
        if count > self.skip:
            last = runner.message_hub.runtime_info.get("last_ckpt")
            raise DivergedError(
                f"{met}; lower optim_wrapper.optimizer.lr, look at the data, or give --cfg-options "
                f"skip_nonfinite={count} to go on past it" + (f"; the last checkpoint is {last}" if last else "")
            )
        runner.message_hub.update_info(SKIPPED, count)
        runner.logger.warning(f"{met}; the batch is skipped, {count} of at most {self.skip}")
        if self.gates is not None:
            runner.train_loop.skipping = True
        with torch.no_grad():
            for buffer, before in self._buffers:
                buffer.copy_(before)
