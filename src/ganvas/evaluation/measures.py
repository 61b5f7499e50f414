"""The metrics by name: what each is called under which features, which way is better, what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ganvas.config import did_you_mean
from ganvas.errors import UsageError
from ganvas.metrics import diversity, frechet, kernel, neighbours, prdc, recognition
from ganvas.metrics.features import Extractor, Features
from ganvas.metrics.intervals import Estimate, t_critical

LEAST_SHARE = 0.2  # of its fair share of the images: with fewer, a mode counts as lost

SIGNED = ("kd", "fd_infinity")  # may fall below zero
SHARES = (
    "precision", "recall", "coverage", "confidence", "class_distance", "gan_test_accuracy", "nearer_than_heldout",
    "copying_p", "near_copies_p",
)  # fmt: skip

Better = Literal["lower", "higher", "real"]
"""Which way is better; `real`: the nearer to what real images get, the better."""


@dataclass(frozen=True)
class Scene:
    """Everything that fakes are held against, seen through one extractor."""

    extractor: Extractor
    reference: Features
    labels: NDArray[np.int64] | None = None
    """Classes of the reference images."""
    modes: NDArray[np.int64] | None = None
    """Known modes of the reference images: of `shapes`, shape and colour; else the classes."""
    training: Features | None = None
    """The images that the generator learnt from, and that it may have copied."""
    heldout: Features | None = None
    """Real images that it has not seen."""

    @cached_property
    def moments(self) -> frechet.Moments:
        return frechet.moments(self.reference.vectors)

    @cached_property
    def kernel_sums(self) -> kernel.Sums:
        return kernel.within(self.reference.vectors)

    @cached_property
    def radii(self) -> NDArray[np.float64]:
        return prdc.radii(self.reference.vectors)

    @cached_property
    def heldout_nearest(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        assert self.training is not None and self.heldout is not None
        return neighbours.nearest(self.heldout.vectors, self.training.vectors)

    @property
    def dim(self) -> int:
        return int(self.reference.vectors.shape[1])


@dataclass(frozen=True)
class Fakes:
    """One set of images as the extractor sees it, and the classes they were meant to be."""

    features: Features
    intended: NDArray[np.int64] | None
    seed: int


Values = dict[str, float | Estimate]


@dataclass(frozen=True)
class Metric:
    """A group of numbers that one computation gives."""

    measure: Callable[[Fakes, Scene], Values]
    """Values by name, without the extractor's; an Estimate where its interval is known without repetition."""
    better: Mapping[str, Better]
    missing: Callable[[Scene, int], str | None] = lambda scene, n: None
    """(scene, images a set) -> why it cannot be measured, or None."""
    compares: bool = True
    """Whether images are held against the reference, so that a floor takes other real images than those."""


# -- the computations ------------------------------------------------------------------------------------------


def _fd(fakes: Fakes, scene: Scene) -> Values:
    return {"fd": frechet.frechet_distance(frechet.moments(fakes.features.vectors), scene.moments)}


def _fd_infinity(fakes: Fakes, scene: Scene) -> Values:
    return {"fd_infinity": frechet.frechet_infinity(fakes.features.vectors, scene.moments, seed=fakes.seed).value}


def _kd(fakes: Fakes, scene: Scene) -> Values:
    found = kernel.kernel_distance(fakes.features.vectors, scene.reference.vectors, scene.kernel_sums)
    half = t_critical(0.95, found.n - 1) * found.standard_error
    return {"kd": Estimate(found.value, found.value - half, found.value + half)}


def _prdc(fakes: Fakes, scene: Scene) -> Values:
    real, radii = scene.reference.vectors, scene.radii
    found = prdc.precision_recall_density_coverage(fakes.features.vectors, real, real_radii=radii)
    return {name: float(value) for name, value in found._asdict().items()}


def _score(fakes: Fakes, scene: Scene) -> Values:
    assert fakes.features.probabilities is not None
    return {"is": recognition.inception_score(fakes.features.probabilities)}


def _recognition(fakes: Fakes, scene: Scene) -> Values:
    seen, real = fakes.features.probabilities, scene.reference.probabilities
    assert seen is not None and real is not None
    histogram = recognition.class_histogram(seen)
    values: Values = {
        "confidence": recognition.confidence(seen),
        "entropy": recognition.entropy(seen),
        "class_distance": recognition.total_variation(histogram, recognition.class_histogram(real)),
        "classes": float((histogram > 0).sum()),
    }
    if fakes.intended is not None:
        values["gan_test_accuracy"] = recognition.gan_test(seen, fakes.intended)
    return values


def _diversity(fakes: Fakes, scene: Scene) -> Values:
    return {"diversity": diversity.diversity(fakes.features.vectors, scene.reference.vectors).overall}


