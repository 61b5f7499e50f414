"""Readers of the user's own files: which paths each takes, and how it reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ganvas.config import DataConfig
from ganvas.data.progress import Progress
from ganvas.data.raw import Raw

OWN_SIZE = 32
"""Side in pixels of the user's own images where the config names none."""


@dataclass(frozen=True)
class Reader:
    """One form in which people have images."""

    name: str
    accepts: Callable[[Path], bool]
    """Whether it reads this path. The reader that was registered first and accepts a path gets it."""
    read: Callable[[Path, DataConfig, Progress], Raw]
    """The images at a path. It may leave classes, limit, size and channels of the config to others."""


READERS: list[Reader] = []


def register_reader(reader: Reader) -> Reader:
    """Have `load` ask this reader as well, after those that are there."""
    READERS.append(reader)
    return reader
