"""What is evaluated: a generator that draws fresh sets of images, or images that are there already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets import ImageSet
from ganvas.datasets.progress import Progress
from ganvas.datasets.reader import OWN_SIZES
from ganvas.errors import UsageError, shown
from ganvas.evaluation.references import split_name
from ganvas.generator import ships
from ganvas.metrics.classes import Classes, classes_in_turn, classes_of
from ganvas.metrics.extractors.base import BATCH, in_batches
from ganvas.runs import images as trained_images
from ganvas.runs.run import Run
from ganvas.sampling import PLAIN, Guidance

SHOWN = 3  # sizes that a line names
FITTED = {"crop": "cropped to the middle and ", "pad": "padded and "}

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
    """What the generator was trained on, by the path where it is now; None where that is not known."""
    needs: str = ""
    """Which images it was trained on, where they are not found."""
    run: Run | None = None
    """Where scores belong."""
    about: dict[str, Any] | None = None
    """nimg, snapshot, ema, seed: what else a score's row says."""

    def as_rgb(self) -> ImageSource:
        """The same grey images with three equal channels."""
        draw = self.draw
        shape = (3, *self.shape[1:])
        return replace(self, shape=shape, draw=lambda start, n: (np.repeat(x, 3, axis=1) for x in draw(start, n)))

    def drawn_once(self) -> ImageSource:
        """The same images, kept in memory once they are drawn."""
        draw, kept = self.draw, dict[tuple[int, int], list[NDArray[np.uint8]]]()

        def again(start: int, n: int) -> Batches:
            if (start, n) not in kept:
                batches = []
                for batch in draw(start, n):
                    batches.append(batch)
                    yield batch
                kept[start, n] = batches
            else:
                yield from kept[start, n]

        return replace(self, draw=again)


def find(
    target: Any,
    seed: int = 0,
    device: str = "auto",
    bar: Progress | None = None,
    trained_on: str | None = None,
    guidance: Guidance = PLAIN,
) -> ImageSource:
    """The images of that name: a folder, zip, npz or IDX file, a run directory, a snapshot, a shipped model, a set.

    A folder or a known set may end in :train or :test; a model that ships wins over a known set of the same name.
    Anything but a path or name is images given in Python. `trained_on`: where the images of a run or generator are now,
    if they moved. `guidance`: how D guides the sampling of a generator.
    Raises UsageError where there is nothing to evaluate, or no D to guide it, GanvasError where it cannot be read, or
    where other images are at `trained_on`.
    """
    if not isinstance(target, str | os.PathLike):
        _check_plain(guidance)
        return from_images(_given(target, bar or Progress(False)))
    name, split = split_name(os.fspath(target))
    path = Path(name).expanduser()
    known = name in datasets.SOURCES
    files = not known and path.exists() and path.suffix != ".safetensors" and not (path / "config.json").is_file()
    if split is not None or files or (known and not ships(name)):
        _check_plain(guidance)
        return from_images(_in_one_size(DataConfig(name, split or "train"), bar or Progress(False)))
    return _generator(path, seed, device, trained_on, guidance)


def _check_plain(guidance: Guidance) -> None:
    if guidance:
        raise UsageError(f"images are scored as they are: {guidance.text} is for a run or a generator")


def _in_one_size(data: DataConfig, bar: Progress) -> ImageSet:
    """Images at their own size; of several sizes or rectangles, at their shortest side, and a line says so."""
    images = datasets.load(data, bar.show)
    smallest, largest = OWN_SIZES if data.name not in datasets.SOURCES else datasets.SOURCES[data.name].sizes
    side = min(max(min(min(size) for size in images.own_sizes), smallest), largest)
    if side != images.images.shape[2]:
        images = datasets.load(replace(data, size=side), bar.show)
    if (line := fitted(images)) is not None:
        bar.say(line)
    return images


