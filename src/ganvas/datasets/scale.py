"""How pixel values of any number type become bytes: one scale for a whole set, from its type and all its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

DEPTHS = (8, 10, 12, 14, 16)
"""Bits per value in which cameras and scanners record; a set uses the smallest of them that holds its values."""
AT_ONCE = 1 << 22
"""Values scaled at once: a float64 copy of everything would take eight times the memory."""


@dataclass(frozen=True)
class Scale:
    """byte = round(factor * value + offset)."""

    factor: float
    offset: float = 0.0
    note: str = ""
    """What the user must know, in one line; empty where the scale goes without saying."""

    def to_bytes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """The values as uint8, in their shape; those outside the range the scale was made for are clipped."""
        if values.dtype == np.bool_ or (self.factor, self.offset, values.dtype.itemsize) == (1.0, 0.0, 1):
            return (values.astype(np.uint8) * np.uint8(self.factor)).astype(np.uint8)
        out = np.empty(values.shape, np.uint8)
        step = max(1, AT_ONCE // max(1, values[:1].size))
        for start in range(0, len(values), step):
            scaled = values[start : start + step] * self.factor + self.offset
            out[start : start + step] = np.clip(np.rint(scaled), 0, 255)
        return out


def choose(dtype: DTypeLike, low: float, high: float) -> Scale:
    """The scale of a set of this number type, with these as its smallest and largest value over ALL its images.

    bool, and integers that are only 0 and 1 (masks), become 0 and 255. Integers up to 255 stay as they are. Larger
    ones, up to 65535, are scaled by the depth that they use (DEPTHS): 12-bit values in 16-bit files by 4095. Floats are
    [0, 1], [-1, 1], or 0 to 255 where they reach 128; above that as integers. Raises ValueError where it is unclear.
    """
    kind = np.dtype(dtype)
    if kind.kind not in "buif":
        raise ValueError(f"its images are of type {kind}, not numbers")
    if not np.isfinite(low + high):
        raise ValueError("its images hold NaN or infinite values")
    span = f"its {kind} values run from {low:g} to {high:g}"
    if kind.kind == "f":
        if low >= 0 and high <= 1:
            return Scale(255)
        if low >= -1 and high <= 1:
            return Scale(127.5, 127.5, f"{kind} values from {low:g} to {high:g}: -1 is black, 1 is white")
        if low < 0 or high < 128:
            raise ValueError(f"{span}: save [0, 1], [-1, 1] or uint8, 0 to 255")
    if low < 0 or high > 65535:
        raise ValueError(f"{span}: save uint8, 0 to 255")
    if kind == np.bool_ or high == 1:
        return Scale(255, 0.0, "values are only 0 and 1: 1 is white (255)")
    depth = next(bits for bits in DEPTHS if high < 1 << bits)
    full = (1 << depth) - 1
    used = f"{kind} values from {low:g} to {high:g}: read as {depth}-bit, {full} is white"
    said = kind.kind == "f" or (kind.itemsize == 2 and depth < 16) or (kind.itemsize > 2 and depth > 8)
    return Scale(255 / full, 0.0, used if said else "")


def to_bytes(values: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    """All images of a set as uint8, and what the user must know of their scale. Raises ValueError as `choose`."""
    if not values.size:
        raise ValueError("its images are empty")
    if not values.ndim:
        raise ValueError("its images are one number")
    if values.dtype.kind not in "buif":
        raise ValueError(f"its images are of type {values.dtype}, not numbers")
    scale = choose(values.dtype, float(values.min()), float(values.max()))
    return scale.to_bytes(values), scale.note
