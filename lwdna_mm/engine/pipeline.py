"""Widen, shrink, retrain: one call, which can be killed and resumed at any point.

A stage is over when its last file is there: ``plan.json`` ends the search, ``last_checkpoint`` begins the training.
"""

import copy
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..channels import ChannelPlan
from ..compat import images, mmengine_data, mmengine_io
from ..errors import DivergedError
from ..files import remove_others, write_atomically
from ..models.builders import as_plan
from ..runs.checkpoint_file import (
    LAST_CHECKPOINT,
    check_fits,
    check_resumable,
    find_intact_checkpoint,
    load_checkpoint_file,
)
from ..runs.history import logs_in, read_history, set_aside
from ..runs.plan_file import BESIDE, check_plan_target, check_search, path_beside, weights_path
from ..runs.summary import SUMMARY, summarize, write_summary
from ..shrink import CRITERIA
from . import profiles
from .alone import LOCK, alone_in
from .beginning import Beginning
from .checkpoint import SafeCheckpointHook
from .config import check_data
from .cost import complexity, training
from .plan_search import search_plan
from .planned import naming_plan, own_plan, resized_model
from .protocol import complete, experiment_name
from .section import LwdnaSection, parse_section
from .shrink_hook import SearchHook
from .start_weights import refuse_own_weights, refuse_pretrained, weights_of
from .types import check_types

PLAN = "plan.json"

for package in (images, mmengine_data, mmengine_io):
    package.install()


def run(
    cfg: Config,
    plan: str | Path | None = None,
    resume: bool | str | Path = False,
    outer: Beginning | None = None,
) -> dict[str, Any]:
    """Train the network of a config: the plain one without an ``lwdna`` section, the LW-DNA one with it.

    Args:
        cfg: from :func:`load_config`; changed in place.
        plan: a plan to train instead of searching one.
        resume: go on with what is in ``cfg.work_dir``, or from the given checkpoint.
        outer: of a run that this one is a part of, and that begins with it.

    Returns:
        The summary that is also written to ``work_dir/summary.json``.

    Raises:
        UserError: the config, the data, the plan or the checkpoint cannot be used, or another process works in the
            work_dir.
    """
    section = parse_section(cfg.lwdna) if cfg.get("lwdna") is not None else None
    if plan is not None:
        as_plan(plan)  # a plan that cannot be read must not cost what lies in the work_dir
    if not resume and cfg.get("resume"):  # mmengine's own way to ask for it
        resume, cfg.load_from = cfg.get("load_from") or True, None
    if section is not None or plan is not None:
        refuse_pretrained(cfg)
    complete(cfg)
    check_types(cfg)
    check_data(cfg, ["train_dataloader", "val_dataloader"])
    if not resume and plan is None:
        refuse_own_weights(cfg, PLAN)
    beginning = Beginning(cfg, anew=not resume)
    if outer is not None:
        beginning.then(partial(outer.begin, beginning.folder))
    beginning.made(Path(cfg.work_dir, LOCK))
    with alone_in(Path(cfg.work_dir)), beginning:
        return _run(cfg, section, plan, resume, beginning)


def _run(
    cfg: Config,
    section: LwdnaSection | None,
    plan: str | Path | None,
    resume: bool | str | Path,
    beginning: Beginning,
) -> dict[str, Any]:
    work_dir = Path(cfg.work_dir)
    if not resume:
        beginning.then(partial(_clear, beginning, keep_plan=plan is not None))
        beginning.then(partial(set_aside, work_dir, logs_in(work_dir)))
    checkpoint = _checkpoint_to_resume(work_dir, resume)
    if plan is not None:
        beginning.then(partial(_take_over, Path(plan), work_dir / PLAN))
        return _train(cfg, section, Path(plan), checkpoint, beginning)
    if section is None:
        carried = own_plan(cfg)
        if carried is not None:
            beginning.then(partial(as_plan(carried).to_json, work_dir / PLAN))
        return _train(cfg, None, None, checkpoint, beginning)
    if resume and (work_dir / PLAN).is_file():
        seed = cfg.randomness.seed
        criterion = CRITERIA.complete(section.shrink.criterion, seed=seed)
        check_search(as_plan(work_dir / PLAN), work_dir / PLAN, section.plan_options, criterion, seed)
    else:
        _search_or_recover(cfg, section, work_dir / PLAN, checkpoint, beginning)
    return _train(cfg, section, work_dir / PLAN, checkpoint, beginning)


def shrink(cfg: Config, out: str | Path, hook: type[SearchHook] | None = None) -> ChannelPlan:
    """Run the first half only: search the plan of a config with an ``lwdna`` section and write it to ``out``.

    Args:
        cfg: from :func:`load_config`; changed in place.
        out: where the plan goes; the weights go beside it.
        hook: what makes the plan; None for what the config's criterion asks for.

    Raises:
        UserError: as :func:`run`.
    """
    section = parse_section(cfg.lwdna)
    check_plan_target(out)
    refuse_pretrained(cfg)
    complete(cfg)
    check_types(cfg)
    check_data(cfg, ["train_dataloader"])
    beginning = Beginning(cfg)
    beginning.made(Path(cfg.work_dir, LOCK))
    with alone_in(Path(cfg.work_dir)), beginning:
        search_plan(cfg, section, out, run, beginning, hook)
    return ChannelPlan.from_json(out)


