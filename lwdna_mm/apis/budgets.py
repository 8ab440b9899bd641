"""What a budget of time gives: a network measured under FLOPs alone, and under FLOPs and time."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..channels import ChannelPlan
from ..engine.config import check_data, load_config
from ..engine.pipeline import shrink
from ..errors import UserError
from ..files import write_atomically
from ..latency import LatencyError, Setting, Workload, ratios, read_profile, time_in_turns
from ..latency.steps import make_step
from ..runs.summary import read_written
from ..shrink import BudgetError
from ..tables import Row
from .latency import Timed, profile_latency

# Widths that are multiples of this: a CPU is slower at others than at the next multiple.
DIVISOR = 8
# Floors that leave the search something to choose where widths are multiples of that.
MIN_RATIO = 0.2
# Of each arm: whether time is limited, divisor and floor; the first is the configs' own.
ARMS = {
    "flops": (False, 1, 0.4),
    f"flops, divisor {DIVISOR}": (False, DIVISOR, MIN_RATIO),
    f"flops and time, divisor {DIVISOR}": (True, DIVISOR, MIN_RATIO),
}
RESULT, LATENCY = "result.json", "latency.json"
# How all that lies in the folder was asked for, but for the turns.
ARGUMENTS = "arguments.json"


def measure_budgets(
    config: str | Path,
    options: dict[str, Any],
    workloads: Sequence[Workload],
    out: Path,
    tell: Callable[[str], object],
    turns: int = 15,
    **how: Any,
) -> dict[str, Any]:
    """Model a network's time, search it under each budget, and time baseline and plans in turns.

    What an earlier, interrupted call with the same arguments has left in ``out`` is kept: ``latency.json``, the plans,
    ``result.json``.

    Args:
        config: with an ``lwdna`` section.
        options: changes to it, as ``--cfg-options``.
        workloads: ways to run the network; all are in the budget.
        turns: of the last measurement.
        how: of the model, see :func:`~.latency.profile_latency`.

    Returns:
        ``setting``, ``turns``, ``error`` (of the model, by workload) and ``times`` (by arm and workload, per turn a
        multiple of the baseline's time), ``shares`` (by arm, of FLOPs, parameters and activations); arms without a
        plan within their budget are left out.

    Raises:
        UserError: what is there is of other arguments.
    """
    result = out / RESULT
    asked = dict(config=Path(config).stem, threads=torch.get_num_threads(), workloads=[str(one) for one in workloads])
    _check_arguments(out, {**asked, **how, **options})
    if result.is_file():
        return _earlier(result, turns)
    cfg = load_config(config, options)
    timed = Timed(cfg)
    setting = Setting.here(channels_last=timed.channels_last)
    latency = out / LATENCY
    if not latency.is_file():
        profile_latency(timed, workloads, setting, tell, DIVISOR, **how).write(latency)
    profile = read_profile(latency)
    plans = {arm: out / arm / "plan.json" for arm in ARMS}
    for arm, (limited, divisor, min_ratio) in ARMS.items():
        if not plans[arm].is_file():
            tell(f"search under {arm}")
            budget = dict(flops=1.0, latency=str(latency) if limited else None)
            chosen = {"budget": budget, "shrink.divisor": divisor, "shrink.min_ratio": min_ratio}
            cfg = load_config(config, {**options, **{f"lwdna.{key}": value for key, value in chosen.items()}})
            cfg.work_dir = str(out / arm)
            try:
                shrink(cfg, plans[arm])
            except (BudgetError, LatencyError) as error:
                tell(f"no plan under {arm}: {error}")
                del plans[arm]
    tell("baseline and plans in turns")
    networks = [timed.network, *(timed.of_plan(plan)[0] for plan in plans.values())]
    times: dict[str, dict[str, list[float]]] = {arm: {} for arm in plans}
    for workload in workloads:
        steps = [make_step(network, timed.shapes, workload, setting) for network in networks]
        seen = ratios(time_in_turns(steps, setting, turns, tell=tell))
        for arm, column in zip(plans, seen.T[1:], strict=True):
            times[arm][str(workload)] = np.round(column, 4).tolist()
    error = {str(one.workload): dict(median=one.error.median, rank=one.error.rank) for one in profile.fitted}
    found = dict(setting=str(setting), turns=turns, torch=torch.__version__, error=error, times=times)
    found["shares"] = _shares(plans)
    write_atomically((json.dumps(found) + "\n").encode(), result)
    return found


def check_budget_data(config: str | Path, options: dict[str, Any], out: Path) -> None:
    """Check that the data are there which the searches of :func:`measure_budgets` need after minutes.

    Raises:
        UserError: they are not, and there is no result in ``out`` yet.
    """
    if not (out / RESULT).is_file():
        check_data(load_config(config, options), ["train_dataloader"])


def _check_arguments(out: Path, asked: dict[str, Any]) -> None:
    """Check that what lies in ``out`` was asked for as here; note it where nothing does yet."""
    note, asked = out / ARGUMENTS, json.loads(json.dumps(asked))
    if not any((out / name).exists() for name in (RESULT, LATENCY, *(f"{arm}/plan.json" for arm in ARMS))):
        write_atomically((json.dumps(asked) + "\n").encode(), note)
        return
    if not note.is_file():
        raise UserError(f"{out}: no {ARGUMENTS} says how it was measured: delete it, or give another folder")
    kept = read_written(note, "config", "threads", "workloads")
    for key in {**kept, **asked}:
        if kept.get(key) != asked.get(key):
            raise UserError(
                f"{out}: was measured with {key} {kept.get(key)!r}, and this call asks for {asked.get(key)!r}: ask for "
                "the same, delete it, or give another folder"
            )


def _earlier(result: Path, turns: int) -> dict[str, Any]:
    """What an earlier call has found, where it was asked for the same."""
    found = read_written(result, "setting", "turns", "error", "times", "shares")
    if found["turns"] != turns:
        raise UserError(
            f"{result}: is of {found['turns']} turns, and this call asks for {turns}: ask for the same, or delete it"
        )
    return found


def budget_rows(name: str, found: dict[str, Any]) -> list[Row]:
    """The result as rows of a table: the model's error, and for each arm the costs and times against the baseline's."""
    rows: list[Row] = [
        {
            "network": name,
            "": "model: median error, rank correlation",
            **dict.fromkeys(("FLOPs", "acts"), ""),
            **{name: f"{one['median']:.1%}, {one['rank']:.3f}" for name, one in found["error"].items()},
        }
    ]
    for arm, times in found["times"].items():
        shares = found["shares"][arm]
        row: Row = {"network": name, "": arm, "FLOPs": f"{shares['flops']:.3f}", "acts": f"{shares['acts']:.3f}"}
        for workload, values in times.items():
            low, middle, high = np.percentile(values, (25, 50, 75))
            row[workload] = f"{middle:.3f} [{low:.3f}, {high:.3f}]"
        rows.append(row)
    # One table for all networks, whose training steps have batches of their own.
    return [{("training" if "training" in key else key): value for key, value in row.items()} for row in rows]


def _shares(plans: dict[str, Path]) -> dict[str, dict[str, float]]:
    shares = {}
    for arm, path in plans.items():
        meta = ChannelPlan.from_json(path).meta
        shares[arm] = {cost: meta[cost] / meta["baseline"][cost] for cost in ("flops", "params", "acts")}
    return shares
