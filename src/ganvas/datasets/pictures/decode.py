"""Picture files to pixels: whatever Pillow reads safely, each failure with its reason."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganvas.config.schema import Fit, Frames
from ganvas.datasets.pictures.archives import LARGEST_FILE
from ganvas.datasets.pixels import Images, square, to_rgb, upright
from ganvas.datasets.scale import Scale

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "TGA", "ICO", "JPEG2000", "AVIF", "QOI")
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
"""What bytes 8 to 12 of the pictures of phones say (ISO/IEC 23008-12), after ftyp; Pillow reads them by pillow-heif."""
LARGEST_PICTURE = 89_478_485  # pixels: Pillow's own guard, an error here rather than a warning
NEW_SUBFILE_TYPE, SMALLER_COPY = 254, 1
"""TIFF's tag and its bit that marks a page as a smaller copy of another one."""


class Span(NamedTuple):
    """The number type of a picture of more than 8 bits, and its smallest and largest value."""

    dtype: str
    low: float
    high: float


@dataclass(frozen=True)
class Form:
    """What pictures become: squares of `size` pixels, rectangles by `fit`; `frames` of animations.

    `scales`: number type -> scale of the deep pictures, one for the whole set; black while it is not known. `mask`:
    values 0 and 1 of 8-bit pictures stand for 0 and 255. `counted`: whether frames that are left out are counted, for
    which a GIF is read to its end.
    """

    size: int
    fit: Fit = "crop"
    frames: Frames = "first"
    scales: Mapping[str, Scale] = field(default_factory=dict)
    mask: bool = False
    counted: bool = True


class File(NamedTuple):
    """What one file gave. `n`: pictures, with their own (width, height); `spans`: of the deep ones among them.

    `left_out`: frames of an animation that were not read; `pages`: whether its pictures are the pages of a TIFF;
    `problem`: why there is nothing, or nothing more.
    """

    shapes: Sequence[tuple[int, int]] = ()
    spans: Sequence[Span] = ()
    left_out: int = 0
    pages: bool = False
    problem: str = ""

    @property
    def n(self) -> int:
        return len(self.shapes)


class Part(NamedTuple):
    """What some files gave: their images [n, 3, size, size], one after another."""

    images: Images
    files: list[File]


def content_of(open_file: Callable[[], BinaryIO]) -> bytes | str:
    """What is in a file, or why it cannot be read."""
    try:
        with open_file() as file:
            on_disk = isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO)
            small = on_disk and os.fstat(file.fileno()).st_size <= LARGEST_FILE  # a large buffer would take its time
            content = file.read() if small else file.read(LARGEST_FILE + 1)
    except Exception as error:  # such as a damaged zip
        return " ".join(str(error).split())[:160] or type(error).__name__
    if not content:
        return "empty file"
    return content if len(content) <= LARGEST_FILE else f"larger than {LARGEST_FILE >> 20} MiB"


@contextmanager
def bombs_are_errors() -> Iterator[None]:
    """Refuse pictures of more than LARGEST_PICTURE pixels, and stay silent otherwise. For a whole process at a time."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def decode_files(contents: Sequence[bytes | str], form: Form) -> Part:
    """The pictures in the contents of files; a content that is no bytes is the reason why there are none.

    Raises nothing: a file that is no picture has a `problem`. To be called within `bombs_are_errors`.
    """
    decoded = [([], File(problem=c)) if isinstance(c, str) else decode(c, form) for c in contents]
    pixels = [picture for pictures, _ in decoded for picture in pictures]
    images = np.empty((len(pixels), 3, form.size, form.size), np.uint8)
    for i, picture in enumerate(pixels):
        images[i] = picture
    return Part(images, [file for _, file in decoded])


def decode(content: bytes, form: Form) -> tuple[list[NDArray[np.uint8]], File]:
    """One picture [3, size, size], or each page of a TIFF, or each frame if `form` asks for all."""
    from PIL import Image, UnidentifiedImageError

    images: list[NDArray[np.uint8]] = []
    shapes: list[tuple[int, int]] = []
    spans: list[Span] = []
    left_out, pages, problem = 0, False, ""
    try:
        with Image.open(io.BytesIO(content), formats=_formats()) as picture:
            chosen, left_out = _frames(picture, form)
            pages = picture.format == "TIFF" and len(chosen) > 1
            for frame in chosen:
                if frame:
                    picture.seek(frame)
                if pages and (picture.tag_v2.get(NEW_SUBFILE_TYPE) or 0) & SMALLER_COPY:  # type: ignore[attr-defined]
                    continue
                width, height = shape = picture.size
                if width * height > LARGEST_PICTURE:
                    raise ValueError(f"{width} x {height} pixels, more than {LARGEST_PICTURE / 1e6:.0f} million")
                pixels, span = _pixels(picture, form)
                images.append(pixels)
                shapes.append(shape)
                spans += [span] if span else []
    except UnidentifiedImageError:
        is_heic = content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS
        problem = "a HEIC picture: pip install pillow-heif" if is_heic else "not a picture"
    except Exception as error:  # a hostile file may raise anything; none may stop the others
        problem = " ".join(str(error).split())[:160] or type(error).__name__
        problem = f"picture {len(images) + 1}: {problem}" if images else problem
    return images, File(shapes, spans, left_out, pages, problem)


def side_of(content: bytes | str) -> int:
    """The side of a square picture by its header; -1 for a rectangle, 0 for what is no picture."""
    from PIL import Image

    with suppress(Exception):
        if isinstance(content, bytes):
            with Image.open(io.BytesIO(content), formats=_formats()) as picture:
                return picture.width if picture.width == picture.height else -1
    return 0


def _frames(picture: Image.Image, form: Form) -> tuple[range, int]:
    """(frames to read, frames left out). MPO and ICO hold one picture in several views or sizes: one is read."""
    if form.frames == "first" and not form.counted and picture.format != "TIFF":
        return range(1), 0
    several = getattr(picture, "n_frames", 1) if picture.format not in ("MPO", "ICO") else 1
    if several == 1:
        return range(1), 0
    return (range(several), 0) if form.frames == "all" or picture.format == "TIFF" else (range(1), several - 1)


def _pixels(picture: Image.Image, form: Form) -> tuple[NDArray[np.uint8], Span | None]:
    """The picture as uint8 [3, size, size], and its span if it is deep."""
    from PIL import Image

    picture.draft(None, (4 * form.size, 4 * form.size))  # lets a large JPEG decode at a fraction of its size
    if not (picture.mode.startswith("I") or picture.mode == "F"):
        rgb = to_rgb(picture)
        if form.mask:
            rgb = rgb.point(lambda value: value * 255)
        return np.asarray(square(rgb, form.size, form.fit)).transpose(2, 0, 1), None
    span, scale, declared = None, None, picture.format == "PPM"  # Pillow has scaled it by its header to 0 to 65535
    values = np.asarray(picture)
    if declared:
        scale = Scale(1 / 257)
    else:
        span = Span(str(values.dtype.newbyteorder("=")), float(values.min()), float(values.max()))
        scale = form.scales.get(span.dtype)
    if scale is None:
        return np.zeros((3, form.size, form.size), np.uint8), span
    grey = upright(Image.fromarray(scale.to_bytes(values)), like=picture).convert("RGB")
    return np.asarray(square(grey, form.size, form.fit)).transpose(2, 0, 1), span


@cache
def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return [name for name in (*FORMATS, "HEIF") if name in Image.OPEN]
