"""What every run of this package adds to a config, baseline and LW-DNA alike."""

import copy
from itertools import count
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from ..errors import UserError
from ..registry import MODELS
from .subset import apply_subset
from .types import type_name

# mmengine shares loggers and message hubs between runners of one name, which has the time in seconds only.
_runs = count(1)
# mmengine's, of a training counted in iterations.
VAL_INTERVAL = 1000
# What is counted in epochs or iterations among the arguments of mmengine's schedulers.
_TIMES = {"begin", "end", "T_max", "total_iters", "milestones", "step_size", "periods", "restarts", "total_steps"}


def complete(cfg: Config) -> Config:
    """Fill in the subset, the seed, the work_dir, safe checkpoints and exact resume; the config is changed in place.

    Raises:
        UserError: there is nothing to train, a subset that cannot be, the checkpoint hook cannot be replaced by
            the safe one, it saves in another folder, or inside epochs, where no run can go on exactly, or never.
    """
    for key in ("model", "train_dataloader", "train_cfg", "optim_wrapper"):
        if cfg.get(key) is None:
            raise UserError(f"{cfg.filename} has no {key}, so there is nothing to train")
    apply_subset(cfg)
    cfg.setdefault("randomness", {})
    if cfg.randomness.get("seed") is None:
        cfg.randomness.seed = 0
    if cfg.get("work_dir") is None:
        cfg.work_dir = str(Path("work_dirs", Path(cfg.filename).stem))
    cfg.setdefault("default_hooks", {})
    hook = cfg.default_hooks.get("checkpoint") or _checkpoint_hook(cfg)
    kind = type_name(hook["type"])
    if kind not in ("CheckpointHook", "SafeCheckpointHook"):
        raise UserError(f"default_hooks.checkpoint.type is {kind!r}, but must be 'CheckpointHook'")
    if hook.get("out_dir") is not None:
        raise UserError(
            f"default_hooks.checkpoint.out_dir is {hook['out_dir']!r}, but checkpoints lie in the work_dir, so that a "
            "run can go on: leave it out, and give the folder by --work-dir"
        )
    if by_epoch(cfg) and not hook.get("by_epoch", True):
        raise UserError(
            "default_hooks.checkpoint.by_epoch is False, but the training is counted in epochs, and a run that goes on "
            "inside one would not end as an uninterrupted one: leave by_epoch out and give interval in epochs"
        )
    if not by_epoch(cfg) and hook.get("by_epoch", True):
        raise UserError(
            "default_hooks.checkpoint counts epochs, and the training iterations, so that nothing would be saved: give "
            "it by_epoch=False and its interval in iterations"
        )
    cfg.default_hooks.checkpoint = {**hook, "type": "lwdna_mm.SafeCheckpointHook"}
    logger = cfg.default_hooks.get("logger", dict(type="LoggerHook"))
    if logger is not None and not by_epoch(cfg):  # or all validations would be logged at epoch 0
        cfg.default_hooks.logger = {"log_metric_by_epoch": False, **logger}
    ours = [dict(type="lwdna_mm.ExactResumeHook"), dict(type="lwdna_mm.NonFiniteHook", skip=_skip_nonfinite(cfg))]
    # The config that a run leaves has them already, as that run was told.
    others = [hook for hook in cfg.get("custom_hooks") or [] if hook["type"] not in [one["type"] for one in ours]]
    cfg.custom_hooks = [*others, *ours]
    cfg.train_dataloader.persistent_workers = False
    _span_training(cfg)
    return cfg


def _checkpoint_hook(cfg: Config) -> dict[str, Any]:
    """For a config that has none: after every epoch, or as often as it validates."""
    if by_epoch(cfg):
        return dict(type="CheckpointHook", interval=1)
    interval = cfg.train_cfg.get("val_interval", VAL_INTERVAL)
    return dict(type="CheckpointHook", interval=min(interval, cfg.train_cfg["max_iters"]), by_epoch=False)


def _skip_nonfinite(cfg: Config) -> int:
    skip = cfg.get("skip_nonfinite", 0)
    if type(skip) is not int or skip < 0:
        raise UserError(f"skip_nonfinite is {skip!r}, but must be a whole number of batches, 0 or more")
    return skip


def by_epoch(cfg: Config) -> bool:
    """Whether a config's training is counted in epochs, not in iterations."""
    kind = cfg.train_cfg.get("type")
    return cfg.train_cfg.get("by_epoch", True) if kind is None else "Iter" not in type_name(kind)


def _span_training(cfg: Config) -> None:
    """Let schedules that name no end last as long as the training, which the command line may have changed."""
    schedulers = cfg.get("param_scheduler") or []
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        if "type" in scheduler and not {"end", "T_max", "total_iters", "milestones", "step_size"} & set(scheduler):
            key = "max_epochs" if scheduler.get("by_epoch", True) else "max_iters"
            if key in cfg.train_cfg:
                scheduler.end = cfg.train_cfg[key]


def shorten(cfg: Config, share: float) -> None:
    """Let a completed config train for a share of its length, in place: the same protocol, its schedules squeezed.

    It validates once, at the end.
    """
    key = "max_epochs" if by_epoch(cfg) else "max_iters"
    length = max(1, round(share * cfg.train_cfg[key]))
    share = length / cfg.train_cfg[key]
    cfg.train_cfg[key] = cfg.train_cfg.val_interval = length
    for name in ("val_begin", "dynamic_intervals"):
        cfg.train_cfg.pop(name, None)
    schedulers = cfg.get("param_scheduler") or []
    for scheduler in schedulers if isinstance(schedulers, list) else [schedulers]:
        for name in _TIMES & set(scheduler):
            scheduler[name] = _scaled(scheduler[name], share)


def _scaled(times: Any, share: float) -> Any:
    """A time of a schedule, or a list of them; none but 0 becomes 0."""
    if isinstance(times, list | tuple):
        return [_scaled(time, share) for time in times]
    return max(1, round(share * times)) if times else times


def experiment_name(cfg: Config, stage: str) -> str:
    """A name that no other runner of this process has."""
    return f"{Path(cfg.filename or 'config').stem}_{stage}{next(_runs)}"


def build_model(cfg: Config) -> nn.Module:
    """Build the model of a config as a runner would.

    Raises:
        UserError: it names a type that no registry has.
    """
    init_default_scope(cfg.get("default_scope", "mmengine"))
    model: dict[str, Any] = copy.deepcopy(cfg.model)
    if cfg.get("data_preprocessor") is not None:
        model.setdefault("data_preprocessor", cfg.data_preprocessor)
    try:
        return MODELS.build(model)
    except KeyError as error:  # mmengine's own message says which type in which registry
        raise UserError(f"model of {cfg.filename}: {error.args[0]}") from error
