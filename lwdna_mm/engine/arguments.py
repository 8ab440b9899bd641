"""The command-line options that all tools share, applied to a config."""

import os
from argparse import Namespace

import torch
from mmengine.config import Config

from ..compat import cpu_distributed
from ..errors import UserError
from .types import type_name

# What each launcher leaves in the environment of every process, and who starts these.
LAUNCHED = dict(pytorch="RANK", slurm="SLURM_PROCID", mpi="OMPI_COMM_WORLD_RANK")
STARTERS = dict(pytorch="tools/dist_train.sh, by torchrun,", slurm="tools/slurm_train.sh, by srun,", mpi="mpirun")


def apply_arguments(cfg: Config, args: Namespace) -> None:
    """Write the options that ``args`` has into the config, in place.

    Args:
        cfg: from :func:`load_config`.
        args: any of ``work_dir, seed, amp, no_validate, auto_scale_lr, skip_nonfinite, launcher``.

    Raises:
        UserError: the config has nothing for an option to act on.
    """
    given = {name: value for name, value in vars(args).items() if value is not None and value is not False}
    if "work_dir" in given:
        cfg.work_dir = args.work_dir
    if given.get("launcher", "none") != "none":
        cfg.launcher = args.launcher
        _check_launched(args.launcher)
        cpu_distributed.prepare(cfg)
    if "seed" in given:
        cfg.randomness = {**cfg.get("randomness", {}), "seed": args.seed}
    if "amp" in given:
        _enable_amp(cfg)
    if "no_validate" in given:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if "skip_nonfinite" in given:
        cfg.skip_nonfinite = args.skip_nonfinite
    if "auto_scale_lr" in given:
        if not (cfg.get("auto_scale_lr") or {}).get("base_batch_size"):
            raise UserError("--auto-scale-lr: the config has no auto_scale_lr.base_batch_size, such as 128")
        cfg.auto_scale_lr.enable = True


def _check_launched(launcher: str) -> None:
    needed = LAUNCHED[launcher] if torch.cuda.is_available() else "RANK"
    if needed not in os.environ:
        raise UserError(f"--launcher {launcher}: there is no {needed} in the environment; {STARTERS[launcher]} sets it")


def _enable_amp(cfg: Config) -> None:
    if cfg.get("optim_wrapper") is None:
        raise UserError("--amp: the config has no optim_wrapper, so there is nothing to train in mixed precision")
    kind = cfg.optim_wrapper.get("type", "OptimWrapper")
    if type_name(kind) not in ("OptimWrapper", "AmpOptimWrapper", "CpuAmpOptimWrapper"):
        raise UserError(f"--amp: optim_wrapper.type is {kind!r}, but must be 'OptimWrapper'")
    cfg.optim_wrapper.type = "AmpOptimWrapper" if torch.cuda.is_available() else "lwdna_mm.CpuAmpOptimWrapper"