def _modes(fakes: Fakes, scene: Scene) -> Values:
    assert scene.modes is not None
    known, vectors = int(scene.modes.max()) + 1, fakes.features.vectors
    found = recognition.modes_of(vectors, scene.reference.vectors, scene.modes)
    least = max(1, round(len(vectors) * LEAST_SHARE / known))
    return {"modes": float(recognition.modes_covered(found, known, least=least).hit)}


def _copying(fakes: Fakes, scene: Scene) -> Values:
    assert scene.training is not None
    _, distances = neighbours.nearest(fakes.features.vectors, scene.training.vectors)
    found = neighbours.copying_test(distances, scene.heldout_nearest[1])
    return {
        "nearer_than_heldout": found.nearer,
        "copying_p": found.p_value,
        "near_copies": float(found.near_copies),
        "near_copies_p": found.near_copies_p_value,
    }


# -- what they need --------------------------------------------------------------------------------------------


def _more_images(scene: Scene, n: int, factor: int = 1) -> str | None:
    least, found = factor * scene.dim + (factor == 1), min(n, len(scene.reference))
    if found >= least:
        return None
    who = "images a set" if n == found else "reference images"
    return f"{found:,} {who} for {scene.dim}-d features, at least {least:,} are needed (--n, --sets 1, --metrics kd)"


def _four_times(scene: Scene, n: int) -> str | None:
    return _more_images(scene, n) or _more_images(scene, n, 4)


def _probabilities(scene: Scene, n: int) -> str | None:
    return None if scene.reference.probabilities is not None else f"{scene.extractor.name} does not classify"


def _classes(scene: Scene, n: int) -> str | None:
    if scene.extractor.name != "classifier":
        return f"the classes of {scene.extractor.name} are not those of the data"
    return None


def _known_modes(scene: Scene, n: int) -> str | None:
    return None if scene.modes is not None else f"the reference of {len(scene.reference):,} images has no classes"


def _both_splits(scene: Scene, n: int) -> str | None:
    if scene.extractor.name == "classifier":
        return "the classifier has seen the training images itself (use --features efficientnet-lite0)"
    if scene.training is None or scene.heldout is None:
        return "no real images are known that were held out from training"
    return None


PRDC: dict[str, Better] = dict.fromkeys(("precision", "recall", "density", "coverage"), "higher")
RECOGNITION: dict[str, Better] = {
    "confidence": "real", "entropy": "real", "class_distance": "lower", "classes": "higher",
    "gan_test_accuracy": "higher",
}  # fmt: skip
COPYING: dict[str, Better] = {
    "nearer_than_heldout": "real", "copying_p": "higher", "near_copies": "real", "near_copies_p": "higher",
}  # fmt: skip

METRICS: dict[str, Metric] = {
    "fd": Metric(_fd, {"fd": "lower"}, _more_images),
    "fd_infinity": Metric(_fd_infinity, {"fd_infinity": "lower"}, _four_times),
    "kd": Metric(_kd, {"kd": "lower"}),
    "prdc": Metric(_prdc, PRDC),
    "is": Metric(_score, {"is": "higher"}, _probabilities, compares=False),
    "recognition": Metric(_recognition, RECOGNITION, _classes, compares=False),
    "diversity": Metric(_diversity, {"diversity": "real"}),
    "modes": Metric(_modes, {"modes": "higher"}, _known_modes),
    "copying": Metric(_copying, COPYING, _both_splits),
}


def repeated(sets: Iterable[Fakes], metrics: Mapping[str, Metric], scene: Scene) -> dict[str, list[float | Estimate]]:
    """Every number of every metric, once for each set."""
    found: dict[str, list[float | Estimate]] = {}
    for fakes in sets:
        for metric in metrics.values():
            for name, value in metric.measure(fakes, scene).items():
                found.setdefault(name, []).append(value)
    return found


def meant(
    labels: NDArray[np.int64] | None, class_names: tuple[str, ...], extractor: Extractor
) -> NDArray[np.int64] | None:
    """The classes that images were meant to be, by the extractor's numbers; None where it knows other names."""
    if labels is None or not set(class_names) <= set(extractor.class_names):
        return None
    numbers: NDArray[np.int64] = np.array([extractor.class_names.index(name) for name in class_names])[labels]
    return numbers


def chosen(names: tuple[str, ...], scene: Scene, n: int) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics to measure, and why others are left out; UsageError where one that was asked for is impossible."""
    for name in names:
        if name not in METRICS:
            raise UsageError(f"no metric is called '{name}': choose {', '.join(METRICS)}{did_you_mean(name, METRICS)}")
    taken, left_out = {}, {}
    for name in names or METRICS:
        if (reason := METRICS[name].missing(scene, n)) is None:
            taken[name] = METRICS[name]
        elif name in names:
            raise UsageError(f"{name} under {scene.extractor.name}: {reason}")
        else:
            left_out[name] = reason
    return taken, left_out
