"""The crops of several runs side by side: input, each run's output, ground truth, with the PSNR under each."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def compose(work_dirs: Sequence[str | Path], labels: Sequence[str] | None = None) -> dict[str, Figure]:
    """One figure for every image of which all the runs kept crops (see :class:`~.save_crops.SaveCrops`).

    Args:
        work_dirs: of the runs, the baseline first.
        labels: how to call the runs; their folders' names by default.

    Returns:
        Figures by image name, in alphabetical order; none where the runs share no crops. They belong to no window
        and need no closing.
    """
    folders = [Path(work_dir) / "visuals" for work_dir in work_dirs]
    labels = labels or [Path(work_dir).name for work_dir in work_dirs]
    names = [{path.parent.name for path in folder.glob("*/metrics.json")} for folder in folders]
    shared = set.intersection(*names) if names else set()
    return {name: _draw(name, [folder / name for folder in folders], labels) for name in sorted(shared)}


def _draw(name: str, folders: Sequence[Path], labels: Sequence[str]) -> Figure:
    metrics = [json.loads((folder / "metrics.json").read_text(encoding="utf-8")) for folder in folders]
    columns = len(folders) + 2
    figure = Figure(figsize=(2.4 * columns, 3.1), layout="constrained")
    axes = figure.subplots(1, columns)
    _show(axes[0], folders[0] / "input.png", metrics[0]["input"], f"{metrics[0]['psnr']['input']:.2f} dB")
    for ax, folder, label, measured in zip(axes[1:-1], folders, labels, metrics, strict=True):
        _show(ax, folder / "output.png", label, f"{measured['psnr']['output']:.2f} dB")
    _show(axes[-1], folders[0] / "target.png", "ground truth", "")
    space, border = metrics[0]["convert_to"] or "all channels", metrics[0]["crop_border"]
    figure.suptitle(f"{name}: PSNR of the whole image, {space}, border {border}", fontsize=9)
    return figure


def _show(ax: Axes, path: Path, title: str, caption: str) -> None:
    ax.imshow(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    ax.set_title(title, fontsize=9)
    ax.set_xlabel(caption, fontsize=9)
