"""What is evaluated: a generator that draws fresh sets of images, or images that are there already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas import data as datasets
from ganvas.config import DataConfig
from ganvas.data import ImageSet
from ganvas.errors import UsageError
from ganvas.metrics.classes import Classes, classes_in_turn, classes_of
from ganvas.metrics.extractors.base import BATCH, in_batches
from ganvas.runs.run import Run

Batches = Iterator[NDArray[np.uint8]]


def no_classes(start: int, n: int) -> None:
    """No classes were intended."""


@dataclass(frozen=True)
class ImageSource:
    """Images to evaluate, in disjoint sets."""

    name: str
    shape: tuple[int, int, int]
    draw: Callable[[int, int], Batches]
    """(start, n) -> images number start to start + n - 1, a batch at a time; the same numbers are the same images."""
    total: int | None = None
    """How many images there are; None where they are drawn as needed."""
    intended: Callable[[int, int], Classes | None] = no_classes
    """(start, n) -> the intended classes of the images of the same numbers; None without classes."""
    data: DataConfig | None = None
    """What the generator was trained on; None where that is not known."""
    run: Run | None = None
    """Where scores belong."""
    about: dict[str, Any] | None = None
    """nimg, snapshot, ema, seed: what else a score's row says."""


def find(target: str | os.PathLike[str], seed: int = 0, device: str = "auto") -> ImageSource:
    """The images of that name: a folder, zip, npz or IDX file, a run directory, a snapshot, a shipped model.

    Raises UsageError where there is nothing to evaluate, GanvasError where it cannot be read.
    """
    path = Path(target).expanduser()
    if path.exists() and path.suffix != ".safetensors" and not (path / "config.json").is_file():
        return from_images(_as_they_are(os.fspath(path)))
    return _generator(path, seed, device)


def _as_they_are(name: str) -> ImageSet:
    """The user's images, none of them resized: the resizer would be measured with them."""
    images = datasets.load(DataConfig(name))
    if images.own_sizes == (images.images.shape[:1:-1],):
        return images
    side = images.own_sizes[0][0]
    if images.own_sizes != ((side, side),) or not 16 <= side <= 64:
        found = ", ".join(f"{w}x{h}" for w, h in images.own_sizes[:3]) + (" ..." if len(images.own_sizes) > 3 else "")
        raise UsageError(
            f"{name} holds images of {found}: evaluation compares pixels as they are, square, of one size of 16 to 64; "
            "resize them to the reference's size first, and say with the result how"
        )
    return datasets.load(DataConfig(name, size=side))


def from_images(images: ImageSet) -> ImageSource:
    """A set in memory, shuffled, since files come class by class; class folders are what they were intended to be."""
    order = datasets.order(0, 0, len(images.images), len(images.images))

    def draw(start: int, n: int) -> Batches:
        return (images.images[part] for part in in_batches(order[start : start + n]))

    c, h, w = images.images.shape[1:]
    about = {"images_sha256": images.sha256}

    def intended(start: int, n: int) -> Classes | None:
        return classes_of(images, order[start : start + n])

    return ImageSource(images.name, (c, h, w), draw, len(order), intended, about=about)


def _generator(path: Path, seed: int, device: str) -> ImageSource:
    from ganvas.generator import load

    generator = load(path, device)

    def draw(start: int, n: int) -> Batches:
        for first in range(start, start + n, BATCH):
            yield generator.sample(min(BATCH, start + n - first), seed, first)

    def intended(start: int, n: int) -> Classes | None:
        numbers = generator.labels(n, seed, start)
        return None if numbers is None else Classes(numbers, generator.class_names)

    run = _run_of(generator.path)
    snapshot = generator.path.resolve().relative_to(run.path).as_posix() if run else generator.path.name
    about = {
        "nimg": generator.nimg,
        "snapshot": snapshot,
        "ema": generator.config.step.ema_kimg > 0,
        "seed": seed,
    }
    config = generator.config
    return ImageSource(config.recipe, generator.shape, draw, intended=intended, data=config.data, run=run, about=about)


def _run_of(path: Path) -> Run | None:
    """The run directory that a generator's file lies in."""
    homes = [parent for parent in path.resolve().parents[:3] if (parent / "config.json").is_file()]
    return Run.open(homes[0]) if homes else None


def noise(shape: tuple[int, int, int], seed: int, names: tuple[str, ...] = ()) -> ImageSource:
    """Uniform random pixels, as if asked for these classes in turn: what no generator should be as bad as."""

    def draw(start: int, n: int) -> Batches:
        for first in range(start, start + n, BATCH):
            count = min(BATCH, start + n - first)
            generator = np.random.default_rng([seed, first])
            yield generator.integers(0, 256, (count, *shape), dtype=np.uint8)

    return ImageSource("noise", shape, draw, intended=lambda start, n: classes_in_turn(names, start, n))
