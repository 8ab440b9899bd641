"""Training pairs: an exemplar and a search image of the same target, cut on the fly."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from PIL import Image
from torch.utils.data import Dataset

from ..compat.images import AS_STORED, NONE, read_image
from ..errors import UserError
from ..registry import DATA_SAMPLERS, DATASETS
from .tracking import Track, check_truth, open_tracks, stretch
from .tracking_crops import centered, context_size, crop
from .tracking_frames import check_size


@DATASETS.register_module()
class TrackingPairs(Dataset):
    """Pairs drawn from a folder of sequences.

    A sample is ``dict(exemplar, search, boxes)``: uint8 RGB images (3, exemplar_size, exemplar_size) and
    (3, search_size, search_size), and the target in the search image, ``(cx, cy, w, h)`` in its pixels,
    float32. It is a function of its key ``(seed, epoch, index)`` alone (see :class:`PairSampler`), so an
    interrupted run sees what an uninterrupted one does, with any number of workers.

    Args:
        data_root, format, sequences, kwargs: See :func:`open_tracks`.
        pairs_per_sequence: Pairs that one epoch draws from each sequence.
        max_gap: The two frames are at most this far apart.
        max_shift: The target lies up to so many search pixels off the centre, in x and in y.
        max_stretch: The search square is up to this fraction larger or smaller than it should be.
        max_squeeze: Both images are made up to this fraction wider and lower, or narrower and higher. With few
            sequences it shows the network targets of other shapes.
        flip: Probability of mirroring both images.
        recolour: Strength, 0 to 1, of a random affine map of the colours, the same for both images. With few
            sequences it keeps the network from learning one target's colours instead of matching.
        exemplar_size, search_size: Sides of the images in pixels.
        context: Margin around the target, see :func:`context_size`.
        frames: The pairs are drawn from this stretch of every sequence: shares of the frames that show the target,
            (begin, end).

    Raises:
        UserError: If the folder is broken, or a sequence has no boxes or shows its target in no frame of the stretch.
    """

    def __init__(
        self,
        data_root: str,
        format: str,
        sequences: Sequence[str] | None = None,
        pairs_per_sequence: int = 1,
        max_gap: int = 100,
        max_shift: float = 4,
        max_stretch: float = 0.05,
        max_squeeze: float = 0,
        flip: float = 0,
        recolour: float = 0,
        exemplar_size: int = 127,
        search_size: int = 255,
        context: float = 0.5,
        frames: tuple[float, float] = (0.0, 1.0),
        **kwargs,
    ) -> None:
        tracks = open_tracks(data_root, format, sequences, **kwargs)
        for track in tracks:
            check_truth(track)
        self.tracks = [stretch(track, *frames) for track in tracks]
        self._sizes: dict[str, tuple[int, int]] = {}
        self.pairs_per_sequence = pairs_per_sequence
        self.max_gap = max_gap
        self.max_shift = max_shift
        self.max_stretch = max_stretch
        self.max_squeeze = max_squeeze
        self.flip = flip
        self.recolour = recolour
        self.exemplar_size = exemplar_size
        self.search_size = search_size
        self.context = context

    def __len__(self) -> int:
        return len(self.tracks) * self.pairs_per_sequence

    def __getitem__(self, key: int | tuple[int, int, int]) -> dict[str, torch.Tensor]:
        seed, epoch, index = (0, 0, key) if isinstance(key, int) else key
        rng = np.random.default_rng((seed, epoch, index))
        track = self.tracks[index % len(self.tracks)]
        visible = np.flatnonzero(track.visible)
        first = rng.choice(visible)
        near = visible[np.abs(visible - first) <= self.max_gap]
        shift = rng.uniform(-self.max_shift, self.max_shift, 2)
        stretch = 1 + rng.uniform(-self.max_stretch, self.max_stretch)
        second = rng.choice(near)
        wider = np.exp(rng.uniform(-1, 1) * np.log1p(self.max_squeeze))
        squeeze = np.array([wider, 1 / wider])
        exemplar, _ = self._cut(track, first, self.exemplar_size, np.zeros(2), 1.0, squeeze)
        search, box = self._cut(track, second, self.search_size, shift, stretch, squeeze)
        if rng.random() < self.flip:
            exemplar, search = exemplar[:, ::-1], search[:, ::-1]
            box[0] = self.search_size - 1 - box[0]
        if self.recolour:
            exemplar, search = _recolour(rng, self.recolour, exemplar, search)
        return dict(
            exemplar=torch.from_numpy(exemplar.transpose(2, 0, 1).copy()),
            search=torch.from_numpy(search.transpose(2, 0, 1).copy()),
            boxes=torch.from_numpy(box).float(),
        )

    def _size(self, track: Track) -> tuple[int, int]:
        """Width and height of the first frame, by its header."""
        if track.name not in self._sizes:
            try:
                with Image.open(track.frames[0]) as image:
                    self._sizes[track.name] = image.size
            except OSError as error:
                raise UserError(f"{track.frames[0]}: {NONE}") from error
        return self._sizes[track.name]

    def _cut(
        self, track: Track, frame: int, size: int, shift: np.ndarray, stretch: float, squeeze: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """A crop of ``size`` pixels, its target ``shift`` pixels off the centre, and the target's box.

        It is cut out of the frame enlarged by ``squeeze`` (2,), in x and in y.
        """
        image = read_image(track.frames[frame], AS_STORED)
        check_size(track.frames[frame], image.shape[1::-1], self._size(track))
        box = centered(track.boxes[frame])
        target = box[2:] * squeeze
        side = context_size(target, self.context) * size / self.exemplar_size * stretch
        step = side / size
        patch = crop(image, box[:2] - shift * step / squeeze, side / squeeze, size)
        middle = (size - 1) / 2
        return patch, np.concatenate([middle + shift, target / step])


@DATA_SAMPLERS.register_module()
class PairSampler(DefaultSampler):
    """mmengine's default sampler, whose keys name the sample for good: ``(seed, epoch, index)``."""

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return ((self.seed, self.epoch, index) for index in super().__iter__())


def _recolour(rng: np.random.Generator, strength: float, *images: np.ndarray) -> list[np.ndarray]:
    """RGB images (H, W, 3) with their colours permuted, mixed, shifted, and by chance inverted, all alike."""
    matrix = np.eye(3)[rng.permutation(3)] + rng.uniform(-strength, strength, (3, 3))
    offset = rng.uniform(-64, 64, 3) * strength
    if rng.random() < 0.5:
        matrix, offset = -matrix, 255 - offset
    return [(image @ matrix.T + offset).clip(0, 255).astype(np.uint8) for image in images]
