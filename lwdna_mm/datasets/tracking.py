"""Folders of tracking sequences in OTB's or GOT-10k's format, read by got10k's classes, never downloaded.

Boxes are ``(left, top, width, height)`` in pixels, 1-indexed, as in both formats.
"""

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from got10k.datasets import OTB, GOT10k
from torch.utils.data import Dataset

from ..errors import UserError
from ..files import read_text
from ..registry import DATASETS
from .tracking_frames import check_order


@dataclass(frozen=True)
class Track:
    """One sequence: its name and the paths of its n frames.

    ``boxes`` has shape (n, 4), or (1, 4) where the truth is withheld; ``visible`` (n,) says which boxes are
    at least a pixel wide and high and not marked absent by GOT-10k's ``absence.label``.
    """

    name: str
    frames: tuple[str, ...]
    boxes: np.ndarray
    visible: np.ndarray


class OTBFolder(OTB):
    """Sequences in OTB's layout: ``<name>/img/*.jpg`` with ``<name>/groundtruth*.txt``.

    Args:
        root: The folder of the sequences' folders.
        version: A benchmark (2013, 2015, 'tb50', 'tb100', ...), of which the sequences that are present are
            taken, or 'all' for every sequence in the folder, whatever its name.
        sequences: Names to keep, in this order; all by default.

    Raises:
        UserError: If the folder is missing or holds no such sequence, or the version is unknown.
    """

    def __init__(self, root: str | Path, version: int | str = "all", sequences: Sequence[str] | None = None):
        if version == "all":
            self.root_dir, self.version = str(root), version
            self._check_integrity(root, version)
            found = sorted(str(file) for file in Path(root).glob("*/groundtruth*.txt"))
        else:
            try:
                super().__init__(str(root), version, download=False)
            except AssertionError as error:
                raise UserError(f"OTB version {version!r} is unknown: use 2013, 2015, tb50, tb100 or all") from error
            found = self.anno_files
        self.anno_files = self._filter_files(found)
        self.seq_dirs = [os.path.dirname(file) for file in self.anno_files]
        self.seq_names = self._rename_seqs([os.path.basename(folder) for folder in self.seq_dirs])
        if not self.seq_names:
            raise UserError(
                f"{root}: no sequence of OTB {version} found; a sequence is a folder with img/*.jpg and "
                "groundtruth_rect.txt"
            )
        chosen = _choose(self.seq_names, sequences, root)
        self.anno_files = [self.anno_files[i] for i in chosen]
        self.seq_dirs = [self.seq_dirs[i] for i in chosen]
        self.seq_names = [self.seq_names[i] for i in chosen]

    def __getitem__(self, index: int | str) -> tuple[list[str], np.ndarray]:
        """Paths of the n frames and boxes (n, 4).

        Of a few sequences got10k takes a part, as of David frames 300 to 770; here the folder may hold that part alone.
        """
        position = self.seq_names.index(index) if isinstance(index, str) else index
        frames = sorted(str(file) for file in Path(self.seq_dirs[position], "img").glob("*.jpg"))
        text = read_text(self.anno_files[position]).replace(",", " ")
        boxes = np.loadtxt(io.StringIO(text), ndmin=2)
        return (frames, boxes) if len(frames) == len(boxes) else super().__getitem__(index)

    def _filter_files(self, filenames: list[str]) -> list[str]:
        # Human4 of the benchmark has an empty file beside that of its target.
        full = [file for file in filenames if read_text(file).strip()]
        folders = {os.path.dirname(file) for file in full}
        for file in filenames:
            if os.path.dirname(file) not in folders:
                raise UserError(f"{file} is empty: it should have a line with a box for each frame")
        return full

    def _check_integrity(self, root_dir: str | Path, version: int | str) -> None:
        # got10k's own check prints a line for every sequence that a partial folder lacks.
        if not os.path.isdir(root_dir):
            raise UserError(f"{root_dir}: no such folder; it should hold the OTB sequences' folders")


