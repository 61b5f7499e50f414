"""The training images nearest to a sample: by pixels, and by a classifier's features where they are there already.

Only images that are on this machine are read; nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from ganvas import datasets
from ganvas.datasets import DataSource, ImageSet, cache
from ganvas.datasets.pixels import in_parts
from ganvas.errors import GanvasError, UsageError
from ganvas.evaluation.references import kept_features
from ganvas.metrics import neighbours
from ganvas.metrics.extractors import classifier
from ganvas.metrics.extractors.base import Extractor
from ganvas.runs import images as trained_images
from ganvas.ui.rooms.play.model import Model

COUNT = 8
BLOCK = 4
"""Pixels a side of the blocks whose means give a lower bound of a distance."""
AT_ONCE = 64
"""Images whose distance is measured exactly at a time."""


@dataclass(frozen=True)
class Near:
    """Training images beside one sample, nearest first."""

    index: Int64[np.ndarray, "k"]
    distance: Float64[np.ndarray, "k"]
    """By pixels: root mean square difference, in levels of 255. By features: Euclidean."""


@dataclass(frozen=True)
class Training:
    """The training images of a model, and what makes searching them quick."""

    images: ImageSet
    means: Float32[np.ndarray, "n b"]
    """Of blocks of BLOCK x BLOCK pixels."""
    extractor: Extractor | None
    """A classifier that ships for these images, where its features of them are on disk."""
    features: Float32[np.ndarray, "n d"] | None
    classified: bool
    """Whether such a classifier ships at all."""


class Library:
    """The training images that were searched last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[str, Training] | None = None

    def of(self, model: Model, allowed: Sequence[Path]) -> Training:
        """The training images of a model; raises as `read`."""
        about = model.about_data
        key = f"{about.get('sha256')} {model.generator.config.data}"
        with self._lock:
            if self._kept is None or self._kept[0] != key:
                self._kept = None  # two large sets need not fit in memory
                self._kept = (key, read(model, allowed))
            return self._kept[1]


def read(model: Model, allowed: Sequence[Path] = ()) -> Training:
    """The images that a model was trained on, compared by hash: a known set, or a path below one of `allowed`.

    Raises UsageError where they are not on this machine or may not be read, GanvasError where other images are there.
    """
    config, about = model.generator.config.data, model.about_data
    source = datasets.SOURCES.get(config.name)
    if source is not None and not _is_here(source):
        raise UsageError(f"{config.name} is not on this machine yet: `ganvas data fetch {config.name}` fetches it")
    home = None if model.run is None else model.run.path
    config = replace(config, size=model.generator.shape[1])
    moved = None if source is not None else _permitted(model, allowed)
    images = trained_images.load_again(config, about, home, moved, progress=False, whose=model.name)[1]
    if images.images.shape[1:] != model.generator.shape:
        raise GanvasError(f"the images of {config.name} have another shape than those of {model.name}")
    means = np.concatenate([block_means(part) for part in in_parts(images.images)])
    extractor = features = None
    classified = classifier.fits(config.name, model.generator.shape)
    if classified:
        extractor = classifier.load(config.name, model.generator.shape)
        if (kept := kept_features(extractor, images)) is not None:
            features = kept.vectors
    return Training(images, means, extractor if features is not None else None, features, classified)


def _permitted(model: Model, allowed: Sequence[Path]) -> str:
    """The path of a user's own images, where they may be read; UsageError otherwise."""
    config, about = model.generator.config.data, model.about_data
    if config.name == datasets.IN_MEMORY:
        raise UsageError(f"{model.name} was trained on images that were given in Python: they are not kept with it")
    found = trained_images.locate(config, about, None if model.run is None else model.run.path)
    if found is None:
        raise UsageError(f"{model.name} was trained on {config.name}, which is not there any more")
    path = Path(found.name).resolve()
    if not any(path.is_relative_to(folder) for folder in allowed):
        raise UsageError(f"{path} was not named: ganvas ui reads it when started with --data {path}")
    return str(path)


def _is_here(source: DataSource) -> bool:
    """Whether reading a known set needs no download: its files are there and whole."""
    if source.files is None:
        return True
    folder = cache.root() / source.files.name
    return all(_sha256(folder / name) == digest for name, digest in source.files.sha256.items())


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def block_means(images: UInt8[np.ndarray, "n c h w"]) -> Float32[np.ndarray, "n b"]:
    """Means of blocks of BLOCK x BLOCK pixels; what does not fill a block is left out."""
    n, c, h, w = images.shape
    rows, columns = h // BLOCK, w // BLOCK
    cut = images[:, :, : rows * BLOCK, : columns * BLOCK].reshape(n, c, rows, BLOCK, columns, BLOCK)
    return np.asarray(cut.mean((3, 5), dtype=np.float32)).reshape(n, -1)


def by_pixels(image: UInt8[np.ndarray, "c h w"], training: Training, count: int = COUNT) -> Near:
    """The nearest training images by pixels: exact, ties to the lower number.

    The sum of squared differences is at least BLOCK^2 times that of block means (Jensen), so images are measured in
    the order of this bound until it exceeds the distance of the last one wanted.
    """
    among = training.images.images
    count = min(count, len(among))
    bound = BLOCK**2 * ((training.means - block_means(image[None])).astype(np.float32) ** 2).sum(1)
    order = np.argsort(bound, kind="stable")
    slack = 1e-3 * (1 + bound[order])  # of float32
    flat = image.reshape(-1).astype(np.int32)
    index, squares = np.empty(0, np.int64), np.empty(0, np.int64)
    for at in range(0, len(order), AT_ONCE):
        if len(squares) == count and bound[order[at]] - slack[at] > squares[-1]:
            break
        some = order[at : at + AT_ONCE]
        difference = among[some].reshape(len(some), -1).astype(np.int32) - flat
        index = np.concatenate([index, some])
        squares = np.concatenate([squares, (difference.astype(np.int64) ** 2).sum(1)])
        best = np.lexsort((index, squares))[:count]
        index, squares = index[best], squares[best]
    return Near(index, np.sqrt(squares / image.size))


def by_features(image: UInt8[np.ndarray, "c h w"], training: Training, count: int = COUNT) -> Near | None:
    """The nearest training images by a classifier's features; None where these are not there."""
    if training.extractor is None or training.features is None:
        return None
    own = training.extractor.extract([image[None]]).vectors
    index, distance = neighbours.nearest_few(own, training.features, min(count, len(training.features)))
    return Near(index[0], distance[0])


def pixels_of(training: Training, index: Int64[np.ndarray, "k"]) -> UInt8[np.ndarray, "k c h w"]:
    """The images of these numbers."""
    return np.stack([np.asarray(training.images.images[i]) for i in index])
