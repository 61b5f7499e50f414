"""Arrays of any layout as images [n, c, h, w]: what npz, npy, IDX, CSV, mat and parquet files have in common."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets import scale
from ganvas.datasets.pixels import over_white

CHANNELS = (1, 3, 4)
SIDES = range(8, 513)
"""Sides, in pixels, that a row of numbers may stand for."""
CLEARLY = 0.8
"""Of two orders of colours in a row of numbers, one is right if neighbours differ this much less in it."""
SAVE = "save [n, h, w, c] or [n, c, h, w], c = 1, 3 or 4"


def to_images(values: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Images uint8 [n, 1 or 3, h, w] of an array, and notes of what was done to it, one line each.

    [n, h, w], [n, h, w, c], [n, c, h, w], c = 1, 3 or 4 (RGBA, put over white); [h, w, c, n] and [h, w, n], as MATLAB
    saves them; rows of numbers [n, 784], [n, 3072], ... of square images. Raises ValueError where that is unclear.
    """
    pixels, scaled = scale.to_bytes(values)
    images, turned = channels_first(pixels)
    return images, tuple(note for note in (scaled, turned) if note)


def channels_first(values: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str]:
    """The images of an array of bytes as [n, 1 or 3, h, w], and a note where they were turned or unfolded."""
    shape, note = list(values.shape), ""
    if values.ndim == 2:
        values, note = unfolded(values)
    elif values.ndim == 3 and shape[0] == shape[1] != shape[2]:
        if shape[2] in CHANNELS:
            raise ValueError(f"it holds one image, {shape}: save all of them in one array, [n, h, w, c]")
        values, note = values.transpose(2, 0, 1)[:, None], f"{shape} is read as [h, w, n]"
    elif values.ndim == 3:
        values = values[:, None]
    elif values.ndim == 4:
        values, note = _four(values)
    else:
        raise ValueError(f"its images are {shape}: {SAVE}")
    return np.ascontiguousarray(over_white(values) if values.shape[1] == 4 else values), note


def unfolded(rows: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str]:
    """Rows of numbers [n, d] as square images [n, c, side, side]; 4096 is 64 x 64, 3072 is 3 x 32 x 32."""
    n, d = rows.shape
    if (found := sides(d)) is None:
        raise ValueError(f"its images are [{n}, {d}], and {d} numbers make no square image: {SAVE}")
    channels, side = found
    if channels == 1:
        return rows.reshape(n, 1, side, side), f"each row of {d} numbers is read as {side} x {side} pixels"
    planes = rows.reshape(n, 3, side, side)
    mixed = rows.reshape(n, side, side, 3).transpose(0, 3, 1, 2)
    rough, rough_mixed = _roughness(planes), _roughness(mixed)
    what = f"each row of {d} numbers is read as {side} x {side} RGB pixels"
    if rough < CLEARLY * rough_mixed:
        return planes, f"{what}, one colour after the other (as in CIFAR)"
    if rough_mixed < CLEARLY * rough:
        return mixed, f"{what}, R, G, B of each pixel together"
    raise ValueError(f"its images are [{n}, {d}], in which the order of the colours is unclear: {SAVE}")


def sides(d: int) -> tuple[int, int] | None:
    """(channels, side) of the square image that d numbers make; None where they make none."""
    for channels in (1, 3):
        side = math.isqrt(d // channels)
        if channels * side * side == d and side in SIDES:
            return channels, side
    return None


def _four(values: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str]:
    """[n, c, h, w] from any place of the channels; where several could be, the images are square."""
    shape = list(values.shape)
    orders = {1: (0, 1, 2, 3), 3: (0, 3, 1, 2), 2: (3, 2, 0, 1)}
    found = [axis for axis in orders if shape[axis] in CHANNELS]
    if len(found) > 1 or found == [2]:
        square = [axis for axis in found if shape[orders[axis][2]] == shape[orders[axis][3]]]
        found = square if len(square) == 1 or found == [2] else []
    if not found:
        raise ValueError(f"its images are {shape}: {SAVE}")
    note = f"{shape} is read as [h, w, c, n]" if found == [2] else ""
    return values.transpose(orders[found[0]]), note


def _roughness(images: NDArray[np.uint8]) -> float:
    """Mean difference of neighbouring pixels, over up to 256 images from the whole set."""
    some = images[:: max(1, len(images) // 256)].astype(np.int16)
    return float(np.abs(np.diff(some, axis=2)).mean() + np.abs(np.diff(some, axis=3)).mean())