def _given(data: Any, bar: Progress) -> ImageSet:
    """Images given in Python, at their own size."""
    if isinstance(data, type) or not (hasattr(data, "__len__") or hasattr(data, "__iter__")):
        what = f"{'the class ' + data.__name__ if isinstance(data, type) else shown(data)}"
        raise UsageError(f"evaluate() takes a run, a generator's file, or images, not {what}")
    data = data if hasattr(data, "__len__") else list(data)
    images = datasets.as_images(data, progress=bar.show)
    side = images.own_sizes[0][0]
    if images.own_sizes == ((side, side),) and side != images.images.shape[2]:
        return datasets.as_images(data, config=DataConfig(datasets.IN_MEMORY, size=side), progress=False)
    return images


def fitted(images: ImageSet) -> str | None:
    """A line on how images were made square and of one size; None where they are as they were."""
    side = images.images.shape[2]
    others = [size for size in images.own_sizes if size != (side, side)]
    if not others:
        return None
    found = ", ".join(f"{width}x{height}" for width, height in others[:SHOWN]) + (", ..." if others[SHOWN:] else "")
    squares = all(width == height for width, height in others)
    how = "" if squares or images.fit == "stretch" else FITTED[images.fit]
    return f"{images.name}: images of {found} were {how}resized to {side}x{side}, and the scores are of those"


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


def _generator(path: Path, seed: int, device: str, trained_on: str | None, guidance: Guidance) -> ImageSource:
    from ganvas.generator import load, run_of

    generator = load(path, device)
    if guidance:
        generator.discriminator  # noqa: B018 (it must be there before anything else is loaded)

    def draw(start: int, n: int) -> Batches:
        for first in range(start, start + n, BATCH):
            yield generator.sample(min(BATCH, start + n - first), seed, first, **vars(guidance))

    def intended(start: int, n: int) -> Classes | None:
        numbers = generator.labels(n, seed, start)
        return None if numbers is None else Classes(numbers, generator.class_names)

    run = run_of(generator.path)
    snapshot = generator.path.resolve().relative_to(run.path).as_posix() if run else generator.path.name
    about = {
        "nimg": generator.nimg,
        "snapshot": snapshot,
        "ema": generator.config.step.ema_kimg > 0,
        "seed": seed,
        "sampling": guidance.text,
    }
    config, known = generator.config, run.data if run else generator.data
    data, needs = _its_images(config.data, known, run, trained_on, generator.path)
    name = ", ".join(filter(None, (config.recipe, guidance.text)))
    return ImageSource(name, generator.shape, draw, None, intended, data, needs, run, about)


def _its_images(
    config: DataConfig, about: dict[str, Any], run: Run | None, trained_on: str | None, path: Path
) -> tuple[DataConfig | None, str]:
    """What a generator was trained on, by its path today, and what to say where it is not found.

    Where it is not at the path that the run recorded, its hash decides whether it is the same.
    """
    home, whose = run.path if run else None, os.fspath(run.path if run else path)
    try:
        found = trained_images.locate(config, about, home)
        recorded = found is not None and found.name in (config.name, about.get("path"), about.get("real_path"))
        if trained_on is None and recorded:
            return found, ""
        return trained_images.load_again(config, about, home, trained_on, whose=whose)[0], ""
    except UsageError as error:
        if trained_on is not None:
            raise
        return None, str(error)


def noise(shape: tuple[int, int, int], seed: int, names: tuple[str, ...] = ()) -> ImageSource:
    """Uniform random pixels, as if asked for these classes in turn: what no generator should be as bad as."""

    def draw(start: int, n: int) -> Batches:
        for first in range(start, start + n, BATCH):
            count = min(BATCH, start + n - first)
            generator = np.random.default_rng([seed, first])
            yield generator.integers(0, 256, (count, *shape), dtype=np.uint8)

    return ImageSource("noise", shape, draw, intended=lambda start, n: classes_in_turn(names, start, n))
