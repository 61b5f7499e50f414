"""A picture that a visitor gives, made into what D reads: bounded, decoded as data sets are; what was done."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from ganvas.datasets import pixels, scale
from ganvas.datasets.pictures.decode import Form, Span, decode
from ganvas.errors import UsageError

MOST_BYTES = 8 << 20
MOST_PIXELS = 16_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""What browsers make and cameras save; one picture each, or one that is read first."""

_filters = threading.Lock()  # Python's warning filters belong to the whole process


@dataclass(frozen=True)
class Given:
    """uint8 [c, h, w] as D reads it, and what was done: (word, blanks) of `ui.play.done`."""

    image: UInt8[np.ndarray, "c h w"]
    done: tuple[tuple[str, dict[str, object]], ...]


def read(content: bytes, shape: tuple[int, int, int]) -> Given:
    """The picture in a file as an image of this shape [c, h, w]: the middle square, resized, grey where c is 1.

    Raises UsageError for more than MOST_BYTES, for more than MOST_PIXELS, known before anything is decoded, and for
    what is no picture of FORMATS.
    """
    channels, side, _ = shape
    if len(content) > MOST_BYTES:
        raise UsageError(f"the picture has {len(content) / 1e6:.1f} MB: at most {MOST_BYTES >> 20} MiB are read")
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        width, height, colours, moves, clear = _header(content)
        form = Form(side, counted=False)
        images, file = decode(content, form)
        if file.spans and not file.problem:  # more than 8 bits: by its own range, as a data set of one
            images, file = decode(content, replace(form, scales={file.spans[0].dtype: _scale(file.spans[0])}))
    if file.problem or not images:
        raise UsageError(f"the picture cannot be read ({file.problem or 'it is empty'})")
    done: list[tuple[str, dict[str, object]]] = []
    if clear:
        done.append(("white", {}))
    if moves:
        done.append(("frame", {}))
    if width != height:
        done.append(("crop", {"width": width, "height": height, "side": min(width, height)}))
    if min(width, height) != side:
        done.append(("resize", {"side": min(width, height), "size": side}))
    if channels == 1 and colours:
        done.append(("grey", {}))
    return Given(pixels.to_channels(images[0][None], channels)[0], tuple(done))


def _header(content: bytes) -> tuple[int, int, bool, bool, bool]:
    """Width, height, whether it has colours, moves, and has transparent parts; UsageError as `read`."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise UsageError(
                    f"the picture has {width} x {height} pixels: at most {MOST_PIXELS // 1_000_000} million are read"
                )
            colours = picture.mode not in ("1", "L", "LA", "I", "F") and not picture.mode.startswith("I;")
            moves, clear = getattr(picture, "is_animated", False), picture.has_transparency_data
            if clear and picture.mode in ("RGBA", "LA"):  # what a canvas saves has the channel, all of it opaque
                clear = bool((np.asarray(picture.getchannel("A")) < 255).any())
            return width, height, colours, moves, clear
    except UnidentifiedImageError:
        raise UsageError(f"this is no picture: {', '.join(FORMATS)} are read") from None
    except UsageError:
        raise
    except Exception as error:  # decoders of hostile files raise whatever they meet
        raise UsageError(f"the picture cannot be read ({type(error).__name__})") from error


def _scale(span: Span) -> scale.Scale:
    try:
        return scale.choose(span.dtype, span.low, span.high)
    except ValueError as error:
        raise UsageError(f"the picture cannot be read ({error})") from error
