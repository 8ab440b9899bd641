"""The loop of the search: a few mini-batches of the config's own data."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import chain, count, islice
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import Tensor, nn

from ..errors import UserError
from ..registry import LOOPS


@LOOPS.register_module()
class ShrinkLoop(IterBasedTrainLoop):
    """Trains the widened network for some iterations, then only runs forward and backward.

    Args:
        runner: the mmengine runner.
        dataloader: the config's train dataloader.
        warmup_iters: iterations with the config's own optimizer.
        iters: iterations after them in which no weight is updated.
    """

    def __init__(self, runner: Runner, dataloader: Any, warmup_iters: int, iters: int) -> None:
        super().__init__(runner, dataloader, max_iters=warmup_iters + iters)
        self.warmup_iters = warmup_iters
        self.skipping = False  # set by NonFiniteHook

    @property
    def observing(self) -> bool:
        """Whether the present iteration is one of those in which the criterion looks at gradients."""
        return self._iter >= self.warmup_iters and not self.skipping

    def run(self) -> nn.Module:
        """Run all iterations; the model is in training mode, as its batch norms are in training."""
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")  # mmengine's timer starts here
        self.runner.model.train()
        for batch in islice(self._batches(), self._max_iters):
            self.run_iter(batch)
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_iter(self, data_batch: Any) -> None:
        """Run one mini-batch."""
        self.skipping = False
        self.runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=data_batch)
        optim_wrapper = BackwardOnly(self.runner.optim_wrapper) if self.observing else self.runner.optim_wrapper
        outputs = self.runner.model.train_step(data_batch, optim_wrapper=optim_wrapper)
        self.runner.call_hook("after_train_iter", batch_idx=self._iter, data_batch=data_batch, outputs=outputs)
        self._iter += 1

    def _batches(self) -> Iterator[Any]:
        """Epoch after epoch; mmengine's own iterator sleeps two seconds between them."""
        if not len(self.dataloader):
            raise UserError(
                "train_dataloader gives no batch: its dataset is empty, or smaller than a batch to be dropped"
            )
        return chain.from_iterable(self._epoch_of_batches(epoch) for epoch in count())

    def _epoch_of_batches(self, epoch: int) -> Iterator[Any]:
        sampler = self.dataloader.batch_sampler.sampler
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(epoch)
        return iter(self.dataloader)


class BackwardOnly:
    """What ``model.train_step`` needs of an optimizer wrapper, without the step."""

    def __init__(self, optim_wrapper: OptimWrapper) -> None:
        self._optim_wrapper = optim_wrapper

    def optim_context(self, model: nn.Module) -> AbstractContextManager:
        """Autocast as in training; none in place of float16, in which gradients vanish without a scale of the loss."""
        wrapper = self._optim_wrapper
        if hasattr(wrapper, "loss_scaler") and wrapper.cast_dtype in (None, torch.float16):
            return OptimWrapper.optim_context(wrapper, model)
        return wrapper.optim_context(model)

    def update_params(self, loss: Tensor) -> None:
        """Compute gradients; those of the previous batch are dropped."""
        self._optim_wrapper.zero_grad()
        loss.backward()
