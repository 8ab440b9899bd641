"""The loop of a search that measures losses: a brief training, and batches of held-out images."""

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import UserError
from ..registry import LOOPS
from .exact_resume import seed_everything
from .shrink_loop import ShrinkLoop


@LOOPS.register_module()
class ResponseLoop(ShrinkLoop):
    """Trains the widened network for some iterations, and measures its loss on held-out images whenever asked.

    Args:
        runner: the mmengine runner.
        dataloader: of the images that are trained on.
        held_out: config of the dataloader of those that are not.
        warmup_iters: iterations of training, with the config's own optimizer.
        iters: the most batches of held-out images; no image is taken twice unless the sampler never ends.

    Raises:
        UserError: the training set cannot be split, or is too small for it.
    """

    def __init__(
        self, runner: Runner, dataloader: Any, held_out: Mapping[str, Any], warmup_iters: int, iters: int
    ) -> None:
        try:
            super().__init__(runner, dataloader, warmup_iters, 0)
            loader = Runner.build_dataloader({**held_out, "drop_last": True}, seed=runner.seed)
        except UserError as error:
            raise UserError(f"lwdna.shrink.criterion.held_out: {error}") from error
        self.batches = list(islice(loader, iters))
        if not self.batches:  # fewer images than a batch has
            size = max(len(loader.dataset) // get_world_size(), 1)
            loader = Runner.build_dataloader({**held_out, "batch_size": size}, seed=runner.seed)
            self.batches = list(islice(loader, iters))
        self.forwards = 0  # samples, of all ranks, that were run forward only
        self.samples = len(self.batches) * loader.batch_sampler.batch_size * get_world_size()

    def held_out_loss(self) -> float:
        """Measure the mean loss over the held-out batches, of all ranks, with batch norms by the batch's statistics.

        Whatever is drawn in it, such as mixed images, is drawn alike at every call.

        Raises:
            UserError: it is not finite.
        """
        model = self.runner.model
        model.eval()
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.train()
        seed_everything(self.runner.seed)
        read = _ReadLoss(self.runner.optim_wrapper)
        with torch.no_grad():
            for batch in self.batches:
                model.train_step(copy.deepcopy(batch), optim_wrapper=read)  # some preprocessors write into the batch
        loss = torch.stack(read.losses).mean()
        all_reduce(loss, "mean")
        self.forwards += self.samples
        if not torch.isfinite(loss):
            raise UserError(
                f"the loss on held-out images is {loss.item()} after {self._max_iters} iterations at random widths: "
                "lower the learning rate, or lwdna.shrink.warmup_iters"
            )
        return loss.item()


class _ReadLoss:
    """Takes the place of an optimizer wrapper in ``model.train_step``, and keeps the losses."""

    def __init__(self, optim_wrapper: OptimWrapper) -> None:
        self._optim_wrapper = optim_wrapper
        self.losses: list[Tensor] = []

    def optim_context(self, model: nn.Module) -> AbstractContextManager:
        """Autocast as in training."""
        return self._optim_wrapper.optim_context(model)

    def update_params(self, loss: Tensor) -> None:
        """Keep the loss."""
        self.losses.append(loss.detach().double())
