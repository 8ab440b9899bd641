"""Folders of images, looked at before a run: that there are images, and classes that a classifier can learn."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import UserError

CLASS_FOLDERS = ("CustomDataset", "mmpretrain.CustomDataset")
PLAIN_FOLDERS = ("BasicImageDataset", "mmagic.BasicImageDataset")
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif")  # of both kinds, unless the config says others


def check_image_folders(datasets: Iterator[tuple[str, Mapping]]) -> None:
    """Check the folders of images among data sets.

    Args:
        datasets: the dataloader's name and the config of each.

    Raises:
        UserError: a folder without images, a class without images, a single class, or classes that are not those of
            the data set before: a class's label is its place in the order of the folders' names.
    """
    first: tuple[str, list[str]] | None = None
    for name, dataset in datasets:
        kind, prefix = str(dataset.get("type")), dataset.get("data_prefix") or ""
        if dataset.get("ann_file") or (kind in CLASS_FOLDERS and not dataset.get("with_label", True)):
            continue
        parts = list(prefix.values()) if isinstance(prefix, Mapping) else [prefix]
        folders = [Path(dataset.get("data_root") or "", part) for part in parts]
        suffixes = tuple(dataset.get("extensions") or dataset.get("img_suffix") or SUFFIXES)
        if kind in PLAIN_FOLDERS:
            for folder in folders:
                _check_some(name, folder, suffixes)
        elif kind in CLASS_FOLDERS:
            classes = _check_classes(name, folders[0], suffixes)
            if first is not None and classes != first[1]:
                other = next(iter(sorted({*classes} ^ {*first[1]})))
                raise UserError(
                    f"{name}: {folders[0]} and {first[0]} must have folders for the same classes, but {other!r} is "
                    "only in one of them"
                )
            first = str(folders[0]), classes


def _check_classes(name: str, folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if len(classes) < 2:
        found = f"only one for {classes[0]!r}" if classes else "none"
        raise UserError(f"{name}: {folder} must have a folder for each of two or more classes, but has {found}")
    for one in classes:
        _check_some(name, folder / one, suffixes)
    return classes


def _check_some(name: str, folder: Path, suffixes: tuple[str, ...]) -> None:
    if folder.is_dir() and not any(path.name.lower().endswith(suffixes) for path in folder.rglob("*")):
        raise UserError(f"{name}: {folder} has no image ({', '.join(suffixes)}): put some in, or take the folder out")
