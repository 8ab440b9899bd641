"""The crops of several runs side by side: input, each run's output, ground truth, with the PSNR under each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..runs.crops import Crops, read_crops


def compose(work_dirs: Sequence[str | Path], labels: Sequence[str] | None = None) -> dict[str, Figure]:
    """One figure for every image of which all the runs kept crops (see :class:`~.save_crops.SaveCrops`).

    Args:
        work_dirs: of the runs, the baseline first.
        labels: how to call the runs; their folders' names by default.

    Returns:
        Figures by image name, in alphabetical order; none where the runs share no crops. They belong to no window
        and need no closing.
    """
    labels = labels or [Path(work_dir).name for work_dir in work_dirs]
    return {name: _draw(name, crops, labels) for name, crops in read_crops(work_dirs).items()}


def _draw(name: str, crops: Sequence[Crops], labels: Sequence[str]) -> Figure:
    first = crops[0].metrics
    columns = len(crops) + 2
    figure = Figure(figsize=(2.4 * columns, 3.1), layout="constrained")
    axes = figure.subplots(1, columns)
    _show(axes[0], crops[0].input, first["input"], f"{first['psnr']['input']:.2f} dB")
    for ax, run, label in zip(axes[1:-1], crops, labels, strict=True):
        _show(ax, run.output, label, f"{run.metrics['psnr']['output']:.2f} dB")
    _show(axes[-1], crops[0].target, "ground truth", "")
    space, border = first["convert_to"] or "all channels", first["crop_border"]
    figure.suptitle(f"{name}: PSNR of the whole image, {space}, border {border}", fontsize=9)
    return figure


def _show(ax: Axes, image: np.ndarray, title: str, caption: str) -> None:
    ax.imshow(image, interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=9)
    ax.set_xlabel(caption, fontsize=9)
