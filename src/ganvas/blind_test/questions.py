"""Which images a blind test shows, in which order, and what each of them is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ganvas import media
from ganvas.blind_test.answers import digest
from ganvas.datasets.progress import Progress
from ganvas.errors import GanvasError, UsageError, option
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.evaluation.sources import ImageSource

N = 40
MOST = 400
"""Images of a test: nobody answers more, and the page holds all of them."""


@dataclass(frozen=True)
class Question:
    """One image uint8 [c, h, w]; whether a generator made it; the number of its class, None where it has none."""

    image: NDArray[np.uint8]
    fake: bool
    label: int | None


@dataclass(frozen=True)
class BlindTest:
    """The questions in the order in which they are asked, and what they are about."""

    name: str
    """Of the run or model."""
    generator: str
    """SHA-256 of the generator's file."""
    nimg: int
    seed: int
    classes: tuple[str, ...]
    """What can be named; empty: the test asks only for real or generated."""
    intended: bool
    """Whether the generated images have an intended class."""
    reals: str
    """Where the real images come from."""
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class _Reals:
    """Real images [n, c, h, w] with their classes, where they are known."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    names: tuple[str, ...]
    label: str


def make(
    target: str | os.PathLike[str],
    n: int = N,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> BlindTest:
    """n images, half of them made by the generator of a run, snapshot or shipped model, mixed by the seed.

    The real ones come from the test split of its data, or, where that is not at hand, from the run's samples/real.png.
    Where the generator was trained with classes, both halves hold the same number of each class. Raises UsageError for
    n below 2 or above MOST, where there is no generator, and where there are no real images.
    """
    from ganvas import generator as generators
    from ganvas.evaluation import sources

    if not 2 <= n <= MOST:
        raise UsageError(f"n = {n}: ask for 2 to {MOST} images")
    if seed < 0:
        raise UsageError(f"seed = {seed}: it must be 0 or more")
    path, bar = generators.find(target), Progress(progress)
    source = sources.find(path, seed, device, bar)
    source, reals = _reals(source, bar)
    fakes = np.concatenate(list(source.draw(0, n // 2)))
    intended = source.intended(0, n // 2)
    names = reals.names if reals.labels is not None and len(reals.names) > 1 else ()
    asked = intended.among(names) if intended is not None and names else None
    rng = np.random.default_rng([seed, len(reals.images)])
    chosen = _choose(reals, n - n // 2, asked, rng)
    made = [Question(image, True, None if asked is None else int(asked[i])) for i, image in enumerate(fakes)]
    made += [
        Question(reals.images[i], False, int(reals.labels[i]) if names and reals.labels is not None else None)
        for i in chosen
    ]
    about = source.about or {}
    return BlindTest(
        name=source.run.path.name if source.run is not None else path.stem,
        generator=digest(path),
        nimg=int(about.get("nimg") or 0),
        seed=seed,
        classes=names,
        intended=asked is not None,
        reals=reals.label,
        questions=tuple(made[i] for i in rng.permutation(len(made))),
    )


def _reals(source: ImageSource, bar: Progress) -> tuple[ImageSource, _Reals]:
    """Real images of the source's shape, and the source with their number of channels."""
    from ganvas.evaluation.matching import match

    try:
        matched, reference = match(source, None, "test", bar)
        images = reference.images
        return matched, _Reals(images.images, images.labels, images.class_names, reference.label)
    except GanvasError as error:
        found = None if source.run is None else _of_samples(source.run, source.shape)
        if found is None:
            raise UsageError(f"a blind test needs real images as well: {error}") from error
        bar.say("the real images are those of samples/real.png, which the generator was trained on: " + str(error))
        return source, found


def _of_samples(run: Run, shape: tuple[int, int, int]) -> _Reals | None:
    """The training images of samples/real.png; None where the run has none."""
    from ganvas.reports.facts import gather

    facts = gather(run)
    if facts.real is None:
        return None
    tiles = media.tiles(facts.real, shape)
    rows, names = facts.class_rows, tuple(facts.data.get("class_names") or ())
    labels = None
    if rows and len(tiles) % len(rows) == 0:
        labels = np.repeat([names.index(row) for row in rows], len(tiles) // len(rows)).astype(np.int64)
    return _Reals(tiles, labels, names if labels is not None else (), "samples/real.png")


def _choose(reals: _Reals, count: int, asked: NDArray[np.int64] | None, rng: np.random.Generator) -> Sequence[int]:
    """Numbers of `count` real images, no image twice; of the classes that the generated ones have, where they do."""
    order = rng.permutation(len(reals.images))
    if asked is None or reals.labels is None:
        chosen: list[int] = order[:count].tolist()
    else:
        wanted = np.resize(asked, count)
        by_class = {k: iter(order[reals.labels[order] == k].tolist()) for k in set(wanted.tolist())}
        chosen = [i for k in wanted.tolist() if (i := next(by_class[k], None)) is not None]
    if len(chosen) < count:
        raise UsageError(
            f"there are {len(reals.images):,} real images in {reals.label}, too few for this: lower {option('--n')}"
        )
    return chosen
