"""What a run has logged: training curves and metrics, over all its interruptions."""

import json
from dataclasses import dataclass, field
from pathlib import Path

# What mmengine logs besides losses and metrics.
_BOOKKEEPING = {"step", "epoch", "iter", "time", "data_time", "memory", "lr", "base_lr", "momentum", "grad_norm"}
_LESS_IS_BETTER = ("loss", "error", "mae", "mse", "niqe", "lpips")


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
        """The best value of every metric."""
        return {name: (min if less_is_better(name) else max)(values.values()) for name, values in self.val.items()}


def less_is_better(metric: str) -> bool:
    """Whether a metric of this name is an error."""
    return any(part in metric.lower() for part in _LESS_IS_BETTER)


def read_history(work_dir: str | Path) -> History:
    """Read the scalars that mmengine has logged in a work_dir; what a resumed run repeats counts once."""
    history = History()
    for path in sorted(Path(work_dir).glob("*/vis_data/scalars.json")):
        iteration = 0
        for line in path.read_text().splitlines(keepends=True):
            if not line.endswith("\n"):  # cut by a kill
                break
            scalars = json.loads(line)
            # Validations of iteration-based runs are logged at epoch 0, all of them.
            step = int(scalars["step"]) or iteration
            if "lr" in scalars:
                iteration = step
            _add(history.train if "lr" in scalars else history.val, scalars, step)
    return history


def _add(curves: dict[str, dict[int, float]], scalars: dict, step: int) -> None:
    for name, value in scalars.items():
        if name not in _BOOKKEEPING and _is_number(value):
            curves.setdefault(name, {})[step] = float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
