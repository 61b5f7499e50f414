"""Grids and animations: images as uint8 arrays in, pictures out. Grey stays grey, RGB stays RGB. No torch here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganvas.files import MARK

T = TypeVar("T")

LEAST_SIDE = 64
"""Pixels of a screen that one image gets at least: small images are enlarged without smoothing."""
FRAME_MS = 120
HOLD_MS = 2000
WEBP_QUALITY = 80
WEBP_SIDE = 16_383
"""Pixels that a WebP has at most in each direction."""


def grid(images: np.ndarray, columns: int = 8) -> Image.Image:
    """Tiles side by side, row by row, without borders; an unfilled last row ends in black.

    images: uint8 [n, c, h, w], c = 1 (mode L) or 3 (mode RGB). Raises ValueError for anything else.
    """
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[1] not in (1, 3) or not len(images) or columns < 1:
        found = f"{images.dtype} {list(images.shape)} in {columns} columns"
        raise ValueError(f"expected uint8 [n, 1 or 3, h, w], found {found}")
    n, c, h, w = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    filled = np.zeros((rows * columns, c, h, w), np.uint8)
    filled[:n] = images
    canvas = filled.reshape(rows, columns, c, h, w).transpose(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    return Image.fromarray(canvas[:, :, 0] if c == 1 else canvas)


def tiles(picture: Image.Image, shape: tuple[int, int, int]) -> np.ndarray:
    """The inverse of `grid`: uint8 [rows * columns, c, h, w] for tiles of shape (c, h, w)."""
    c, h, w = shape
    canvas = np.asarray(picture.convert("L" if c == 1 else "RGB")).reshape(picture.height, picture.width, c)
    rows, columns = picture.height // h, picture.width // w
    cut = canvas[: rows * h, : columns * w].reshape(rows, h, columns, w, c)
    return cut.transpose(0, 2, 4, 1, 3).reshape(rows * columns, c, h, w)


def enlarge(picture: Image.Image, side: int, least: int = LEAST_SIDE) -> Image.Image:
    """The picture by a whole factor, nearest pixel, so that an image of `side` pixels takes `least` or more."""
    factor = max(1, -(-least // side))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def evenly_spaced(items: Sequence[T], limit: int) -> list[T]:
    """At most `limit` items, evenly spread, the first and the last among them."""
    if len(items) <= limit:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, limit).round().astype(int)]


def shared_palette(pictures: Sequence[Image.Image], colours: int = 256) -> Image.Image:
    """One palette of so many colours for all pictures: every grey where all are grey, else their median cut."""
    if all(picture.mode == "L" for picture in pictures):
        palette = Image.new("P", (1, 1))
        palette.putpalette([level for level in range(256) for _ in "rgb"])
        return palette
    pixels = np.concatenate([np.asarray(picture.convert("RGB")).reshape(-1, 3) for picture in pictures])
    return Image.fromarray(pixels[None]).quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def gif(frames: Sequence[Image.Image], palette: Image.Image, durations: Sequence[int] = ()) -> bytes:
    """An endless GIF in one palette, undithered, so that still parts stay still.

    `durations` are the milliseconds of each frame; without, the last one is held.
    """
    if not frames:
        raise ValueError("an animation needs at least one frame")
    if all(frame.mode == "L" for frame in frames):
        indexed = [Image.frombytes("P", frame.size, frame.tobytes()) for frame in frames]
        for frame in indexed:
            frame.putpalette(palette.getpalette() or [])
    else:
        indexed = [frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    return _animation(indexed, "GIF", durations, optimize=False, disposal=1, comment=MARK)


def webp(frames: Sequence[Image.Image], quality: int = WEBP_QUALITY, durations: Sequence[int] = ()) -> bytes:
    """An endless lossy WebP: about a fifth of the GIF's bytes; `durations` as for `gif`. Too large ones are reduced."""
    pictures = [_reduced(frame).convert("RGB") for frame in frames]
    return _animation(pictures, "WEBP", durations, quality=quality, method=2, xmp=MARK.encode())


def _animation(frames: list[Image.Image], kind: str, durations: Sequence[int], **options: object) -> bytes:
    durations = list(durations) or [FRAME_MS] * (len(frames) - 1) + [HOLD_MS]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=durations, loop=0, **options)
    return file.getvalue()


def _reduced(picture: Image.Image) -> Image.Image:
    """A picture that fits into a WebP: smaller by the least whole factor."""
    factor = -(-max(picture.size) // WEBP_SIDE)
    return picture if factor == 1 else picture.reduce(factor)


def encode_small(picture: Image.Image) -> bytes:
    """One picture as lossy WebP, for a page that holds many; one that is too large for WebP is reduced."""
    return encode(_reduced(picture), "WEBP", quality=WEBP_QUALITY, method=2)


def marked_png(picture: Image.Image, sampling: str = "") -> bytes:
    """One picture as a PNG that says that ganvas made it, so that ganvas may replace it, and how D guided its samples,
    where it did."""
    software = PngInfo()
    software.add_text("Software", MARK)
    if sampling:
        software.add_text("Sampling", sampling)
    return encode(picture, pnginfo=software)


def encode(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """One picture as the bytes of a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
