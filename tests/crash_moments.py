"""SIGKILL at a chosen moment of a pipeline, sent by the process to itself: ``python -m tests.crash_moments``.

``python -m tests.crash_moments MOMENT SKIP RANK SEED ARGUMENTS...`` runs tools/train.py with the arguments and kills
the process of that rank after ``SKIP`` of the events that ``MOMENT`` counts.
"""

import os
import random
import runpy
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import get_rank
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, ValLoop

from lwdna_mm import files
from lwdna_mm.channels import ChannelPlan
from lwdna_mm.engine import pipeline
from lwdna_mm.engine.shrink_loop import ShrinkLoop

TRAIN = Path(__file__).resolve().parents[1] / "tools" / "train.py"
# What may be counted, and where: the event is the call.
EVENTS: dict[str, list[tuple[Any, str]]] = {
    "search": [(ShrinkLoop, "run_iter")],
    "border": [(ChannelPlan, "to_json"), (pipeline, "_train")],
    "training": [(EpochBasedTrainLoop, "run_iter"), (IterBasedTrainLoop, "run_iter")],
    "writing": [(os, "fsync"), (os, "replace")],
    "validation": [(ValLoop, "run_iter")],
}


def die() -> None:
    """As from outside: no handler, no finally, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)


def watch(moments: Sequence[str], reached: Callable[[str], None]) -> None:
    """Call ``reached(moment)`` at each of its events, now before and now after what it is."""
    try:
        from mmagic.engine.runner import MultiValLoop

        EVENTS["validation"] = [(ValLoop, "run_iter"), (MultiValLoop, "run_iter")]
    except ImportError:  # mmagic is optional
        pass
    for moment in moments:
        for owner, name in EVENTS[moment]:
            setattr(owner, name, _watched(getattr(owner, name), moment, reached))


def _watched(function: Callable, moment: str, reached: Callable[[str], None]) -> Callable:
    def watched(*args: Any, **kwargs: Any) -> Any:
        reached(moment)
        return function(*args, **kwargs)

    return watched


def kill_after(moment: str, skip: int, seed: int) -> None:
    """Let this process die at the event after ``skip`` others; of a file that is written, a part is there then.

    Args:
        moment: of :data:`EVENTS`; or ``any``, and it dies after ``skip`` milliseconds, wherever it is.
    """
    if moment == "any":
        threading.Thread(target=lambda: (threading.Event().wait(skip / 1000), die()), daemon=True).start()
        return
    left, rng = [skip], random.Random(seed)

    def reached(_: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            _cut_temporaries(rng)
            die()

    watch([moment], reached)


def _cut_temporaries(rng: random.Random) -> None:
    """As if the system had not yet written all of the files that are being written."""
    for link in Path("/proc/self/fd").iterdir():
        try:
            path = os.readlink(link)
        except OSError:
            continue
        if files.TEMPORARY.fullmatch(Path(path).name):
            os.truncate(path, rng.randrange(os.path.getsize(path) + 1))


def count_events(arguments: Sequence[str]) -> Counter:
    """Run tools/train.py here and count the events of every moment."""
    counts: Counter = Counter()
    watch([*EVENTS], lambda moment: counts.update([moment]))
    train(arguments)
    return counts


def train(arguments: Sequence[str]) -> None:
    """tools/train.py."""
    runpy.run_path(str(TRAIN))["main"](list(arguments))


def main(argv: Sequence[str]) -> None:
    """Run the command line."""
    moment, skip, rank, seed, *arguments = argv
    if int(os.environ.get("RANK", get_rank())) == int(rank):
        kill_after(moment, int(skip), int(seed))
    train(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