class GOT10kFolder(GOT10k):
    """Sequences in GOT-10k's layout: ``<name>/*.jpg`` with ``<name>/groundtruth.txt``.

    Args:
        root: The folder that holds the subsets, or with ``subset=None`` the sequences themselves.
        subset: 'train', 'val' or 'test', whose ``list.txt`` names the sequences; those that are present are
            taken. None takes every sequence's folder in ``root``.
        sequences: Names to keep, in this order; all by default.

    Raises:
        UserError: If the folder, its ``list.txt`` or the sequences are missing.
    """

    def __init__(self, root: str | Path, subset: str | None = None, sequences: Sequence[str] | None = None) -> None:
        if subset is None:
            self.root_dir, self.subset, self.return_meta = str(root), "train", False
            folder = Path(root)
            if not folder.is_dir():
                raise UserError(f"{root}: no such folder; it should hold sequences in GOT-10k's format")
            self.seq_names = sorted(file.parent.name for file in folder.glob("*/groundtruth.txt"))
        else:
            super().__init__(str(root), subset)
            folder = Path(root) / subset
            self.seq_names = [name for name in self.seq_names if name and (folder / name).is_dir()]
        if not self.seq_names:
            raise UserError(
                f"{folder}: no GOT-10k sequence found; a sequence is a folder with *.jpg and groundtruth.txt"
            )
        self.seq_names = [self.seq_names[i] for i in _choose(self.seq_names, sequences, folder)]
        self.seq_dirs = [str(folder / name) for name in self.seq_names]
        self.anno_files = [os.path.join(directory, "groundtruth.txt") for directory in self.seq_dirs]

    def _check_integrity(self, root_dir: str, subset: str) -> None:
        list_file = Path(root_dir) / subset / "list.txt"
        if not list_file.is_file():
            raise UserError(f"{list_file} is missing: the root should be the folder of train, val and test")


def open_tracks(data_root: str | Path, format: str, sequences: Sequence[str] | None = None, **kwargs) -> list[Track]:
    """All sequences of a folder, checked.

    Args:
        data_root: The folder.
        format: 'otb' or 'got10k'.
        sequences: Names to keep; all by default.
        kwargs: ``version`` of :class:`OTBFolder` or ``subset`` of :class:`GOT10kFolder`.

    Raises:
        UserError: See :func:`read_track`; also for an unknown format.
    """
    if format not in FORMATS:
        raise UserError(f"tracking format {format!r} is unknown: use one of {', '.join(FORMATS)}")
    return list(read_tracks(FORMATS[format](data_root, sequences=sequences, **kwargs)))


def read_tracks(folder: OTB | GOT10k) -> Iterator[Track]:
    """The checked sequences of a got10k dataset, see :func:`read_track`."""
    return (read_track(folder, index) for index in range(len(folder)))


def read_track(folder: OTB | GOT10k, index: int) -> Track:
    """One sequence of a got10k dataset.

    Raises:
        UserError: Naming the sequence, if a frame is missing or the only one, the boxes are not as many as the
            frames, or a line of the boxes is not four finite numbers.
    """
    name, anno_file = folder.seq_names[index], folder.anno_files[index]
    is_otb = isinstance(folder, OTB)
    count = _check_boxes(name, anno_file, "[,\\s]+" if is_otb else ",")
    images = Path(folder.seq_dirs[index]) / "img" if is_otb else Path(folder.seq_dirs[index])
    found = _check_numbering(name, images)
    try:
        frames, boxes = folder[index][:2]
        if boxes.ndim != 2:  # a single box, which got10k takes for four
            raise AssertionError
    except (AssertionError, IndexError) as error:
        raise UserError(
            f"sequence {name}: {found} frames in {images} but {count} boxes in {anno_file}; each frame needs one box"
        ) from error
    visible = (boxes[:, 2:] >= 1).all(axis=1)
    absence = Path(folder.seq_dirs[index]) / "absence.label"
    if absence.is_file():
        visible &= ~_read_absence(name, absence, len(visible))
    return Track(name, tuple(frames), boxes, visible)


def check_truth(track: Track) -> None:
    """Check that there is a box for each frame.

    Raises:
        UserError: there is not, as in GOT-10k's test set, whose truth is withheld.
    """
    if len(track.boxes) < len(track.frames):
        raise UserError(
            f"sequence {track.name}: {len(track.boxes)} of {len(track.frames)} frames have a box, so its truth is not "
            "known; of GOT-10k only train and val have all"
        )


