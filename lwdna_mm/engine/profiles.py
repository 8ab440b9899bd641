"""The choice of a profile of widths by short runs of the real training, see :class:`lwdna_mm.shrink.ProfileSearch`."""

import copy
import hashlib
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import broadcast_object_list, get_world_size, is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from ..channels import ChannelPlan
from ..errors import DivergedError, UserError
from ..registry import HOOKS
from ..runs.history import less_is_better
from ..runs.plan_file import PROFILES
from ..runs.summary import SUMMARY, write_summary
from ..shrink.profile_search import EVEN, Profile, ProfileSearch
from .beginning import Beginning
from .protocol import by_epoch, shorten
from .shrink_hook import ShrinkHook
from .subset import validate_on_held_out

Train = Callable[..., dict[str, Any]]
"""Trains a config in its work_dir and returns the summary, see :func:`~.pipeline.run`: its ``resume`` and ``outer``
are given."""

# Where the short runs lie, below a run's folder.
FOLDER = Path("search", "profiles")
# The seeds of two repeats.
APART = 1_000_003
# In the summary of a short run, beside what every summary has.
DIVERGED = "diverged"


def choose_profile(cfg: Config, search: ProfileSearch, train: Train, beginning: Beginning) -> dict[str, Any]:
    """Try profiles by successive halving.

    Short runs that have ended are not done again, and one that was cut goes on, so that a search can be killed at any
    moment. Where the whole run begins anew, so does the first short run, and with it the rest of what was there goes.

    Args:
        cfg: completed by :func:`complete`; left as it is.
        search: how many are tried, and how long.
        train: see :data:`Train`.
        beginning: of the run, which begins with the first short run.

    Returns:
        In plain JSON types ``metric``, ``seed``, ``lengths`` of the rungs, ``candidates`` (each with ``profile``,
        ``widths``, ``flops``, ``params``, ``acts``, ``values``, one mean a rung, and ``each``, the values that it is
        the mean of), ``chosen``, the index of one, and ``cost`` (``samples_flops`` and ``seconds`` of all short runs).

    Raises:
        UserError: the training images cannot judge, or the config does not take the metric.
        DivergedError: the even widths diverge; any others that do so are the worst.
    """
    shorts = [_short(cfg, search, repeat) for repeat in range(search.repeats)]
    profiles = search.draw()
    candidates: list[dict[str, Any]] = [dict(profile=profile, values=[], each=[]) for profile in profiles]
    cost = dict(samples_flops=0, seconds=0.0)
    alive, values, metric, anew = list(range(len(profiles))), {}, "", beginning.anew
    for rung, length in enumerate(search.lengths):
        if rung:
            alive = search.survivors(values)
        values = {}
        for index in alive:
            summaries = []
            for short, folder in shorts:
                place = folder / f"rung{rung}" / f"{index:03d}"
                begin = partial(train, outer=beginning, resume=not anew)
                summaries.append(_run(short, profiles[index], length, place, begin, anew, may_diverge=index != EVEN))
                anew = False
                _note(candidates[index], cost, summaries[-1])
            metric = metric or _metric(search, summaries[0])  # of the even widths, which come first
            reached = [math.nan if DIVERGED in one else one["metrics"]["last"][metric] for one in summaries]
            mean = math.fsum(reached) / len(reached)
            candidates[index]["values"].append(_plain(mean))
            candidates[index]["each"].append([_plain(value) for value in reached])
            values[index] = [-value if less_is_better(metric) else value for value in reached]
            print_log(
                f"profiles, rung {rung + 1} of {search.rungs}: candidate {len(values)} of {len(alive)}, "
                f"{_told(profiles[index])}: {metric} {mean:.4g}",
                logger="current",
            )
    chosen = search.choose(values)
    return dict(
        metric=metric, seed=search.seed, lengths=search.lengths, candidates=candidates, chosen=chosen, cost=cost
    )


