"""Timing several networks in turns, so that whatever else the machine does meets all of them alike."""

import random
import time
from collections.abc import Callable, Sequence

import numpy as np

from ..compat.torch_timer import Timer, timer
from .allocator import keeping_memory
from .setting import Setting
from .steps import Step

# Quicker steps are run several times in a row, for so many seconds.
SPAN = 0.01
# However little time is given.
LEAST_TURNS = 3
# Seconds after which there is something to tell.
QUIET = 10.0


def time_in_turns(
    steps: Sequence[Step],
    setting: Setting,
    turns: int,
    seconds: float = float("inf"),
    tell: Callable[[str], object] = lambda line: None,
) -> np.ndarray:
    """Time every step once a turn, in an order drawn anew for each.

    torch's Timer runs a step once to warm up before it counts, and waits for a GPU to finish. What one thread computes
    on the CPU is timed by the thread's own clock, which stands still while the machine does something else.

    Args:
        steps: see :func:`~.steps.make_step`.
        setting: that the steps were made for.
        turns: at most so many.
        seconds: no turn begins after so many, once there have been 3.
        tell: is given a line on how far it is, now and then.

    Returns:
        Seconds of one run, (turns, steps).
    """
    clock = time.thread_time if setting.threads == 1 and not setting.cuda else timer
    timers = [Timer("step()", timer=clock, globals=dict(step=step), num_threads=setting.threads) for step in steps]
    rng, order = random.Random(0), list(range(len(steps)))
    times: list[list[float]] = []
    started = told = time.perf_counter()
    with keeping_memory():
        while len(times) < turns and (len(times) < LEAST_TURNS or time.perf_counter() - started < seconds):
            rng.shuffle(order)
            row = [0.0] * len(steps)
            for done, index in enumerate(order):
                row[index] = timers[index].blocked_autorange(min_run_time=SPAN).median
                now = time.perf_counter()
                if now - told > QUIET:
                    told, turn = now, (now - started) * len(order) / (len(times) * len(order) + done + 1)
                    whole = max(LEAST_TURNS * turn, min(turns * turn, seconds))
                    tell(f"turn {len(times) + 1} of at most {turns}; about {max(whole - now + started, 0):.0f} s left")
            times.append(row)
    return np.array(times)


def ratios(times: np.ndarray) -> np.ndarray:
    """Per turn the times (turns, networks) as multiples of the first network's in that turn."""
    return times / times[:, :1]


def middle_ratios(times: np.ndarray) -> np.ndarray:
    """The times (turns, networks) of many networks as multiples of the first one's, (networks,).

    Turns are compared by the median of all networks: one network's own outliers then do not touch the others.
    """
    relative = np.median(times / np.median(times, 1, keepdims=True), 0)
    return relative / relative[0]