def stretch(track: Track, begin: float, end: float) -> Track:
    """The track, visible only in a stretch of the frames in which it was visible.

    Args:
        begin, end: shares of these frames.

    Raises:
        UserError: there is none.
    """
    seen = np.flatnonzero(track.visible)
    visible = np.zeros_like(track.visible)
    visible[seen[round(begin * len(seen)) : round(end * len(seen))]] = True
    if not visible.any():
        where = "" if (begin, end) == (0, 1) else f" in the stretch {begin:g} to {end:g} of them"
        raise UserError(f"sequence {track.name}: no frame has a box of at least one pixel{where}")
    return replace(track, visible=visible)


@DATASETS.register_module()
class TrackingSequences(Dataset):
    """Whole sequences, for validation: sample ``i`` is ``dict(sequences=Track)``.

    Args:
        data_root, format, sequences, kwargs: See :func:`open_tracks`.
        frames: The part of every sequence that is tracked: shares of the frames that show the target, (begin, end);
            None for all frames, whether they show it or not.

    Raises:
        UserError: If the folder is broken, or a sequence has no boxes or shows its target in no frame of the part.
    """

    def __init__(
        self,
        data_root: str,
        format: str,
        sequences: Sequence[str] | None = None,
        frames: tuple[float, float] | None = None,
        **kwargs,
    ) -> None:
        self.tracks = open_tracks(data_root, format, sequences, **kwargs)
        for track in self.tracks:
            check_truth(track)
        if frames is not None:
            self.tracks = [_shortened(stretch(track, *frames)) for track in self.tracks]

    def __len__(self) -> int:
        return len(self.tracks)

    def __getitem__(self, index: int) -> dict[str, Track]:
        return dict(sequences=self.tracks[index])


def _shortened(track: Track) -> Track:
    """The track from the first visible frame to the last."""
    first, last = np.flatnonzero(track.visible)[[0, -1]]
    part = slice(first, last + 1)
    return replace(track, frames=track.frames[part], boxes=track.boxes[part], visible=track.visible[part])


FORMATS = {"otb": OTBFolder, "got10k": GOT10kFolder}


def _choose(names: list[str], wanted: Sequence[str] | None, root: str | Path) -> list[int]:
    if wanted is None:
        return list(range(len(names)))
    for name in wanted:
        if name not in names:
            raise UserError(f"{root}: no sequence {name}; there are {', '.join(names[:8])}{', ...' * (len(names) > 8)}")
    return [names.index(name) for name in wanted]


def _read_absence(name: str, path: Path, count: int) -> np.ndarray:
    """Of each of ``count`` frames, whether the target is absent."""
    marks = read_text(path).split()
    if len(marks) != count or not {*marks} <= {"0", "1"}:
        raise UserError(f"sequence {name}: {path} must have {count} lines, 0 or 1 for each frame with a box")
    return np.array(marks) == "1"


def _check_boxes(name: str, anno_file: str, separator: str) -> int:
    """The number of boxes in a file, each of which is four finite numbers."""
    if not os.path.isfile(anno_file):
        raise UserError(f"sequence {name}: {anno_file} is missing")
    lines = read_text(anno_file).strip().splitlines()
    allowed = "commas" if separator == "," else "commas, tabs or spaces"
    for number, line in enumerate(lines, start=1):
        where = f"sequence {name}: line {number} of {anno_file}, {line.strip()!r},"
        try:
            box = [float(value) for value in re.split(separator, line.strip())]
        except ValueError as error:
            raise UserError(f"{where} is not four numbers separated by {allowed}") from error
        if len(box) != 4:
            raise UserError(f"{where} has {len(box)} numbers: a box is left, top, width, height")
        if not np.isfinite(box).all():
            raise UserError(f"{where} is not finite")
    return len(lines)


def _check_numbering(name: str, images: Path) -> int:
    """How many frames there are. They are numbered files; a hole in the numbers is a lost frame."""
    stems = sorted(file.stem for file in images.glob("*.jpg"))
    if not stems:
        raise UserError(f"sequence {name}: no frame (*.jpg) in {images}")
    if len(stems) == 1:
        raise UserError(f"sequence {name}: a single frame in {images}; there is nothing to track")
    check_order(images, stems)
    if all(stem.isdigit() for stem in stems):
        for before, after in pairwise(map(int, stems)):
            if after != before + 1:
                lost = str(before + 1).zfill(len(stems[0]))
                raise UserError(f"sequence {name}: frame {lost}.jpg is missing in {images}")
    return len(stems)