def _clear(beginning: Beginning, keep_plan: bool) -> None:
    """Take away what an earlier run in this folder has left."""
    work_dir = beginning.folder
    stale = [LAST_CHECKPOINT, SUMMARY]
    if not keep_plan:
        stale += [PLAN, weights_path(PLAN), *(path_beside(PLAN, kind) for kind in BESIDE)]
        remove_others(work_dir / profiles.FOLDER, beginning.part)
    for name in stale:
        (work_dir / name).unlink(missing_ok=True)


def _checkpoint_to_resume(work_dir: Path, resume: bool | str | Path) -> Path | None:
    if resume is not True:
        return Path(resume) if resume else None
    checkpoint, wrong = find_intact_checkpoint(work_dir)
    if wrong and is_main_process():
        sys.stderr.write(f"warning: {wrong}\n")
    return checkpoint


def _search_or_recover(
    cfg: Config, section: LwdnaSection, plan: Path, checkpoint: Path | None, beginning: Beginning
) -> None:
    """Search a plan, unless a checkpoint given by the user carries one."""
    carried = load_checkpoint_file(checkpoint).get("meta", {}).get("lwdna_plan") if checkpoint else None
    if carried is None:
        search_plan(cfg, section, plan, run, beginning)
    else:
        plan.parent.mkdir(parents=True, exist_ok=True)
        beginning.made(plan)
        as_plan(carried).to_json(plan)


def _take_over(plan: Path, own: Path) -> None:
    """Copy a plan, and what lies beside it, into the work_dir."""
    given = as_plan(plan)
    if plan.resolve() == own.resolve():
        return
    for beside in (weights_path, *(partial(path_beside, kind=kind) for kind in BESIDE)):
        beside(own).unlink(missing_ok=True)
        if beside(plan).is_file():
            write_atomically(beside(plan).read_bytes(), beside(own))
    given.to_json(own)


def _train(
    cfg: Config, section: LwdnaSection | None, plan: Path | None, checkpoint: Path | None, beginning: Beginning
) -> dict[str, Any]:
    """Train by the config's own protocol, which is the baseline's."""
    cfg = copy.deepcopy(cfg)
    cfg.pop("lwdna", None)
    carried = own_plan(cfg) if plan is None else json.loads(plan.read_text())
    init = _beginning_of_weights(cfg, section, carried)
    if plan is not None:
        cfg.model = resized_model(cfg, carried)  # so that the config that is dumped is whole
    ours = checkpoint  # weights that must fit exactly; a load_from of the user's need not
    if checkpoint is None and section is not None and section.init == "inherit":
        ours = weights_of(plan)
    if ours is not None:
        cfg.load_from, cfg.resume = str(ours), checkpoint is not None
    cfg.experiment_name = experiment_name(cfg, "train")
    beginning.building = True
    with naming_plan(plan):
        runner = Runner.from_cfg(cfg)
    runner.register_hook(beginning)
    if ours is not None:
        model = getattr(runner.model, "module", runner.model)
        loaded = load_checkpoint_file(ours)
        check_fits(loaded["state_dict"], ours, model.state_dict())
        if checkpoint is not None:
            check_resumable(loaded, ours)
        del loaded
    if carried is not None:
        # A plan is a handful of numbers: every checkpoint carries what rebuilds its network.
        hook = next(hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook))
        hook.meta["lwdna_plan"] = carried
    facts = dict(init=init, **complexity(runner, carried))
    try:
        runner.train()
    except DivergedError as error:
        error.summary = _summarize(runner, facts, carried is not None)
        raise
    beginning.begin()  # also where nothing was left to train
    if _lacks_last_validation(runner):  # the run was killed between its last checkpoint and that
        runner.val_loop.run()
    summary = _summarize(runner, facts, carried is not None)
    if is_main_process():
        write_summary(runner.work_dir, summary)
    return summary


def _beginning_of_weights(cfg: Config, section: LwdnaSection | None, plan: dict[str, Any] | None) -> str | None:
    """Where the first weights come from, as the summary says it."""
    if section is not None:
        return section.init
    if plan is None:
        return None
    return "inherit" if cfg.get("load_from") else "fresh"


def _summarize(runner: Runner, facts: dict[str, Any], planned: bool) -> dict[str, Any]:
    known = dict(
        config=Path(runner.cfg.filename or "config").stem,
        seed=runner.seed,
        protocol=runner.cfg.get("protocol"),
        training=training(runner),
        **facts,
    )
    return summarize(runner.work_dir, known, Path(runner.work_dir, PLAN) if planned else None)


def _lacks_last_validation(runner: Runner) -> bool:
    if runner.val_loop is None:
        return False
    steps = [max(values) for values in read_history(runner.work_dir).val.values()]
    end = runner.epoch if isinstance(runner.train_loop, EpochBasedTrainLoop) else runner.iter  # may have stopped early
    answer = [max(steps, default=0) < end]
    broadcast_object_list(answer)  # one rank alone writes the logs
    return answer[0]
