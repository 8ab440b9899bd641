"""Files in place of an image, each broken or odd in a way that is met in practice."""

import io

import cv2
import numpy as np
from PIL import Image
from skimage import data

PICTURE = data.astronaut()[60:188, 150:278]  # 128 x 128, RGB


def encoded(kind: str, image: np.ndarray = PICTURE, mode: str = "RGB", **options: object) -> bytes:
    """An image as the bytes of a file of a ``kind`` of Pillow's."""
    file = io.BytesIO()
    Image.fromarray(image).convert(mode).save(file, kind, **options)
    return file.getvalue()


def half(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    """With other bits in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


MOVING = dict(save_all=True, append_images=[Image.fromarray(255 - PICTURE)])
DEEP = PICTURE.astype(np.uint16) * 257
# What each is, and what the line about it says; None where it is used as the picture that it shows.
BROKEN = {
    "a cut JPEG": (half(encoded("JPEG")), "cut off or damaged"),
    "a cut PNG": (half(encoded("PNG")), "cut off or damaged"),
    "a damaged PNG": (flipped(encoded("PNG")), "cut off or damaged"),
    "a PNG of 16 bits": (cv2.imencode(".png", DEEP)[1].tobytes(), "16 bits a channel"),
    "a TIFF of 16 bits": (cv2.imencode(".tif", DEEP)[1].tobytes(), "16 bits a channel"),
    "a TIFF with transparency": (encoded("TIFF", mode="RGBA"), "a TIFF with transparency"),
    "an animated GIF": (encoded("GIF", **MOVING), "an animation"),
    "an animated PNG": (encoded("PNG", **MOVING), "an animation"),
    "an empty file": (b"", "the file is empty"),
    "a text": (b"This is no image.\n", "no image that can be decoded"),
}
USED = {
    "CMYK": encoded("JPEG", mode="CMYK", quality=95),
    "JPEG": encoded("JPEG", quality=95),
    "PNG": encoded("PNG"),
    "still GIF": encoded("GIF"),
    "with transparency": encoded("PNG", mode="RGBA"),
    "progressive JPEG": encoded("JPEG", quality=95, progressive=True),
    "JPEG with a preview": encoded("JPEG", quality=95, exif=b"Exif\0\0" + encoded("JPEG", PICTURE[:16, :16])),
}
USED["JPEG with a film behind it"] = USED["JPEG"] + b"\0\0\xff\xda" * 99
PIXEL = encoded("PNG", PICTURE[:1, :1])
