"""The search of a plan: widen the network, judge it on some mini-batches, write what is found."""

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from mmengine.runner import Runner, set_random_seed

from ..errors import UserError
from ..models.builders import resize_fresh
from ..models.trace import trace
from ..shrink import CRITERIA, ProfileSearch, ResponseCriterion
from .beginning import Beginning
from .latency import latency_budget
from .nonfinite import NonFiniteHook
from .profiles import ProfileHook, Train, choose_profile
from .protocol import build_model, experiment_name
from .response_hook import ResponseHook
from .section import LwdnaSection
from .shrink_hook import SearchHook, ShrinkHook


def search_plan(
    cfg: Config,
    section: LwdnaSection,
    out: str | Path,
    train: Train,
    beginning: Beginning,
    hook: type[SearchHook] | None = None,
) -> None:
    """Widen the network, judge its channels on a few batches and write the plan: the shrinkage of the paper.

    The same config and seed give the same plan, unless it has a limit on measured time.

    Args:
        cfg: completed by :func:`complete`.
        section: its parsed ``lwdna`` section.
        out: where the plan goes; the weights go beside it.
        train: for a search that trains.
        beginning: of the run, which begins here.
        hook: what makes the plan; None for what the criterion asks for.

    Raises:
        UserError: the network cannot be traced, the budget cannot be reached, there are several optimizers, or the
            warm-up would end between two of their steps.
    """
    make = hook or _hook(cfg, section, train, beginning)
    started = time.perf_counter()
    seed = cfg.randomness.seed
    set_random_seed(seed)
    model = build_model(cfg)
    baseline = trace(model, section.trace_options)
    wide = resize_fresh(model, baseline, baseline.scaled(section.widen))
    # Gates rename the parameters, which paramwise_cfg may name; and they must be there before a runner wraps the
    # model for several processes.
    optim_wrapper = build_optim_wrapper(wide, cfg.optim_wrapper)
    _check_steps(optim_wrapper, section)
    search = make(wide, section, baseline, seed, out, started, latency_budget(cfg, section, baseline, model))
    if search.trained:
        optim_wrapper.optimizer.add_param_group(dict(params=search.trained))
    runner = Runner(
        model=wide,
        work_dir=str(Path(cfg.work_dir, "search")),
        **search.settings(cfg),
        optim_wrapper=optim_wrapper,
        default_hooks=dict(checkpoint=None, param_scheduler=None, logger=dict(type="LoggerHook", interval=10)),
        launcher=cfg.get("launcher", "none"),
        env_cfg=cfg.get("env_cfg", dict(dist_cfg=dict(backend="nccl"))),
        log_processor=dict(by_epoch=False),
        log_level=cfg.get("log_level", "INFO"),
        default_scope=cfg.get("default_scope", "mmengine"),
        randomness=cfg.randomness,
        experiment_name=experiment_name(cfg, "search"),
        cfg=Config({key: cfg[key] for key in ("model_wrapper_cfg", "sync_bn") if key in cfg}),
    )
    runner.register_hook(beginning)
    runner.register_hook(search)
    runner.register_hook(NonFiniteHook(cfg.get("skip_nonfinite", 0), search.gates))
    try:
        runner.train()
    except RuntimeError as error:
        unused = [note for note in baseline.notes if "does not use it" in note]
        if not unused or not re.search("size|shape", str(error)):
            raise
        raise UserError(
            f"the widened network cannot be trained: {str(error).splitlines()[0]}. {len(unused)} parameters run in "
            f"training only, such as {unused[0]}. Name in lwdna.keep what these read or mirror, or train by a method "
            "without them"
        ) from error


def _check_steps(optim_wrapper: OptimWrapper | OptimWrapperDict, section: LwdnaSection) -> None:
    if isinstance(optim_wrapper, OptimWrapperDict):
        raise UserError("a search needs a model with one optimizer: optim_wrapper has several")
    warmup, counts = section.shrink.warmup_iters, optim_wrapper._accumulative_counts
    if warmup % counts:
        raise UserError(
            f"lwdna.shrink.warmup_iters is {warmup}, but must be a multiple of optim_wrapper.accumulative_counts, "
            f"{counts}: the optimizer takes no step between"
        )


def _hook(cfg: Config, section: LwdnaSection, train: Train, beginning: Beginning) -> Callable[..., SearchHook]:
    """Who makes the plan by the section's criterion."""
    criterion = CRITERIA.build(CRITERIA.complete(section.shrink.criterion, seed=cfg.randomness.seed))
    if isinstance(criterion, ProfileSearch):
        return partial(ProfileHook, record=choose_profile(cfg, criterion, train, beginning))
    return ResponseHook if isinstance(criterion, ResponseCriterion) else ShrinkHook
