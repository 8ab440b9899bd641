"""Widen, shrink, retrain: one call, which can be killed and resumed at any point.

A stage is over when its last file is there: ``plan.json`` ends the search, ``last_checkpoint`` begins the training.
"""

import copy
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner, set_random_seed

from ..channels import ChannelPlan
from ..compat import mmengine_io
from ..errors import UserError
from ..models.builders import as_plan, resize_fresh
from ..models.trace import trace
from ..runs.checkpoint_file import LAST_CHECKPOINT, check_fits, find_last_checkpoint, load_checkpoint_file
from ..runs.history import read_history, set_aside
from ..runs.plan_file import check_search, check_target, weights_path
from ..runs.summary import SUMMARY, summarize, write_summary
from .checkpoint import SafeCheckpointHook
from .config import check_data
from .cost import complexity, training
from .latency import latency_budget
from .planned import apply_plan, resized_model
from .protocol import build_model, complete, experiment_name
from .section import LwdnaSection, parse_section
from .shrink_hook import SearchHook, ShrinkHook

PLAN = "plan.json"

mmengine_io.install()


def run(cfg: Config, plan: str | Path | None = None, resume: bool | str | Path = False) -> dict[str, Any]:
    """Train the network of a config: the plain one without an ``lwdna`` section, the LW-DNA one with it.

    Args:
        cfg: from :func:`load_config`; changed in place.
        plan: a plan to train instead of searching one.
        resume: go on with what is in ``cfg.work_dir``, or from the given checkpoint.

    Returns:
        The summary that is also written to ``work_dir/summary.json``.

    Raises:
        UserError: the config, the data, the plan or the checkpoint cannot be used.
    """
    section = parse_section(cfg.lwdna) if cfg.get("lwdna") is not None else None
    if plan is not None:
        as_plan(plan)  # a plan that cannot be read must not cost what lies in the work_dir
    if not resume and cfg.get("resume"):  # mmengine's own way to ask for it
        resume, cfg.load_from = cfg.get("load_from") or True, None
    if section is not None or plan is not None:
        _refuse_pretrained(cfg)
    complete(cfg)
    check_data(cfg, ["train_dataloader", "val_dataloader"])
    work_dir = Path(cfg.work_dir)
    if not resume:
        stale = [LAST_CHECKPOINT, SUMMARY, *([PLAN, weights_path(PLAN)] if plan is None else [])]
        for name in stale:  # of an earlier run in this folder
            (work_dir / name).unlink(missing_ok=True)
        set_aside(work_dir)
    checkpoint = _checkpoint_to_resume(work_dir, resume)
    if plan is not None:
        _take_over(Path(plan), work_dir / PLAN)
    elif section is None:
        return _train(cfg, None, None, checkpoint)
    elif (work_dir / PLAN).is_file():
        found, criterion = as_plan(work_dir / PLAN), section.shrink.criterion
        check_search(found, work_dir / PLAN, section.plan_options, criterion, cfg.randomness.seed)
    else:
        _search_or_recover(cfg, section, work_dir / PLAN, checkpoint)
    return _train(cfg, section, work_dir / PLAN, checkpoint)


def shrink(cfg: Config, out: str | Path, hook: type[SearchHook] = ShrinkHook) -> ChannelPlan:
    """Run the first half only: search the plan of a config with an ``lwdna`` section and write it to ``out``.

    Args:
        cfg: from :func:`load_config`; changed in place.
        out: where the plan goes; the weights go beside it.
        hook: what makes the plan.

    Raises:
        UserError: as :func:`run`.
    """
    section = parse_section(cfg.lwdna)
    check_target(out)
    _refuse_pretrained(cfg)
    complete(cfg)
    check_data(cfg, ["train_dataloader"])
    search_plan(cfg, section, out, hook)
    return ChannelPlan.from_json(out)


def evaluate(cfg: Config, checkpoint: str | Path | None, plan: str | Path | None = None) -> dict[str, float]:
    """Compute the metrics of the config's test set.

    Args:
        cfg: from :func:`load_config`; changed in place.
        checkpoint: weights of the config's network, or of that network resized to a plan; None only where the
            network has none, such as bicubic interpolation.
        plan: that plan; by default the one in the checkpoint.

    Raises:
        UserError: the data, the plan or the checkpoint cannot be used.
    """
    cfg.work_dir = cfg.get("work_dir") or str(Path("work_dirs", Path(cfg.filename).stem, "test"))
    check_data(cfg, ["test_dataloader"])
    loaded = load_checkpoint_file(checkpoint) if checkpoint else dict(state_dict={})
    apply_plan(cfg, loaded, plan)
    cfg.load_from, cfg.resume = checkpoint and str(checkpoint), False
    cfg.experiment_name = experiment_name(cfg, "test")
    runner = Runner.from_cfg(cfg)
    if checkpoint is None and any(True for _ in runner.model.parameters()):
        raise UserError(f"{cfg.filename}: the network has weights, give a checkpoint")
    model = getattr(runner.model, "module", runner.model)  # as it is before several processes wrap it
    check_fits(loaded["state_dict"], checkpoint, model.state_dict())
    kept = _KeepMetrics()
    runner.register_hook(kept)
    runner.test()
    return kept.metrics


class _KeepMetrics(Hook):
    """Holds the metrics of a test, which mmagic's loop reports to hooks but does not return."""

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        self.metrics = {name: _plain(value) for name, value in metrics.items()}


def _plain(value: Any) -> Any:
    """A number, or nested lists of them, of an array or tensor: as JSON has them."""
    return value.tolist() if hasattr(value, "tolist") else value


