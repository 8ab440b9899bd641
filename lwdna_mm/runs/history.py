"""What a run has logged: training curves and metrics, over all its interruptions."""

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import UserError
from ..files import write_atomically

EARLIER = "earlier_logs.json"
# What mmengine logs besides losses and metrics.
_BOOKKEEPING = {"step", "epoch", "iter", "time", "data_time", "memory", "lr", "base_lr", "momentum", "grad_norm"}
# Words of a metric's name, and ends of such words, as in mmagic's "MattingMSE" and "GradientError".
_ERRORS = {"niqe", "lpips", "fid", "kid", "ppl", "swd", "sad", "epe"}
_ERROR_ENDS = ("loss", "error", "mae", "mse")


@dataclass
class History:
    """Values by name and step.

    Attributes:
        train: name of a loss -> {iteration: value}.
        val: name of a metric -> {epoch, or iteration: value}.
    """

    train: dict[str, dict[int, float]] = field(default_factory=dict)
    val: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def last(self) -> dict[str, float]:
        """The last value of every metric."""
        return {name: values[max(values)] for name, values in self.val.items()}

    @property
    def best(self) -> dict[str, float]:
        """The best value of every metric; NaN only where there is no other."""
        found = {name: [v for v in values.values() if not math.isnan(v)] for name, values in self.val.items()}
        choose = {name: min if less_is_better(name) else max for name in found}
        return {name: choose[name](values, default=math.nan) for name, values in found.items()}


def less_is_better(metric: str) -> bool:
    """Whether a metric of this name is an error."""
    words = re.findall(r"[a-z0-9]+", metric.lower())
    return any(word in _ERRORS or word.endswith(_ERROR_ENDS) for word in words)


def logs_in(work_dir: Path) -> list[str]:
    """The names of the logs that lie in a work_dir."""
    return sorted(path.parents[1].name for path in work_dir.glob("*/vis_data/scalars.json"))


def set_aside(work_dir: Path, names: list[str]) -> None:
    """Let the logs of some names in a work_dir not count as those of the run that starts anew in it."""
    if names:
        write_atomically(json.dumps(names).encode(), work_dir / EARLIER)


def read_history(work_dir: str | Path) -> History:
    """Read the scalars that mmengine has logged in a work_dir; what a resumed run repeats counts once.

    Logs of earlier runs in the same folder, see :func:`set_aside`, are left out.

    Raises:
        UserError: a file is damaged.
    """
    history = History()
    note = Path(work_dir, EARLIER)
    try:
        earlier = set(json.loads(note.read_text())) if note.is_file() else set()
    except (ValueError, TypeError) as error:
        raise UserError(f"{note}: damaged: take it out, and the logs of earlier runs in {work_dir} with it") from error
    for path in sorted(Path(work_dir).glob("*/vis_data/scalars.json")):
        if path.parents[1].name in earlier:
            continue
        for line in path.read_text().splitlines(keepends=True):
            if not line.endswith("\n"):  # cut by a kill
                break
            try:
                scalars = json.loads(line)
                step = int(scalars["step"])
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{path}: a line is damaged, {line.strip()!r:.60}: take it out") from error
            _add(history.train if "lr" in scalars else history.val, scalars, step)
    return history


def _add(curves: dict[str, dict[int, float]], scalars: dict, step: int) -> None:
    for name, value in scalars.items():
        if name not in _BOOKKEEPING and _is_number(value):
            curves.setdefault(name, {})[step] = float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