@HOOKS.register_module()
class ProfileHook(ShrinkHook):
    """Makes the plan of a profile that has been chosen.

    Args: as :class:`ShrinkHook`, and
        record: what :func:`choose_profile` has found.
    """

    def __init__(self, *args: Any, record: dict[str, Any]) -> None:
        super().__init__(*args)
        self.record = record
        self.criterion.profile = record["candidates"][record["chosen"]]["profile"]
        self.started -= record["cost"]["seconds"]

    def settings(self, cfg: Config) -> dict[str, Any]:
        """As ever; nothing is looked at."""
        self.cfg = cfg
        return super().settings(cfg)

    def cost(self, runner: Runner) -> dict[str, int]:
        """That of all trainings, in samples of the baseline."""
        own = super().cost(runner)
        spent = self.record["cost"]["samples_flops"] + own["samples"] * own["flops"]
        return dict(samples=round(spent / self.baseline.flops()), flops=self.baseline.flops())

    def beside(self, runner: Runner) -> dict[str, Any]:
        """The record, with the cost as a multiple of one training of the baseline."""
        loader, protocol = runner.train_dataloader, self.cfg.train_cfg
        if by_epoch(self.cfg):
            samples = protocol.max_epochs * len(loader.dataset)
        else:
            samples = protocol.max_iters * self.cfg.train_dataloader.batch_size * get_world_size()
        trainings = self.cost(runner)["samples"] / samples
        return {PROFILES: {**self.record, "cost": dict(self.record["cost"], trainings=trainings)}}


def _short(cfg: Config, search: ProfileSearch, repeat: int) -> tuple[Config, Path]:
    """The config of the short runs of one repeat, at full length still, and their folder."""
    short = copy.deepcopy(cfg)
    # Far apart, so that runs with neighbouring seeds share no training.
    validate_on_held_out(short, search.held_out, (search.seed + APART * repeat) % 2**32)
    short.randomness.seed = (short.randomness.seed + APART * repeat) % 2**32
    short.work_dir, short.resume, short.load_from = None, False, None
    said = json.dumps(short.to_dict(), sort_keys=True, default=str)
    return short, Path(cfg.work_dir, FOLDER, hashlib.sha256(said.encode()).hexdigest()[:12])


def _run(
    cfg: Config,
    profile: Profile,
    length: float,
    folder: Path,
    train: Callable[[Config], dict[str, Any]],
    anew: bool,
    may_diverge: bool,
) -> dict[str, Any]:
    """Train a profile's plan for a share of the training; its summary, with the plan's widths."""
    found: list[Any] = [None]
    if is_main_process() and (folder / SUMMARY).is_file() and not anew:
        found = [json.loads((folder / SUMMARY).read_text())]
    broadcast_object_list(found)
    if found[0] is None:
        cfg = copy.deepcopy(cfg)
        shorten(cfg, length)
        cfg.work_dir = str(folder)
        cfg.lwdna.shrink.criterion = dict(type="ProfileCriterion", **profile)
        cfg.lwdna.shrink.iters = 1  # nothing is looked at
        try:
            found = [train(cfg)]
        except DivergedError as error:
            if not may_diverge or error.summary is None:
                raise
            found = [{**error.summary, DIVERGED: str(error)}]
            if is_main_process():
                write_summary(folder, found[0])
        broadcast_object_list(found)  # one rank alone reads the logs
        if is_main_process():
            for weights in folder.glob("*.pth"):
                weights.unlink()
    return {**found[0], "widths": ChannelPlan.from_json(folder / "plan.json").widths}


def _metric(search: ProfileSearch, summary: dict[str, Any]) -> str:
    """The name of the metric that counts; on held-out images it may go by their name."""
    names = sorted(summary["metrics"]["last"])
    if search.metric is None:
        return names[0]
    found = [name for name in names if name.rpartition("/")[2] == search.metric.rpartition("/")[2]]
    if not found:
        raise UserError(f"lwdna.shrink.criterion.metric is {search.metric!r}, but the config takes {', '.join(names)}")
    return found[0]


def _note(candidate: dict[str, Any], cost: dict[str, Any], summary: dict[str, Any]) -> None:
    """Add a short run to what is known of its candidate, and to the cost."""
    candidate.update({name: summary[name] for name in ("widths", "flops", "params", "acts")})
    training, searched = summary["training"], summary["search"]
    cost["samples_flops"] += training["samples"] * summary["flops"] + searched["samples"] * searched["flops"]
    cost["seconds"] = round(cost["seconds"] + (training["seconds"] or 0) + searched["seconds"], 2)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _told(profile: Profile) -> str:
    return (
        " ".join(f"{name} {value:+.2f}" for name, value in profile.items()) if any(profile.values()) else "even widths"
    )
