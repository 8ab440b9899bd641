"""The tables and sentences of a suite's report."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from .blocks import Block, Table, Text
from .costs import machine_use, relative_costs
from .differences import CONFIDENCE, UNCLEAR, Difference, seeds_needed
from .landscape import Place, compare_spreads, lead, place, tie_widths
from .records import SELECT, Key, Record
from .statistics import LANDSCAPE, LWDNA, UNIFORM, Task, order_of

NONE = "-"


def describe_progress(records: Iterable[Record], planned: Collection[Key] | None) -> str:
    """How many of the planned runs are done."""
    done = {record.key for record in records}
    if planned is None:
        return f"{len(done)} runs."
    lacking = len(set(planned) - done)
    text = f"{len(done.intersection(planned))} of {len(set(planned))} runs."
    return text + (" What is missing is at the end." if lacking else "")


def missing_table(records: Iterable[Record], planned: Collection[Key]) -> Table | None:
    """The arms that lack runs, task by task; None where none does."""
    done = {record.key for record in records}
    counts: dict[str, dict[str, list[int]]] = {}
    for key in planned:
        arm = LANDSCAPE.rstrip("-") if key.arm.startswith(LANDSCAPE) else key.arm
        name = arm + (" (grid)" if key.stage == SELECT else "")
        count = counts.setdefault(key.task, {}).setdefault(name, [0, 0])
        count[0] += key in done
        count[1] += 1
    rows = []
    for task, arms in counts.items():
        lacking = [f"{arm} {have} of {whole}" for arm, (have, whole) in arms.items() if have < whole]
        if lacking:
            rows.append([task, "; ".join(lacking)])
    return Table(["task", "runs done"], rows) if rows else None


def summary_blocks(tasks: Sequence[Task]) -> list[Block]:
    """What the primary comparisons give, task by task, and which hold over all tasks; empty where none can tell."""
    head = ["task", "images", "seeds", "lwdna - uniform", "verdict", "lwdna-tuned - uniform-tuned", "verdict"]
    rows, primary = [], []
    for task in tasks:
        pair = task.compare(LWDNA), task.compare("lwdna-tuned", "uniform-tuned")
        found = [one for one in pair if one]
        if found:
            seeds = " and ".join(str(len(one.seeds)) for one in found)
            cells = [cell for one in pair for cell in (_difference(task, one), _verdict(one))]
            rows.append([task.name, NONE if task.size is None else f"{task.size:,}", seeds, *cells])
            primary += [(task.name, one) for one in found if one.interval]
    if not rows:
        return []
    return [Table(head, rows), *_over_all_tasks(primary)]


def _over_all_tasks(primary: Sequence[tuple[str, Difference]]) -> list[Text]:
    """Which verdicts stand a correction for all these comparisons; empty with one task, or where none is told apart."""
    told = [(name, one) for name, one in primary if one.verdict != UNCLEAR]
    if not told or len({name for name, _ in primary}) < 2:
        return []
    lists = {True: [], False: []}
    for name, one in told:
        holds = replace(one, comparisons=len(primary)).verdict != UNCLEAR
        lists[holds].append(f"{name} {one.arm} ({one.verdict})")
    still, lost = (", ".join(lists[holds]) or "none" for holds in (True, False))
    return [
        Text(
            f"These intervals are corrected task by task. Corrected over all {len(primary)} of the table, still told "
            f"apart: {still}; no longer: {lost}."
        )
    ]


def gains_table(tasks: Sequence[Task]) -> Table | None:
    """What all other widths give, tasks beside each other; None with one task."""
    gains = {task.name: task.gains() for task in tasks}
    gains = {name: found for name, found in gains.items() if found}
    arms = sorted({arm for found in gains.values() for arm in found}, key=order_of)
    if len(gains) < 2:
        return None
    rows = []
    for task in tasks:
        if task.name in gains:
            found = [gains[task.name].get(arm) for arm in arms]
            rows.append([task.name, task.metric, *(NONE if one is None else _short(task, one) for one in found)])
    return Table(["task", "metric", *arms], rows)


def pool_blocks(tasks: Sequence[Task]) -> list[Block]:
    """How much runs vary, which tasks share a pool, and what speaks against it; empty where no run varies."""
    tasks = [task for task in tasks if task.pool.deviation is not None]
    if not tasks:
        return []
    rows = []
    for task in tasks:
        own, digits = task.distinct.without(*task.pool.odd), digits_of(task) + 1
        alone = f"{math.sqrt(own.squares / own.freedom):.{digits}f} ({own.freedom})" if own.freedom else NONE
        shared = f"{task.pool.deviation:.{digits}f} ({task.pool.freedom})"
        rows.append([task.name, str(len(own.runs)), alone, shared, ", ".join(task.pool.tasks)])
    deviation = "deviation of the error (degrees of freedom)"
    return [Table(["task", "arms", f"{deviation}, alone", f"{deviation}, as used", "pooled over"], rows)]


def describe_cautions(tasks: Sequence[Task]) -> list[str]:
    """Where the errors of a task or an arm are larger than chance makes them."""
    found = [
        f"Caution: runs of the task {task.name} vary more than those of other sizes (F test, 5 %): it stands alone."
        for task in tasks
        if task.pool.alone
    ]
    pools = {pool: [task.name for task in tasks if task.pool == pool] for pool in (task.pool for task in tasks)}
    return found + [
        f"Caution: the errors of {' and '.join(pool.odd)} are larger than those of other arms (F test, 5 %; tasks "
        f"{', '.join(names)}): what is compared with them is judged by its own pairs of runs alone."
        for pool, names in pools.items()
        if pool.odd
    ]


def arms_table(task: Task) -> Table:
    """One row an arm: the metric, its difference to uniform, and the costs relative to the baseline."""
    head = [
        "arm",
        "seeds",
        task.metric,
        f"minus uniform [{CONFIDENCE:.0%}, corrected]",
        "verdict",
        "on training images",
    ]
    head += ["FLOPs", "params", "activations", "training time", "search s", "training s"]
    costs = relative_costs(task)
    rows = []
    for arm, runs in task.arms.items():
        difference = task.compare(arm) if arm != UNIFORM else None
        records = list(runs.values())
        row = [arm, str(len(runs)), statistic(task, task.values(arm)), _difference(task, difference)]
        row += [_verdict(difference), statistic(task, [record.train_value for record in records])]
        row += [_mean(by_arm.get(arm, []), ".2f") for by_arm in costs.values()]
        row += [_mean([record.search_seconds for record in records], ",.1f")]
        row += [_mean([record.training_seconds for record in records], ",.0f")]
        rows.append(row)
    return Table(head, rows)


def parts_blocks(task: Task) -> list[Block]:
    """What start and widths give, each alone, and how many seeds would be needed; empty where nothing can tell."""
    parts = task.parts()
    if not parts:
        return []
    effect = _effect(task)
    head = ["part", "arms", "seeds", f"difference [{CONFIDENCE:.0%}, corrected]", "verdict", "corrected for"]
    head += [f"{CONFIDENCE:.0%} interval alone", f"seeds to see {effect:g}: alone, corrected"]
    rows = []
    for name, one in parts.items():
        row = [name, f"{one.arm} - {one.other}", str(len(one.seeds)), _difference(task, one), _verdict(one)]
        row.append(f"{one.comparisons} {'primary' if one.primary else 'secondary'}")
        rows.append([*row, _interval(task, one.interval), _needed(task, one, effect)])
    return [Table(head, rows)]


def landscape_blocks(task: Task) -> list[Block]:
    """Where LW-DNA stands among random plans, whether plans differ more than seeds, whether the best is beyond the
    baseline's widths, and whose widths go with what they reach; empty without a landscape.
    """
    if len(task.landscape) < 2:
        return []
    values = [record.value for record in task.landscape]
    lines = [f"Landscape: {len(values)} random plans at one training seed, {statistic(task, values)}."]
    found, spread, best, ties = place(task), compare_spreads(task), lead(task), tie_widths(task)
    if found:
        low, high = found.interval
        lines[0] += (
            f" {LWDNA} ({found.value:.{digits_of(task)}f}, {found.of}) is better than {found.beaten} of them"
            f"{_elsewhere(found)}; the share of all random plans that it beats is {low:.2f} to {high:.2f} "
            f"({CONFIDENCE:.0%})."
        )
    if spread:
        low, high = spread.interval
        answer = "they do" if spread.matters else "not told apart from chance"
        lines.append(
            f"Do widths matter here at all? The variance over plans is {spread.ratio:.1f} [{low:.1f}, {high:.1f}] times"
            f" that of the error of one run ({spread.freedom} degrees of freedom): {answer}."
        )
    if best:
        answer = "more than chance" if best.told else "not told apart from chance"
        even = place(task, UNIFORM)
        lines.append(
            f"Is there something to win? {UNIFORM} of that seed is better than {even.beaten} of them{_elsewhere(even)};"
            f" the best is {best.value:+.{digits_of(task)}f} from it, {best.deviations:+.1f} deviations of a run. "
            f"By chance the best of {len(values)} comes that far with probability {best.probability:.2g}: {answer}."
        )
    if ties:
        answer = "more than chance" if ties.told else "not told apart from chance"
        lines.append(
            f"Whose? {ties.strongest}'s width goes with the result most, by a rank correlation of "
            f"{ties.correlations[ties.strongest]:+.2f} (above zero: wider is better). By chance the largest of "
            f"{len(ties.correlations)} comes that far with probability {ties.probability:.2g}: {answer}."
        )
    return [Text(line) for line in lines]


def _elsewhere(found: Place) -> str:
    return f" ({found.across} of {found.count} from another machine)" if found.across else ""


def use_blocks(records: Sequence[Record]) -> list[Block]:
    """Machines, hours, days, and versions."""
    rows, total = [], {"core-hours": 0.0, "device-hours": 0.0}
    for machine, use in machine_use(records).items():
        there = [record for record in records if record.machine == machine]
        days = sorted({record.date for record in there})
        span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        versions = [", ".join(sorted({getattr(record, name) for record in there})) for name in ("torch", "code")]
        unit = "core-hours" if use.cores else "device-hours"
        rows.append([machine, str(use.runs), f"{use.hours:.1f} {unit}", span, *versions])
        total[unit] += use.hours
    told = " and ".join(f"{hours:.1f} {unit}" for unit, hours in total.items() if hours)
    rough = "Runs may have shared a machine, so that times are rough."
    head = ["machine", "runs", "search and training", "days", "torch", "code"]
    return [Table(head, rows), Text(f"In all {told}, tuning and landscape included. {rough}")]


def digits_of(task: Task) -> int:
    """Decimals that give the task's values four figures."""
    tested = [record for runs in task.arms.values() for record in runs.values()]
    largest = max(abs(record.value or 0.0) for record in (*tested, *task.landscape, *task.grid))
    return max(0, 3 - math.floor(math.log10(largest))) if largest else 2


