"""What real images, and noise, get in the place of the fakes: between the two a score means something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.data.progress import Progress
from ganvas.evaluation import intended as classes
from ganvas.evaluation import sources as subjects
from ganvas.evaluation.intended import Classes
from ganvas.evaluation.metrics import Fakes, Metric, Scene, plain, repeated
from ganvas.evaluation.references import Reference, counted, remembered
from ganvas.metrics.extractors.base import Features


@dataclass(frozen=True)
class Floor:
    """A metric's value for real images: `floor_n` a set, and where they come from."""

    floor: float | None
    floor_n: int
    floor_from: str


NONE = Floor(None, 0, "")


@dataclass(frozen=True)
class Reals:
    """Real images in random order: where they come from, and how to see them when no figure is remembered."""

    count: int
    look: Callable[[], Features]
    classes: Classes | None
    source: str
    sha256: str


def real(
    reference: Reference, scene: Scene, metrics: dict[str, Metric], n: int, sets: int, seed: int, bar: Progress
) -> dict[str, Floor]:
    """By metric. What compares gets real images that are not the reference: the other split, else half against half.

    What only looks at the fakes gets the reference images themselves.
    """
    compares = {name: metric for name, metric in metrics.items() if metric.compares and name != "copying"}
    looks = {name: metric for name, metric in metrics.items() if not metric.compares}
    order = reference.shuffled()

    def some(part: NDArray[np.int64], source: str) -> Reals:
        images = reference.images
        return Reals(len(part), lambda: scene.reference[part], classes.of(images, part), source, images.sha256)

    floors = _floor(some(order, reference.label), scene, reference, looks, n, sets, seed, bar)
    if (other := reference.other) is not None:
        images, part = other.images, other.shuffled()[: n * sets]
        look = partial(other.sample, scene.extractor, n * sets)
        others = Reals(len(part), look, classes.of(images, part), other.label, images.sha256)
        return floors | _floor(others, scene, reference, compares, n, sets, seed, bar)
    first, second = np.array_split(order, 2)
    modes = None if scene.modes is None else scene.modes[first]
    kinds = classes.of(reference.images, first)
    against = replace(scene, reference=scene.reference[first], classes=kinds, modes=modes)
    return floors | _floor(some(second, f"half of {reference.label}"), against, reference, compares, n, sets, seed, bar)


def noise(
    reference: Reference,
    shape: tuple[int, int, int],
    scene: Scene,
    metrics: dict[str, Metric],
    n: int,
    seed: int,
    names: tuple[str, ...],
    bar: Progress,
) -> dict[str, float]:
    """By number, for one set of uniform noise that is taken for images of the classes `names`, if there are any."""
    subject = subjects.noise(shape, seed, names)

    def make() -> dict[str, float]:
        with bar.bar(f"ceiling: noise through {scene.extractor.name}", n, "images") as advance:
            features = scene.extractor.extract(counted(subject.draw(0, n), advance))
        return _means(iter([Fakes(features, subject.meant(0, n), seed)]), metrics, scene)

    key = {"what": "noise", "metrics": list(metrics), "n": n, "seed": seed, "classes": list(names)}
    return remembered({**key, **_of(reference, scene)}, make)


def _floor(
    reals: Reals,
    scene: Scene,
    reference: Reference,
    metrics: dict[str, Metric],
    n: int,
    sets: int,
    seed: int,
    bar: Progress,
) -> dict[str, Floor]:
    n = min(n, reals.count)
    sets = max(1, min(sets, reals.count // n))
    parts = [slice(index * n, (index + 1) * n) for index in range(sets)]
    meant = [None if reals.classes is None else reals.classes[part] for part in parts]
    metrics = {name: metric for name, metric in metrics.items() if metric.missing(scene, n, meant[0]) is None}
    if not metrics:
        return {}

    def drawn() -> Iterator[Fakes]:
        features = reals.look()
        for index, part in enumerate(parts):
            yield Fakes(features[part], meant[index], seed + index)

    key = {"what": reals.source, "images": reals.sha256, "metrics": list(metrics), "n": n, "sets": sets, "seed": seed}
    bar.say(f"floor: {reals.source} in the place of the fakes, {sets} x {n:,}")
    values = remembered({**key, **_of(reference, scene)}, lambda: _means(drawn(), metrics, scene))
    return {name: Floor(value, n, reals.source) for name, value in values.items()}


def _means(fakes: Iterator[Fakes], metrics: dict[str, Metric], scene: Scene) -> dict[str, float]:
    found = repeated(fakes, metrics, scene)
    return {name: float(np.mean([plain(value) for value in values])) for name, values in found.items()}


def _of(reference: Reference, scene: Scene) -> dict[str, Any]:
    return {
        "reference": reference.images.sha256,
        "extractor": scene.extractor.name,
        "weights": scene.extractor.weights_hash,
        "resize": scene.extractor.resize,
    }
