"""Checkpoints that survive a kill at any moment, and that hold no code."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from ..compat.mmengine_io import ATOMIC_BACKEND
from ..files import write_atomically
from ..registry import HOOKS
from ..runs.checkpoint_file import LAST_CHECKPOINT
from .accumulated import Gradients, collect, put_back

ACCUMULATED = "accumulated_gradients"


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook, with local files written atomically and old ones deleted last.

    Gradients accumulated for a step still to come are part of the checkpoints; the best one is chosen, and saved,
    after all other hooks have dealt with a validation.

    Attributes:
        meta: plain values that every checkpoint carries in its meta.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.meta: dict = {}
        self._accumulated: list[Gradients] | None = None

    def before_train(self, runner: Runner) -> None:
        """Choose the atomic backend where checkpoints go to local files; take up accumulated gradients."""
        super().before_train(runner)
        if self._accumulated and runner.iter:  # not where only weights were loaded
            put_back(runner, self._accumulated)
        self._accumulated = None
        if type(self.file_backend) is LocalBackend:
            self.backend_args = dict(backend=ATOMIC_BACKEND)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add our meta, such as the plan of the network; leave out what could not be loaded safely."""
        checkpoint["meta"].update(self.meta)
        if self._accumulated is not None:
            checkpoint[ACCUMULATED] = self._accumulated
        schedulers = checkpoint.get("param_schedulers") or []
        for state in schedulers if isinstance(schedulers, list) else chain(*schedulers.values()):
            for key in [key for key, value in state.items() if callable(value)]:
                del state[key]  # OneCycleLR keeps its own methods there

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Drop the config text, which mmengine would execute when it resumes; keep accumulated gradients."""
        checkpoint.get("meta", {}).pop("config", None)
        self._accumulated = checkpoint.pop(ACCUMULATED, None)

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Keep the metrics until all hooks have seen them, so that a checkpoint has what these make of them."""
        self._metrics = metrics

    def after_val(self, runner: Runner) -> None:
        """Save the best checkpoint."""
        super().after_val_epoch(runner, self._metrics)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        outdated = self._forget_oldest(runner, step)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        self._accumulated = collect(runner)
        runner.save_checkpoint(
            self.out_dir,
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._accumulated = None
        if is_main_process():
            write_atomically(self.last_ckpt.encode(), Path(runner.work_dir, LAST_CHECKPOINT))
            for path in outdated:
                if self.file_backend.exists(path):
                    self.file_backend.remove(path)

    def _forget_oldest(self, runner: Runner, step: int) -> list[str]:
        """Note that ``step`` is kept; return the paths of the checkpoints that are now too many."""
        if self.max_keep_ckpts <= 0 or step in self.keep_ckpt_ids:
            return []
        steps = [*self.keep_ckpt_ids, step]
        self.keep_ckpt_ids.append(step)  # a deque of max_keep_ckpts
        runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        old = steps[: -self.max_keep_ckpts]
        return [self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(one)) for one in old]

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        with self._removals_last():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _removals_last(self) -> Iterator[None]:
        """Let mmengine's 'remove the old best, save the new one' save first."""
        backend = self.file_backend
        self.file_backend = postponing = _PostponingBackend(backend)
        try:
            yield
        finally:
            self.file_backend = backend
        current = {getattr(self, "best_ckpt_path", None), *getattr(self, "best_ckpt_path_dict", {}).values()}
        for path in set(postponing.removals) - current:
            if Path(path).parent.resolve() == Path(self.out_dir).resolve():  # not another run's, that was resumed here
                backend.remove(path)


class _PostponingBackend:
    """A file backend that only notes what is to be removed."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend
        self.removals: list[str] = []

    def __getattr__(self, name: str):
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.removals.append(path)
