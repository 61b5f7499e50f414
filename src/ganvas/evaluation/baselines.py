"""Baselines of a score: what real images, and what noise, score in the place of the fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets.progress import Progress
from ganvas.evaluation import figures
from ganvas.evaluation import sources as sources
from ganvas.evaluation.figures import Figures
from ganvas.evaluation.measuring import measure_sets
from ganvas.evaluation.references import Reference, with_progress
from ganvas.metrics.classes import Classes, classes_of
from ganvas.metrics.extractors.base import Features
from ganvas.metrics.registry import Fakes, Metric, MetricInputs, number_over


@dataclass(frozen=True)
class RealBaseline:
    """A metric's value for real images: `real_baseline_n` per set, and where they come from."""

    real_baseline: float | None
    real_baseline_n: int
    real_baseline_from: str


NONE = RealBaseline(None, 0, "")


@dataclass(frozen=True)
class Reals:
    """Real images in random order: where they come from, and how to compute their features if needed."""

    count: int
    features: Callable[[], Features]
    classes: Classes | None
    source: str
    sha256: str


def real_baselines(
    reference: Reference, inputs: MetricInputs, metrics: dict[str, Metric], n: int, sets: int, seed: int, bar: Progress
) -> dict[str, RealBaseline]:
    """By metric. What compares gets real images that are not the reference: the other split, else half against half.

    What only looks at the fakes gets the reference images themselves.
    """
    compares = {name: metric for name, metric in metrics.items() if metric.compares and name != "copying"}
    looks = {name: metric for name, metric in metrics.items() if not metric.compares}
    order = reference.shuffled()

    def some(part: NDArray[np.int64], source: str) -> Reals:
        images = reference.images
        return Reals(len(part), lambda: inputs.reference[part], classes_of(images, part), source, images.sha256)

    baselines = _baseline(some(order, reference.label), inputs, reference, looks, n, sets, seed, bar)
    if (other := reference.other) is not None:
        images, part = other.images, other.shuffled()[: n * sets]
        features = partial(other.sample, inputs.extractor, n * sets)
        others = Reals(len(part), features, classes_of(images, part), other.label, images.sha256)
        return baselines | _baseline(others, inputs, reference, compares, n, sets, seed, bar)
    first, second = np.array_split(order, 2)
    modes = None if inputs.modes is None else inputs.modes[first]
    kinds = classes_of(reference.images, first)
    against = replace(inputs, reference=inputs.reference[first], classes=kinds, modes=modes)
    return baselines | _baseline(
        some(second, f"half of {reference.label}"), against, reference, compares, n, sets, seed, bar
    )


def noise_baselines(
    reference: Reference,
    shape: tuple[int, int, int],
    inputs: MetricInputs,
    metrics: dict[str, Metric],
    n: int,
    seed: int,
    names: tuple[str, ...],
    bar: Progress,
) -> dict[str, float]:
    """By number, for one set of uniform noise that is taken for images of the classes `names`, if there are any."""
    source = sources.noise(shape, seed, names)

    def make(absent: list[str]) -> dict[str, Figures]:
        with bar.bar(f"noise baseline: noise through {inputs.extractor.name}", n, "images") as advance:
            features = inputs.extractor.extract(with_progress(source.draw(0, n), advance))
        chosen = {name: metrics[name] for name in absent}
        return _means(iter([Fakes(features, source.intended(0, n), seed)]), chosen, inputs)

    key = {"what": "noise", "n": n, "seed": seed, "classes": list(names)}
    return figures.by_metric({**key, **_of(reference, inputs)}, metrics, make)


def _baseline(
    reals: Reals,
    inputs: MetricInputs,
    reference: Reference,
    metrics: dict[str, Metric],
    n: int,
    sets: int,
    seed: int,
    bar: Progress,
) -> dict[str, RealBaseline]:
    n = min(n, reals.count)
    sets = max(1, min(sets, reals.count // n))
    parts = [slice(index * n, (index + 1) * n) for index in range(sets)]
    intended = [None if reals.classes is None else reals.classes[part] for part in parts]
    metrics = {name: metric for name, metric in metrics.items() if metric.missing(inputs, n, intended[0]) is None}
    if not metrics:
        return {}

    def drawn() -> Iterator[Fakes]:
        features = reals.features()
        for index, part in enumerate(parts):
            yield Fakes(features[part], intended[index], seed + index)

    def make(absent: list[str]) -> dict[str, Figures]:
        bar.say(f"real baseline: {reals.source} in the place of the fakes, {sets} x {n:,}")
        return _means(drawn(), {name: metrics[name] for name in absent}, inputs)

    key = {"what": reals.source, "images": reals.sha256, "n": n, "sets": sets, "seed": seed}
    values = figures.by_metric({**key, **_of(reference, inputs)}, metrics, make)
    return {name: RealBaseline(value, n, reals.source) for name, value in values.items()}


def _means(fakes: Iterator[Fakes], metrics: dict[str, Metric], inputs: MetricInputs) -> dict[str, Figures]:
    """By metric, the mean of each of its figures over the sets."""
    found = measure_sets(fakes, metrics, inputs)
    means = {name: number_over(values) for name, values in found.items()}
    return {name: {part: means[part] for part in metric.better if part in means} for name, metric in metrics.items()}


def _of(reference: Reference, inputs: MetricInputs) -> dict[str, Any]:
    return {
        "reference": reference.images.sha256,
        "extractor": inputs.extractor.name,
        "weights": inputs.extractor.weights_hash,
        "resize": inputs.extractor.resize,
        "version": inputs.extractor.version,
    }
