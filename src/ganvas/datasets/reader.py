"""Readers of the user's own files: which paths each takes, and how it reads them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.config import DataConfig
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Found, Raw
from ganvas.errors import UsageError

OWN_SIZES = (16, 128)
"""Smallest and largest side, in pixels, of the user's own images."""
OWN_SIZE = 32
"""Side in pixels that images get where the config names none and they cannot keep their own."""
LARGEST_UNASKED = 64
"""Squares up to this side keep their size where the config names none; larger ones become OWN_SIZE."""


@dataclass(frozen=True)
class Reader:
    """One form in which people have images."""

    name: str
    accepts: Callable[[Path], bool]
    """Whether it reads this path. The reader that was registered first and accepts a path gets it."""
    read: Callable[[Path, DataConfig, Progress], Raw]
    """The images at a path. It may leave classes, limit, size and channels of the config to others."""


def own_side(side: int) -> int:
    """What images of this side, all squares, become where the config names no size."""
    return side if OWN_SIZES[0] <= side <= LARGEST_UNASKED else OWN_SIZE


def found_split(split: str, place_of: Callable[[str], Any]) -> Found:
    """What to say of a split, of those that there are: `place_of` gives each its place, or raises UsageError."""
    places = {}
    for name in ("train", "test"):
        with suppress(UsageError):
            places[name] = place_of(name)
    return Found(split, tuple(places)) if len(places) == 2 and places["train"] != places["test"] else Found()


READERS: list[Reader] = []


def register_reader(reader: Reader) -> Reader:
    """Have `load` ask this reader as well, after those that are there."""
    READERS.append(reader)
    return reader
