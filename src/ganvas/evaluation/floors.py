"""What real images, and noise, get in the place of the fakes: between the two a score means something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets.progress import Progress
from ganvas.evaluation import subjects
from ganvas.evaluation.measures import Fakes, Metric, Scene, meant, repeated
from ganvas.evaluation.references import Reference, counted, remembered
from ganvas.metrics.features import Features
from ganvas.metrics.intervals import Estimate


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
    look: Callable[[], tuple[Features, NDArray[np.int64] | None]]
    """() -> what the extractor sees in them, and their classes."""
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
    own, known = reference.images.labels, len(scene.reference)
    order = np.random.default_rng(0).permutation(known)

    def some(part: NDArray[np.int64], source: str) -> Reals:
        labels = None if own is None else own[part]
        return Reals(len(part), lambda: (scene.reference[part], labels), source, reference.images.sha256)

    floors = _floor(some(order, reference.label), scene, reference, looks, n, sets, seed, bar)
    if (other := reference.other) is not None:

        def look() -> tuple[Features, NDArray[np.int64] | None]:
            part, features = other.sample(scene.extractor, n * sets)
            return features, None if other.images.labels is None else other.images.labels[part]

        count = min(n * sets, len(other.images.images))
        others = Reals(count, look, other.label, other.images.sha256)
        return floors | _floor(others, scene, reference, compares, n, sets, seed, bar)
    first, second = np.array_split(order, 2)
    modes = None if scene.modes is None else scene.modes[first]
    against = replace(scene, reference=scene.reference[first], modes=modes)
    return floors | _floor(some(second, f"half of {reference.label}"), against, reference, compares, n, sets, seed, bar)


def noise(
    reference: Reference,
    shape: tuple[int, int, int],
    scene: Scene,
    metrics: dict[str, Metric],
    n: int,
    seed: int,
    bar: Progress,
) -> dict[str, float]:
    """By number, for one set of uniform noise."""

    def make() -> dict[str, float]:
        with bar.bar(f"ceiling: noise through {scene.extractor.name}", n, "images") as advance:
            features = scene.extractor.extract(counted(subjects.noise(shape, seed).draw(0, n), advance))
        return _means(iter([Fakes(features, None, seed)]), metrics, scene)

    return remembered({"what": "noise", "metrics": list(metrics), "n": n, "seed": seed, **_of(reference, scene)}, make)


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
    metrics = {name: metric for name, metric in metrics.items() if metric.missing(scene, n) is None}
    if not metrics:
        return {}

    def drawn() -> Iterator[Fakes]:
        features, labels = reals.look()
        classes = meant(labels, reference.images.class_names, scene.extractor)
        for index in range(sets):
            part = slice(index * n, (index + 1) * n)
            yield Fakes(features[part], None if classes is None else classes[part], seed + index)

    key = {"what": reals.source, "images": reals.sha256, "metrics": list(metrics), "n": n, "sets": sets, "seed": seed}
    bar.say(f"floor: {reals.source} in the place of the fakes, {sets} x {n:,}")
    values = remembered({**key, **_of(reference, scene)}, lambda: _means(drawn(), metrics, scene))
    return {name: Floor(value, n, reals.source) for name, value in values.items()}


def _means(fakes: Iterator[Fakes], metrics: dict[str, Metric], scene: Scene) -> dict[str, float]:
    found = repeated(fakes, metrics, scene)
    return {
        name: float(np.mean([v.value if isinstance(v, Estimate) else v for v in values]))
        for name, values in found.items()
    }


def _of(reference: Reference, scene: Scene) -> dict[str, Any]:
    return {
        "reference": reference.images.sha256,
        "extractor": scene.extractor.name,
        "weights": scene.extractor.weights_hash,
        "resize": scene.extractor.resize,
    }
