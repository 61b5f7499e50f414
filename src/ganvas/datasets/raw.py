"""What every reader hands to `ganvas.datasets`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Found:
    """How a reader found the images: what `ImageSet.summary` says of it."""

    split: str = ""
    """The split that was read, by the name it has there; empty where there is only one."""
    splits: tuple[str, ...] = ()
    """Every split there is, by those names."""
    labels: str = ""
    """Where the classes come from, or why there are none: "by folder", "in labels.csv"."""
    n: int | None = None
    """Images there would be without a limit; None: as many as were read."""
    rectangles: int = 0
    """Images that were not square and were made so."""


@dataclass(frozen=True)
class Raw:
    """Images uint8 [n, c, h, w] as the source has them, labels int64 [n] or None, and their origin."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    source: str
    skipped: tuple[str, ...] = ()
    own_sizes: tuple[tuple[int, int], ...] = ()
    """Width and height of the pictures before any resizing, each kind once; empty = that of `images`."""
    notes: tuple[str, ...] = ()
    """What was done to the pixels that the user must know, one line each, such as the scale of 12-bit values."""
    found: Found = Found()
