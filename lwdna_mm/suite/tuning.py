"""The tables of what has been tried on held-out training images, and chosen there."""

from collections.abc import Sequence

import numpy as np

from .blocks import Block, Table, Text
from .records import Record, describe_point
from .statistics import Task
from .tables import NONE, digits_of, statistic


def tuning_blocks(task: Task) -> list[Block]:
    """The points of every grid, what each arm has chosen, and the mean by option; empty without tuning."""
    grids: dict[tuple[str, ...], list[Record]] = {}
    for record in task.grid:
        grids.setdefault(tuple(sorted(record.point)), []).append(record)
    return [block for grid in grids.values() for block in _grid_blocks(task, grid)]


def _grid_blocks(task: Task, grid: Sequence[Record]) -> list[Block]:
    """One grid, which several arms may have tried."""
    arms = list(dict.fromkeys(record.arm for record in grid))
    points = {describe_point(record.point): record.point for record in grid}
    runs: dict[tuple[str, str], list[Record]] = {}
    for record in grid:
        runs.setdefault((describe_point(record.point), record.arm), []).append(record)
    chosen = {arm: {describe_point(record.point) for record in task.arms.get(arm, {}).values()} for arm in arms}
    rows = []
    for point in points:
        row = [point]
        for arm in arms:
            mark = " (chosen)" if point in chosen[arm] else ""
            row.append(_on_select(task, runs.get((point, arm), [])) + mark)
        rows.append(row)
    held_out = f"{task.metric} on held-out training images"
    blocks: list[Block] = [Table([held_out, *arms], rows)]
    if len(grid[0].point) > 1:
        blocks.append(Table([f"mean of {held_out}", *arms], _means(task, grid, arms)))
    own = {arm: {point: points[point] for point in points if (point, arm) in runs} for arm in arms}
    return blocks + [text for arm in arms for text in _at_the_edge(arm, chosen[arm], own[arm])]


def _means(task: Task, grid: Sequence[Record], arms: Sequence[str]) -> list[list[str]]:
    """A row for each value of each option: the mean over all points that have it."""
    values = {(option, str(value)): value for record in grid for option, value in record.point.items()}
    rows = []
    for option, value in sorted(values):
        row = [describe_point({option: values[option, value]})]
        for arm in arms:
            at = [one.value for one in grid if one.arm == arm and str(one.point[option]) == value]
            found = [reached for reached in at if reached is not None]
            text = f"{np.mean(found):.{digits_of(task)}f} ({len(found)})" if found else NONE
            row.append(text + (f", {len(at) - len(found)} diverged" if len(found) < len(at) else ""))
        rows.append(row)
    return rows


def _at_the_edge(arm: str, chosen: set[str], points: dict[str, dict]) -> list[Block]:
    """Where the best value of a number may not have been tried, of the ``points`` that the arm has tried."""
    found: list[Block] = []
    for option, value in ((o, v) for point in sorted(chosen) for o, v in points.get(point, {}).items()):
        tried = {point[option] for point in points.values() if isinstance(point[option], int | float)}
        if len(tried) > 2 and value in (min(tried), max(tried)):
            text = f"{arm}: the chosen {option.rpartition('.')[2]} {value:g} is at the edge of the grid"
            found.append(Text(f"{text}; a better one may lie beyond it."))
    return found


def _on_select(task: Task, records: Sequence[Record]) -> str:
    """What one point has reached: its value, or the mean of its seeds, how they vary and how many they are."""
    values = [record.value for record in records if record.value is not None]
    lost = len(records) - len(values)
    if len(records) == 1 and lost:
        return "diverged"
    count = f" ({len(values)})" if len(records) > 1 else ""
    return statistic(task, values) + count + (f", {lost} diverged" if lost else "")
