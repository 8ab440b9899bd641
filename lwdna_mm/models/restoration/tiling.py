"""Restoring an image piece by piece, so that memory does not grow with the image."""

from collections.abc import Callable
from itertools import product

import numpy as np

from lwdna_mm.errors import UserError

# Tiles begin on a grid that networks which halve up to four times see as they see the whole image.
GRID = 16

Span = tuple[int, int]


def check_tiling(tile: int, overlap: int) -> None:
    """Check the arguments of :func:`restore_tiled`.

    Raises:
        UserError: one of them is no multiple of GRID, or too small.
    """
    for name, value, least in (("tile", tile, GRID), ("overlap", overlap, 0)):
        if value < least or value % GRID:
            raise UserError(f"{name} is {value}, but must be a multiple of {GRID}, at least {least}")


def restore_tiled(
    restore: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    tile: int = 192,
    overlap: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Restore ``image`` in tiles.

    A tile is restored together with ``overlap`` pixels beyond each of its sides, as far as the image reaches, which
    are then dropped. Where ``overlap`` is at least the network's receptive radius, the result is that of the whole
    image.

    Args:
        restore: a network, from (h, w, C) to (scale * h, scale * w, C), both 8-bit.
        image: (H, W, C), 8-bit.
        tile, overlap: input pixels, multiples of GRID.
        progress: called with the numbers of tiles done and of all tiles, after each of them.

    Returns:
        (scale * H, scale * W, C), 8-bit.

    Raises:
        UserError: see :func:`check_tiling`.
    """
    check_tiling(tile, overlap)
    height, width = image.shape[:2]
    spans = list(product(_split(height, tile, overlap), _split(width, tile, overlap)))
    result = None
    for done, ((row, seen_row), (column, seen_column)) in enumerate(spans, 1):
        restored = restore(image[slice(*seen_row), slice(*seen_column)])
        scale = restored.shape[0] // (seen_row[1] - seen_row[0])
        if result is None:
            result = np.empty((scale * height, scale * width, restored.shape[2]), np.uint8)
        inner = restored[_scaled(row, seen_row[0], scale), _scaled(column, seen_column[0], scale)]
        result[_scaled(row, 0, scale), _scaled(column, 0, scale)] = inner
        if progress:
            progress(done, len(spans))
    return result


def _split(size: int, tile: int, overlap: int) -> list[tuple[Span, Span]]:
    """The tiles along one side, and what each of them sees."""
    spans = [(start, min(start + tile, size)) for start in range(0, size, tile)]
    return [((start, stop), (max(start - overlap, 0), min(stop + overlap, size))) for start, stop in spans]


def _scaled(span: Span, origin: int, scale: int) -> slice:
    return slice(scale * (span[0] - origin), scale * (span[1] - origin))
