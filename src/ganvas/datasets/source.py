"""Data sets that are known by name: what the rest of the package needs to know of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets import cache
from ganvas.datasets.cache import FileSet
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw

Parse = Callable[[Mapping[str, bytes]], tuple[NDArray[np.uint8], NDArray[np.int64]]]


@dataclass(frozen=True)
class DataSource:
    """A data set with a name."""

    name: str
    shape: tuple[int, int, int]
    """Channels, height and width of its images."""
    class_names: tuple[str, ...]
    splits: Mapping[str, int]
    """Split -> number of images."""
    read: Callable[[DataConfig, Progress], Raw]
    """The images of `config.split`. It may leave classes, limit, size and channels of the config to others."""
    licence: str
    verified: str
    """What `ganvas data check` says of its bytes."""
    files: FileSet | None = None
    """The files that are fetched and verified; None: the images are drawn when needed."""
    sizes: tuple[int, int] = (8, 128)
    """Smallest and largest side, in pixels, to which its images may be resized."""
    max_limit: int | None = None
    """Largest `data.limit`, for sets without an end."""
    modes: Callable[[str, int], NDArray[np.int64]] | None = None
    """(split, n) -> the known mode of each of its first n images, int64 [n]; None: a class is a mode."""

    @property
    def present(self) -> bool:
        """Whether nothing is left to fetch."""
        return self.files is None or cache.present(self.files)


SOURCES: dict[str, DataSource] = {}


def register_data(source: DataSource) -> DataSource:
    """Make a data set available as `data.name` of the config. A name that is taken or holds a slash: ValueError."""
    if source.name in SOURCES or "/" in source.name:
        raise ValueError(f"data set name {source.name!r} is taken or holds a slash")
    SOURCES[source.name] = source
    return source


def from_files(
    files: FileSet,
    splits: Mapping[str, tuple[int, tuple[str, ...]]],
    shape: tuple[int, int, int],
    class_names: tuple[str, ...],
    parse: Parse,
    verified: str,
    licence: str,
) -> DataSource:
    """The source of a data set kept as files; `splits`: name -> (number of images, its files in order)."""

    def read(config: DataConfig, progress: Progress) -> Raw:
        contents, origin = cache.read(files, splits[config.split][1], progress)
        images, labels = parse(contents)
        return Raw(images, labels, class_names, origin)

    counts = {split: n for split, (n, _) in splits.items()}
    return DataSource(files.name, shape, class_names, counts, read, licence, verified, files)
