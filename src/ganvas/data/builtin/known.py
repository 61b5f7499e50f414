"""What a known data set is: files known by content, how to read them, and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganvas.data.cache import FileSet

Parse = Callable[[Mapping[str, bytes]], tuple[NDArray[np.uint8], NDArray[np.int64]]]


@dataclass(frozen=True)
class KnownSet:
    """`splits`: name -> (number of images, its files in order); `shape`: (channels, height, width)."""

    files: FileSet
    splits: Mapping[str, tuple[int, tuple[str, ...]]]
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    parse: Parse
    table: str
    licence: str