def _effect(task: Task) -> float:
    """Half a point: of a hundred, or where the metric is a share, of one."""
    values = [abs(record.value) for runs in task.arms.values() for record in runs.values()]
    return 0.5 if max(values) > 1 else 0.005


def statistic(task: Task, values: Sequence[float | None]) -> str:
    """The mean of the values that are there, and their standard deviation if they are more than one."""
    values = [value for value in values if value is not None]
    if not values:
        return NONE
    text = f"{np.mean(values):.{digits_of(task)}f}"
    return text + (f" ± {np.std(values, ddof=1):.{digits_of(task)}f}" if len(values) > 1 else "")


def _mean(values: Sequence[float | None], form: str) -> str:
    values = [value for value in values if value is not None]
    return format(float(np.mean(values)), form) if values else NONE


def _difference(task: Task, difference: Difference | None) -> str:
    if difference is None:
        return NONE
    text = _signed(task, difference.estimate)
    return text + (f" {_interval(task, difference.corrected)}" if difference.corrected else "")


def _short(task: Task, difference: Difference) -> str:
    """The estimate, an asterisk where runs of different machines are paired, and the verdict if there is one."""
    text = _signed(task, difference.estimate) + ("*" if difference.across else "")
    return text if difference.verdict == UNCLEAR else f"{text} {difference.verdict}"


def _interval(task: Task, interval: tuple[float, float] | None) -> str:
    return f"[{', '.join(_signed(task, end) for end in interval)}]" if interval else NONE


def _signed(task: Task, value: float) -> str:
    """With its sign; what rounds to zero is above it."""
    return f"{round(value, digits_of(task)) + 0.0:+.{digits_of(task)}f}"


def _verdict(difference: Difference | None) -> str:
    if difference is None:
        return NONE
    count = len(difference.seeds)
    notes = ["one seed"] if count == 1 else []
    if difference.across:
        notes.append(f"{difference.across} of {count} across machines")
    return difference.verdict + (f" ({', '.join(notes)})" if notes else "")


def _needed(task: Task, difference: Difference, effect: float) -> str:
    if difference.deviation is None:
        return NONE
    freedom = task.freedom_per_seed if difference.pooled else 1
    levels = [(1 - CONFIDENCE) / comparisons for comparisons in (1, difference.comparisons)]
    counts = [seeds_needed(difference.deviation, effect, alpha=level, freedom_per_seed=freedom) for level in levels]
    return ", ".join("very many" if count is None else str(count) for count in counts)