def search_plan(cfg: Config, section: LwdnaSection, out: str | Path, hook: type[SearchHook] = ShrinkHook) -> None:
    """Widen the network, judge its channels on a few batches and write the plan: the shrinkage of the paper.

    The same config and seed give the same plan, unless it has a limit on measured time.

    Args:
        cfg: completed by :func:`complete`.
        section: its parsed ``lwdna`` section.
        out: where the plan goes; the weights go beside it.
        hook: what makes the plan.

    Raises:
        UserError: the network cannot be traced, or the budget cannot be reached.
    """
    started = time.perf_counter()
    seed = cfg.randomness.seed
    set_random_seed(seed)
    model = build_model(cfg)
    baseline = trace(model, section.trace_options)
    wide = resize_fresh(model, baseline, baseline.scaled(section.widen))
    # Gates rename the parameters, which paramwise_cfg may name; and they must be there before a runner wraps the
    # model for several processes.
    optim_wrapper = build_optim_wrapper(wide, cfg.optim_wrapper)
    search = hook(wide, section, baseline, seed, out, started, latency_budget(cfg, section, baseline, model))
    shrink = section.shrink
    runner = Runner(
        model=wide,
        work_dir=str(Path(cfg.work_dir, "search")),
        train_dataloader=cfg.train_dataloader,
        train_cfg=dict(type="lwdna_mm.ShrinkLoop", warmup_iters=shrink.warmup_iters, iters=shrink.iters),
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
    runner.register_hook(search)
    runner.train()


def _refuse_pretrained(cfg: Config) -> None:
    """Raise UserError where a config asks for weights of the baseline, by ``load_from`` or by an ``init_cfg``."""
    source = cfg.get("load_from") or _pretrained(cfg.model)
    if source:
        raise UserError(
            f"pretrained weights ({source}) of the baseline do not fit a network of other widths: "
            "train both without load_from and without an init_cfg of type Pretrained"
        )


def _pretrained(model: Any) -> str | None:
    """The first checkpoint that a model's config is to be initialised from."""
    if isinstance(model, Mapping):
        if str(model.get("type")).endswith("Pretrained"):
            return str(model.get("checkpoint"))
        model = model.values()
    elif not isinstance(model, (list, tuple)):
        return None
    return next(filter(None, map(_pretrained, model)), None)


def _checkpoint_to_resume(work_dir: Path, resume: bool | str | Path) -> Path | None:
    if not resume:
        return None
    return find_last_checkpoint(work_dir) if resume is True else Path(resume)


def _search_or_recover(cfg: Config, section: LwdnaSection, plan: Path, checkpoint: Path | None) -> None:
    """Search a plan, unless a checkpoint given by the user carries one."""
    carried = load_checkpoint_file(checkpoint).get("meta", {}).get("lwdna_plan") if checkpoint else None
    if carried is None:
        search_plan(cfg, section, plan)
    else:
        plan.parent.mkdir(parents=True, exist_ok=True)
        as_plan(carried).to_json(plan)


def _take_over(plan: Path, own: Path) -> None:
    """Copy a plan, and the weights beside it, into the work_dir."""
    given = as_plan(plan)
    if plan.resolve() == own.resolve():
        return
    weights_path(own).unlink(missing_ok=True)
    if weights_path(plan).is_file():
        mmengine_io.write_atomically(weights_path(plan).read_bytes(), weights_path(own))
    given.to_json(own)


def _train(cfg: Config, section: LwdnaSection | None, plan: Path | None, checkpoint: Path | None) -> dict[str, Any]:
    """Train by the config's own protocol, which is the baseline's."""
    cfg = copy.deepcopy(cfg)
    cfg.pop("lwdna", None)
    if plan is not None:
        cfg.model = resized_model(cfg, json.loads(plan.read_text()))  # so that the config that is dumped is whole
    ours = checkpoint  # weights that must fit exactly; a load_from of the user's need not
    if checkpoint is None and section is not None and section.init == "inherit":
        ours = _weights_of(plan)
    if ours is not None:
        cfg.load_from, cfg.resume = str(ours), checkpoint is not None
    cfg.experiment_name = experiment_name(cfg, "train")
    runner = Runner.from_cfg(cfg)
    if ours is not None:
        model = getattr(runner.model, "module", runner.model)
        check_fits(load_checkpoint_file(ours)["state_dict"], ours, model.state_dict())
    if plan is not None:
        # A plan is a handful of numbers: every checkpoint carries what rebuilds its network.
        hook = next(hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook))
        hook.meta["lwdna_plan"] = json.loads(plan.read_text())
    cost = complexity(runner, plan)
    runner.train()
    if _lacks_last_validation(runner):  # the run was killed between its last checkpoint and that
        runner.val_loop.run()
    facts = dict(
        config=Path(runner.cfg.filename or "config").stem,
        seed=runner.seed,
        init=section.init if section else None,
        protocol=runner.cfg.get("protocol"),
        training=training(runner),
        **cost,
    )
    summary = summarize(runner.work_dir, facts, plan)
    if is_main_process():
        write_summary(runner.work_dir, summary)
    return summary


def _lacks_last_validation(runner: Runner) -> bool:
    if runner.val_loop is None:
        return False
    steps = [max(values) for values in read_history(runner.work_dir).val.values()]
    end = runner.max_epochs if isinstance(runner.train_loop, EpochBasedTrainLoop) else runner.max_iters
    answer = [max(steps, default=0) < end]
    broadcast_object_list(answer)  # one rank alone writes the logs
    return answer[0]


def _weights_of(plan: Path) -> Path:
    path = weights_path(plan)
    if not path.is_file():
        raise UserError(f"{path}: no weights beside the plan to inherit; give --cfg-options lwdna.init=fresh")
    return path
