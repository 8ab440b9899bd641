"""got10k's loop over the frames of a sequence, with its errors in one line."""

from collections.abc import Sequence

import numpy as np
from got10k.trackers import IdentityTracker, Tracker
from PIL import Image

from ..errors import UserError


class FrameTracker(Tracker):
    """A got10k tracker that names the frame it cannot read."""

    def track(
        self, img_files: Sequence[str], box: np.ndarray, visualize: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (n, 4) and seconds (n,) of the n frames ``img_files``, from the first one's ``box`` (4,).

        Raises:
            UserError: If a frame is not a readable image.
        """
        try:
            return super().track(img_files, box, visualize)
        except OSError:
            for file in img_files:  # PIL does not say which file is truncated
                _check_readable(file)
            raise


class StandingTracker(FrameTracker, IdentityTracker):
    """got10k's identity tracker: every box is the first one."""


def _check_readable(file: str) -> None:
    try:
        Image.open(file).load()
    except OSError as error:
        raise UserError(f"{file} is not a readable image: {error}") from error
