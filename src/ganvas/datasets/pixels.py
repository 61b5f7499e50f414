"""From any picture to uint8 [c, size, size]: colour modes, transparency, depth, orientation, crop, resize."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ganvas.config.schema import Fit

if TYPE_CHECKING:
    from PIL import Image

Images = NDArray[np.uint8]  # [n, c, h, w]
PART = 1024
ORIENTATION = 0x0112
"""Tag of EXIF data."""


def square(picture: Image.Image, size: int, fit: Fit = "crop") -> Image.Image:
    """Any picture as size x size, in one antialiased (Lanczos) step.

    crop: the shorter side becomes `size`, the middle is kept; pad: the longer side does, the rest is white;
    stretch: both do.
    """
    from PIL.Image import Resampling

    width, height = picture.size
    if (width, height) == (size, size):
        return picture
    if fit == "stretch":
        return picture.resize((size, size), Resampling.LANCZOS, reducing_gap=4.0)
    if fit == "pad":
        from PIL import Image

        scale = size / max(width, height)
        small = picture.resize(
            (max(1, round(width * scale)), max(1, round(height * scale))), Resampling.LANCZOS, reducing_gap=4.0
        )
        white = Image.new(picture.mode, (size, size), "white")
        white.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
        return white
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return picture.resize((size, size), Resampling.LANCZOS, (left, top, left + side, top + side), reducing_gap=4.0)


def to_rgb(picture: Image.Image) -> Image.Image:
    """A picture of 8 bits in any mode as RGB, upright (EXIF), transparent parts white."""
    from PIL import Image

    picture.load()
    picture = upright(picture, like=picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def upright(picture: Image.Image, like: Image.Image) -> Image.Image:
    """The picture turned as the EXIF data of `like` say."""
    from PIL import ImageOps

    if like.format != "TIFF" and not any("exif" in str(k).lower() or "xmp" in str(k).lower() for k in like.info):
        return picture  # looking for EXIF data where there are none would take a third of the time of a small PNG
    with suppress(Exception):  # damaged EXIF says nothing about the pixels: show them as they are stored
        if picture is not like:
            picture.getexif()[ORIENTATION] = like.getexif().get(ORIENTATION, 1)
        return ImageOps.exif_transpose(picture)
    return picture


def resize(images: Images, size: int, fit: Fit = "crop") -> Images:
    """Images of one shape [n, c, h, w], c 1 or 3, as [n, c, size, size]."""
    from PIL import Image

    n, channels, height, width = images.shape
    if (height, width) == (size, size):
        return images
    resized = np.empty((n, channels, size, size), np.uint8)
    for i, image in enumerate(images):
        pixels = np.ascontiguousarray(image[0] if channels == 1 else image.transpose(1, 2, 0))
        result = np.asarray(square(Image.fromarray(pixels), size, fit))
        resized[i] = result if channels == 1 else result.transpose(2, 0, 1)
    return resized


def to_channels(images: Images, channels: int) -> Images:
    """RGB to grey by luma, grey to RGB by repeating."""
    if images.shape[1] == channels:
        return images
    return luma(images) if channels == 1 else np.repeat(images, 3, axis=1)


def luma(images: Images) -> Images:
    """RGB [n, 3, h, w] to grey [n, 1, h, w], ITU-R BT.601 in fixed point: the same bytes everywhere."""
    grey = np.empty((len(images), 1, *images.shape[2:]), np.uint8)
    for start, part in zip(range(0, len(images), PART), in_parts(images), strict=True):
        red, green, blue = part.astype(np.uint32).transpose(1, 0, 2, 3)
        grey[start : start + PART, 0] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
    return grey


def in_parts(images: Images) -> Iterator[Images]:
    """PART images at a time, for what would take too much memory at once."""
    return (images[at : at + PART] for at in range(0, len(images), PART))


def is_grey(images: Images) -> bool:
    """Whether all channels are alike."""
    return images.shape[1] == 1 or all(bool((part[:, :1] == part).all()) for part in in_parts(images))


def over_white(images: Images) -> Images:
    """RGBA [n, 4, h, w] composited over white: RGB [n, 3, h, w]."""
    alpha = images[:, 3:].astype(np.uint16)
    return ((images[:, :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
