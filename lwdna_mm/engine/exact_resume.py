"""Interrupted runs that end exactly where uninterrupted ones do.

mmengine restores weights, optimizer, schedulers and counters, but no random state: dropout and augmentation differ
after a resume. Its data-loader workers, seeded alike at every start, also replay one augmentation stream each epoch.
Here every random state is a function of (seed, rank, position in training), so there is nothing to restore.

Nor does mmengine validate again where a run was cut between a checkpoint and the end of the validation that was due
there: what follows from its metrics, such as the best checkpoint, a scheduler's plateau or an early end, would be lost.
"""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import EarlyStoppingHook, Hook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from ..registry import HOOKS

VALIDATED, STOPPED, WAITING = "validated_at", "stopped_early", "early_stopping"


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Seeds every iteration, and every start of the data-loader's workers, by the position in training.

    It also puts into the checkpoints where the last validation was, and what an EarlyStoppingHook has counted; a
    resumed run first makes up for the validation that it lacks.

    It runs after all other hooks, so that what those draw does not matter. The train loader's workers must not be
    persistent: their random state would go on over the epochs.
    """

    priority = "LOWEST"

    def before_train(self, runner: Runner) -> None:
        """Take the workers' seeds out of the global random state, and out of mmengine's fixed seed; catch up."""
        runner.train_dataloader.generator = torch.Generator()
        runner.train_dataloader.worker_init_fn = seed_worker
        known = runner.message_hub.runtime_info  # a part of the checkpoints
        for hook, state in zip(_early_stopping(runner), known.get(WAITING, []), strict=False):
            hook.wait_count, hook.best_score = state
        runner.train_loop.stop_training = known.get(STOPPED, False)
        self._begun = False
        if _lacks_validation(runner):
            runner.val_loop.run()
        self._begun = True
        self._last_checkpoint = _last_checkpoint(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed the workers and the first iteration of an epoch, or of a whole iteration-based run."""
        # A sampler that cannot skip is resumed by replaying the data from the start, with the start's seed.
        replayed = isinstance(runner.train_loop, IterBasedTrainLoop) and not _can_skip(runner)
        self._seed_workers(runner, 0 if replayed else runner.iter)
        self._seed(runner, runner.iter)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Seed the next iteration: the fetching of its batch and its step."""
        self._seed(runner, runner.iter + 1)
        self._restart_workers(runner, runner.iter + 1)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Note for the checkpoints what the other hooks have made of the metrics."""
        runner.message_hub.update_info(VALIDATED, runner.iter)
        runner.message_hub.update_info(STOPPED, runner.train_loop.stop_training)
        states = [(hook.wait_count, float(hook.best_score)) for hook in _early_stopping(runner)]
        runner.message_hub.update_info(WAITING, states)

    def after_val(self, runner: Runner) -> None:
        """Go back to the random state that the training had before the validation."""
        self._seed(runner, runner.iter)
        if self._begun:
            self._restart_workers(runner, runner.iter)

    def _restart_workers(self, runner: Runner, position: int) -> None:
        """Where an iteration-based run has saved a checkpoint, start its workers anew as a resumed run would."""
        if _last_checkpoint(runner) == self._last_checkpoint:
            return
        self._last_checkpoint = _last_checkpoint(runner)
        if isinstance(runner.train_loop, IterBasedTrainLoop) and _can_skip(runner):
            self._seed_workers(runner, position)
            runner.train_loop.dataloader_iterator.skip_iter(position)

    def _seed_workers(self, runner: Runner, position: int) -> None:
        runner.train_dataloader.generator.manual_seed(_stream(runner, position))

    def _seed(self, runner: Runner, position: int) -> None:
        seed_everything(_stream(runner, position))


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (on all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def seed_worker(worker_id: int) -> None:
    """Seed Python and NumPy in a data-loader worker by torch's seed, which differs by worker and by start."""
    seed_everything(torch.initial_seed())


def _stream(runner: Runner, position: int) -> int:
    """An independent 63-bit seed for every (seed, rank, position)."""
    sequence = np.random.SeedSequence((runner.seed, get_rank(), position))
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)


def _early_stopping(runner: Runner) -> list[EarlyStoppingHook]:
    return [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]


def _lacks_validation(runner: Runner) -> bool:
    """Whether a resumed run stands where a validation is due that its checkpoint does not know of."""
    loop = runner.train_loop
    if runner.val_loop is None or runner.message_hub.runtime_info.get(VALIDATED) == loop.iter:
        return False
    loop._decide_current_val_interval()  # as it would have been decided before the validation
    if isinstance(loop, EpochBasedTrainLoop):
        between = loop.iter == loop.epoch * len(loop.dataloader)
        position, end = loop.epoch, loop.max_epochs
    else:
        between, position, end = True, loop.iter, loop.max_iters
    due = position == end or position % loop.val_interval == 0
    return between and due and position >= max(loop.val_begin, 1)


def _can_skip(runner: Runner) -> bool:
    return hasattr(runner.train_dataloader.sampler, "skip")


def _last_checkpoint(runner: Runner) -> str | None:
    return runner.message_hub.runtime_info.get("last_ckpt")
