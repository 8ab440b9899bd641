"""got10k's loop over the frames of a sequence, with its errors in one line."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from got10k.trackers import IdentityTracker, Tracker
from PIL import Image

from ..compat.images import ImageError, check_image
from ..errors import UserError


class FrameTracker(Tracker):
    """A got10k tracker that names the frame it cannot read."""

    def track(
        self, img_files: Sequence[str], box: np.ndarray, visualize: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (n, 4) and seconds (n,) of the n frames ``img_files``, from the first one's ``box`` (4,).

        Raises:
            UserError: If a frame is not an image, or not as large as the first.
        """
        files = _Checked(img_files)
        try:
            return super().track(files, box, visualize)
        except OSError as error:
            raise UserError(f"{files.last}: no image that can be decoded: {error}") from error


class _Checked(Sequence):
    """Paths of frames that are looked at before they are handed out; ``last`` is the latest of them."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files, self.last, self.size = files, "", None

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> str:
        return self.files[index]

    def __iter__(self) -> Iterator[str]:
        for file in self.files:
            self.last = file
            try:
                check_image(Path(file).read_bytes())
            except ImageError as error:
                raise UserError(f"{file}: {error}") from error
            with Image.open(file) as image:
                self.size = self.size or image.size
                check_size(file, image.size, self.size)
            yield file


def check_order(folder: str | Path, stems: Sequence[str]) -> None:
    """Check that frames' names (without suffixes), which are in the order of names, are in that of their last numbers.

    Raises:
        UserError: they are not, as ``img10`` before ``img2``.
    """
    numbers = [re.search(r"\d+$", stem) for stem in stems]
    if not all(numbers) or len({stem[: number.start()] for stem, number in zip(stems, numbers, strict=True)}) > 1:
        return
    for (before, one), (after, other) in pairwise(zip(stems, numbers, strict=True)):
        if int(one.group()) >= int(other.group()):
            raise UserError(f"{folder}: {before} comes before {after} by name: number the frames with leading zeros")


def check_size(file: str, size: tuple[int, int], first: tuple[int, int]) -> None:
    """Check that a frame (width, height) is as large as the first.

    Raises:
        UserError: it is not.
    """
    if size != first:
        own, others = ("{} x {}".format(*one) for one in (size, first))
        raise UserError(f"{file}: {own} pixels, but the first frame has {others}: all must be of one size")


class StandingTracker(FrameTracker, IdentityTracker):
    """got10k's identity tracker: every box is the first one."""
