"""Picture files to pixels: whatever Pillow reads safely, several at a time, each failure with its reason."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ganvas.data.files.listing import LARGEST_FILE, Entry
from ganvas.data.files.pixels import Fit, square, to_rgb
from ganvas.data.progress import Progress

FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "TGA", "ICO", "JPEG2000", "AVIF", "QOI")
LARGEST_PICTURE = 89_478_485  # pixels: Pillow's own guard, an error here rather than a warning
WORKERS = 4  # each may hold one of the largest pictures


def decode(file: BinaryIO, size: int, fit: Fit = "crop") -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """One picture as RGB uint8 [3, size, size], and its own width and height. Raises what Pillow raises."""
    from PIL import Image

    with Image.open(file, formats=_formats()) as picture:
        shape = picture.size
        if shape[0] * shape[1] > LARGEST_PICTURE:
            raise ValueError(f"{shape[0]} x {shape[1]} pixels, more than {LARGEST_PICTURE / 1e6:.0f} million")
        picture.draft(None, (4 * size, 4 * size))  # lets a large JPEG decode at a fraction of its size
        small = square(to_rgb(picture), size, fit)
    return np.asarray(small).transpose(2, 0, 1), shape


def decode_all(
    pictures: Sequence[Entry], size: int, limit: int | None, progress: Progress, where: str, fit: Fit = "crop"
) -> tuple[NDArray[np.uint8], list[int], list[tuple[int, int]], list[str]]:
    """(images [n, 3, size, size], their positions, their own shapes, "file: reason" of the unreadable)."""
    wanted = len(pictures) if limit is None else min(limit, len(pictures))
    images = np.empty((wanted, 3, size, size), np.uint8)
    kept: list[int] = []
    shapes: list[tuple[int, int]] = []
    skipped: list[str] = []
    with (
        progress.bar(f"reading {where}", wanted, "pictures") as advance,
        _bombs_are_errors(),
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        while (start := len(kept) + len(skipped)) < len(pictures) and len(kept) < wanted:
            part = pictures[start : start + min(256, wanted - len(kept))]
            for i, result in enumerate(pool.map(partial(_try, size=size, fit=fit), part), start):
                if isinstance(result, str):
                    skipped.append(f"{pictures[i].name}: {result}")
                else:
                    images[len(kept)] = result[0]
                    kept.append(i)
                    shapes.append(result[1])
                    advance(1)
    return images[: len(kept)], kept, shapes, skipped


def _try(entry: Entry, size: int, fit: Fit) -> tuple[NDArray[np.uint8], tuple[int, int]] | str:
    """The decoded picture, or why there is none."""
    from PIL import UnidentifiedImageError

    try:
        with entry.open() as file:
            content = file.read(LARGEST_FILE + 1)
        if not content:
            return "empty file"
        if len(content) > LARGEST_FILE:
            return f"larger than {LARGEST_FILE >> 20} MiB"
        return decode(io.BytesIO(content), size, fit)
    except UnidentifiedImageError:
        return "not a picture"
    except Exception as error:  # a hostile file may raise anything; none may stop the others
        return " ".join(str(error).split())[:160] or type(error).__name__


@contextmanager
def _bombs_are_errors() -> Iterator[None]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]
