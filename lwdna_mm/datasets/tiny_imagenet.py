"""Tiny-ImageNet in its official layout."""

import re
from collections.abc import Sequence
from pathlib import Path

from mmpretrain.datasets import BaseDataset

from ..errors import UserError
from ..files import read_text
from ..registry import DATASETS


@DATASETS.register_module()
class TinyImageNet(BaseDataset):
    """200 classes of 64x64 images, 500 for training and 50 for validation each, or some of both.

    ``data_root`` holds ``wnids.txt``, ``words.txt`` (readable names; may be absent), ``train/WNID/images/*.JPEG``
    and ``val/images/*.JPEG`` with their labels in ``val/val_annotations.txt``. Every sample is ``img_path`` and
    ``gt_label``, the position of its class in ``classes``.

    Args:
        split: ``'train'`` or ``'val'``.
        data_root: the folder.
        classes: WordNet ids, such as ``['n01443537']``; default all of ``wnids.txt``, in the order of that file.
        images: ``(first, last)`` takes images ``first`` to ``last - 1`` of every class, counted from 0 in natural
            order of the file names (2 before 10); default all.
        **kwargs: those of mmpretrain's BaseDataset, such as ``pipeline``.

    Raises:
        UserError: an unknown split or class, a file or a class's images missing, an annotation of an unknown file
            or class, or a range beyond the images that are there.
    """

    def __init__(
        self,
        split: str,
        data_root: str = "",
        classes: Sequence[str] | None = None,
        images: tuple[int, int] | None = None,
        **kwargs,
    ) -> None:
        if split not in ("train", "val"):
            raise UserError(f"TinyImageNet: split is {split!r}, but must be 'train' or 'val'")
        if images is not None and not _is_range(images):
            raise UserError(f"TinyImageNet: images is {images!r}, but must be (first, last) with 0 <= first < last")
        self.split, self.wnids, self.images = split, classes, images
        super().__init__(ann_file="", data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Find the files and the class of each, and the readable names of the classes."""
        root = Path(self.data_root)
        known = _read_classes(root / "wnids.txt")
        wnids = _choose(self.wnids, known, root / "wnids.txt")
        words = dict(line[:2] for line in _read_table(root / "words.txt", columns=2)) if _has_words(root) else {}
        self._metainfo["classes"] = tuple(words.get(wnid, wnid) for wnid in wnids)
        files = _train_files(root, wnids) if self.split == "train" else _val_files(root, known)
        return [
            dict(img_path=str(path), gt_label=label)
            for label, wnid in enumerate(wnids)
            for path in self._in_range(wnid, sorted(files[wnid], key=_natural))
        ]

    def _in_range(self, wnid: str, paths: list[Path]) -> list[Path]:
        if not paths:
            raise UserError(f"TinyImageNet: class {wnid} has no {self.split} image in {self.data_root}")
        if self.images is None:
            return paths
        first, last = self.images
        if last > len(paths):
            raise UserError(
                f"TinyImageNet: images is ({first}, {last}), but class {wnid} has {len(paths)} {self.split} images"
            )
        return paths[first:last]


def _is_range(images: object) -> bool:
    whole = isinstance(images, list | tuple) and len(images) == 2 and all(isinstance(one, int) for one in images)
    return whole and 0 <= images[0] < images[1]


def _has_words(root: Path) -> bool:
    return (root / "words.txt").is_file()


def _read_table(path: Path, columns: int = 1) -> list[list[str]]:
    """The lines of a file of columns separated by tabs."""
    if not path.is_file():
        raise UserError(f"TinyImageNet: {path} does not exist; data_root must hold wnids.txt, train and val")
    rows = [line.split("\t") for line in read_text(path).splitlines() if line.strip()]
    for row in rows:
        if len(row) < columns:
            raise UserError(f"TinyImageNet: a line of {path}, {row[0]!r}, has no {columns} columns separated by tabs")
    return rows


def _read_classes(path: Path) -> list[str]:
    known = [line[0].strip() for line in _read_table(path)]
    if not known:
        raise UserError(f"TinyImageNet: {path} names no class")
    twice = [wnid for number, wnid in enumerate(known) if wnid in known[:number]]
    if twice:
        raise UserError(f"TinyImageNet: {path} names {twice[0]} twice")
    return known


def _choose(wanted: Sequence[str] | None, known: list[str], path: Path) -> list[str]:
    if wanted is None:
        return known
    for wnid in wanted:
        if wnid not in known:
            raise UserError(f"TinyImageNet: classes has {wnid!r}, which is not in {path}")
    if len(set(wanted)) < len(wanted):
        raise UserError("TinyImageNet: classes names a class twice")
    return list(wanted)


def _train_files(root: Path, wnids: list[str]) -> dict[str, list[Path]]:
    return {wnid: list((root / "train" / wnid / "images").glob("*.JPEG")) for wnid in wnids}


def _val_files(root: Path, known: list[str]) -> dict[str, list[Path]]:
    folder, annotations = root / "val" / "images", root / "val" / "val_annotations.txt"
    there = {path.name for path in folder.glob("*.JPEG")}
    files: dict[str, list[Path]] = {wnid: [] for wnid in known}
    for name, wnid, *_ in _read_table(annotations, columns=2):
        if name not in there:
            raise UserError(f"TinyImageNet: {annotations} has {name}, but {folder / name} does not exist")
        if wnid not in files:
            raise UserError(f"TinyImageNet: {annotations} gives {name} the class {wnid!r}, which is not in wnids.txt")
        files[wnid].append(folder / name)
    return files


def _natural(path: Path) -> list[str | int]:
    """A sort key in which numbers inside a name count as numbers."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
