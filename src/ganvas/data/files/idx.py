"""The IDX format of MNIST (LeCun, Cortes and Burges 1998): big-endian header, then the values as they are."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LARGEST = 1 << 33  # 8 GiB: above this a header is more likely wrong than right


def parse(content: bytes) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes. Raises ValueError with the reason in a few words."""
    shape, start = _header(content[:64])
    if len(content) - start != math.prod(shape):
        raise ValueError(f"its header promises {shape}, which is not {len(content) - start} bytes")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read(path: Path) -> NDArray[np.uint8]:
    """The array in an IDX file, plain or .gz. Raises ValueError, OSError; reads no more than it promises."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(64)
            shape, start = _header(head)
            content = head + file.read(start + math.prod(shape) + 1 - len(head))
    except (EOFError, zlib.error) as error:
        raise ValueError(f"damaged gzip ({error})") from error
    return parse(content)


def _header(head: bytes) -> tuple[tuple[int, ...], int]:
    if len(head) < 4 or head[:2] != b"\0\0":
        raise ValueError("not an IDX file")
    if head[2] != 8:
        raise ValueError("an IDX file of other values than unsigned bytes")
    dimensions = head[3]
    start = 4 + 4 * dimensions
    if not 1 <= dimensions <= 4 or len(head) < start:
        raise ValueError(f"an IDX file of {dimensions} dimensions, or cut short")
    shape = struct.unpack(f">{dimensions}I", head[4:start])
    if math.prod(shape) > LARGEST:
        raise ValueError(f"its header promises {shape}, more than {LARGEST >> 30} GiB")
    return shape, start
