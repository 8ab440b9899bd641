"""Bytes of an image file, told by what is wrong with them before they are decoded.

What is wrong: mmcv and OpenCV say nothing of a file that they cannot decode, or complain on standard error without its
name; where a JPEG is cut off, some versions fill the rest with grey. 16 bits a channel become 8 by leaving out the
lower ones, or by clipping (Pillow), and of an animation the first picture is taken.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import cv2
import mmcv
import numpy as np
from PIL import Image

from ..errors import UserError

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
ANIMATED = (b"GIF8", b"RIFF")  # RIFF: WebP
TIFF = (b"II*\0", b"MM\0*")
# Tracks have their boxes in the pixels as they are stored, got10k does not turn them by EXIF data either.
AS_STORED = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
ALWAYS_8_BITS = (JPEG, *ANIMATED, b"BM")
CUT = "the file is cut off or damaged: copy it anew, or take it out"
DEEP = "16 bits a channel, the networks take 8: convert it, as with ImageMagick's -depth 8"
MOVING = "it is an animation: save one of its pictures"
CLEAR = "a TIFF with transparency, by which its colours would be multiplied: save it without"
NONE = "no image that can be decoded: take it out, or save it anew as PNG or JPEG"


class ImageError(UserError):
    """An image that cannot be used; the message does not name the file."""


def check_image(content: bytes) -> None:
    """Look at a file's bytes, as far as this is quick.

    Raises:
        ImageError: it is empty, cut off, animated, a TIFF with transparency, or has more than 8 bits a channel.
    """
    if not content:
        raise ImageError("the file is empty: copy it anew, or take it out")
    if content.startswith(JPEG):
        # A scan's data does not have the mark of its end; what cameras put behind it may have any.
        if content.find(b"\xff\xd9", _first_scan(content)) < 0:
            raise ImageError(CUT)
    elif content.startswith(PNG):
        _check_png(content)
    elif content.startswith(ANIMATED):
        if _pictures(content) > 1:
            raise ImageError(MOVING)
    elif not content.startswith(ALWAYS_8_BITS):
        if decoded(content, cv2.IMREAD_ANYDEPTH).dtype != np.uint8:
            raise ImageError(DEEP)
        if content.startswith(TIFF) and _has_alpha(content):
            raise ImageError(CLEAR)


def decoded(content: bytes, flags: int) -> np.ndarray:
    """What OpenCV makes of a file's bytes.

    Raises:
        ImageError: it makes nothing.
    """
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(NONE) from error
    if image is None:
        raise ImageError(NONE)
    return image


def read_image(path: str | Path, flags: int = cv2.IMREAD_COLOR_RGB) -> np.ndarray:
    """The image in a file, (H, W, 3) or (H, W) by OpenCV's ``flags``.

    Raises:
        UserError: naming the file and what is wrong with it.
    """
    try:
        content = Path(path).read_bytes()
        check_image(content)
        return decoded(content, flags)
    except ImageError as error:
        raise UserError(f"{path}: {error}") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error


def _first_scan(content: bytes) -> int:
    """Where a JPEG's first scan starts; its end where there is none. Thumbnails lie in segments, which are skipped."""
    place = len(JPEG)
    while place + 4 <= len(content) and content[place] == 0xFF:
        if content[place + 1] == 0xDA:
            return place
        # 0xFF may be repeated before a mark.
        place += 1 if content[place + 1] == 0xFF else 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return len(content)


def _check_png(content: bytes) -> None:
    kind = b""
    for kind, data, checksum in _chunks(content):
        if crc32(data, crc32(kind)) != checksum:
            raise ImageError(CUT)
        if kind == b"IHDR" and data[8] == 16:
            raise ImageError(DEEP)
        if kind == b"acTL":
            raise ImageError(MOVING)
    if kind != b"IEND":
        raise ImageError(CUT)


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Kind, data and checksum of a PNG's chunks, as far as they are whole."""
    view, place, kind = memoryview(content), len(PNG), b""
    while kind != b"IEND" and place + 12 <= len(view):
        length, kind = int.from_bytes(view[place : place + 4], "big"), bytes(view[place + 4 : place + 8])
        end = place + 8 + length
        if end + 4 > len(view):
            return
        yield kind, view[place + 8 : end], int.from_bytes(view[end : end + 4], "big")
        place = end + 4


def _has_alpha(content: bytes) -> bool:
    try:
        return Image.open(io.BytesIO(content)).mode in ("RGBA", "LA")
    except OSError:  # Pillow does not know all that OpenCV decodes
        return False


def _pictures(content: bytes) -> int:
    try:
        return getattr(Image.open(io.BytesIO(content)), "n_frames", 1)
    except OSError as error:
        raise ImageError(CUT) from error


_imfrombytes = mmcv.imfrombytes


def imfrombytes(content: bytes, *args: Any, **kwargs: Any) -> np.ndarray:
    """mmcv's decoding of a file's bytes, which all loading transforms call.

    Raises:
        ImageError: it is no image that can be used.
    """
    check_image(content)
    try:
        image = _imfrombytes(content, *args, **kwargs)
    except (cv2.error, OSError) as error:
        raise ImageError(NONE) from error
    if image is None:
        raise ImageError(NONE)
    return image


def install() -> None:
    """Let mmcv look at images before it decodes them."""
    mmcv.imfrombytes = imfrombytes
