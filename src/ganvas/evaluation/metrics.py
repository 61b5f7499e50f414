"""The metrics by name: what each is called under which features, which way is better, what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import UsageError, did_you_mean
from ganvas.evaluation.intended import Classes
from ganvas.metrics import diversity, frechet, kernel, neighbours, prdc, recognition
from ganvas.metrics.extractors.base import Extractor, Features
from ganvas.stats.intervals import Estimate, t_critical

LEAST_SHARE = 0.2  # of its fair share of the images: with fewer, a mode counts as lost
LEAST_OF_A_CLASS = 50  # images, real and generated: with fewer, the balls around them reach everywhere

SIGNED = ("kd", "fd_infinity")  # may fall below zero
SHARES = (
    "precision", "recall", "coverage", "class_recall", "confidence", "class_distance", "gan_test_accuracy",
    "nearer_than_heldout", "copying_p", "near_copies_p",
)  # fmt: skip

Better = Literal["lower", "higher", "real"]
"""Which way is better; `real`: the nearer to what real images get, the better."""


@dataclass(frozen=True)
class Scene:
    """Everything that fakes are held against, seen through one extractor."""

    extractor: Extractor
    reference: Features
    classes: Classes | None = None
    """Of the reference images."""
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
    meant: Classes | None
    seed: int


class ByClass(NamedTuple):
    """A number, and the same of each class alone, by the class's name."""

    whole: float | Estimate
    classes: dict[str, float]


Value = float | Estimate | ByClass
"""An Estimate where the interval is known without repetition."""
Values = dict[str, Value]


def plain(value: Value) -> float:
    """The number alone."""
    whole = value.whole if isinstance(value, ByClass) else value
    return whole.value if isinstance(whole, Estimate) else whole


Missing = Callable[[Scene, int, Classes | None], str | None]
"""(scene, images a set, what those of the first were meant to be) -> why it cannot be measured, or None."""


@dataclass(frozen=True)
class Metric:
    """A group of numbers that one computation gives."""

    measure: Callable[[Fakes, Scene], Values]
    """Values by name, without the extractor's."""
    better: Mapping[str, Better]
    missing: Missing = lambda scene, n, meant: None
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


def _class_recall(fakes: Fakes, scene: Scene) -> Values:
    """Recall of each class that was asked for, among the real images of that class alone; and their mean."""
    assert fakes.meant is not None and scene.classes is not None
    asked, classes = fakes.meant.among(scene.classes.names), {}
    assert asked is not None
    for k in np.unique(asked):
        fake, real = fakes.features.vectors[asked == k], scene.reference.vectors[scene.classes.numbers == k]
        classes[scene.classes.names[k]] = prdc.precision_recall_density_coverage(fake, real).recall
    return {"class_recall": ByClass(float(np.mean([*classes.values()])), classes)}


def _score(fakes: Fakes, scene: Scene) -> Values:
    assert fakes.features.probabilities is not None
    return {"is": recognition.inception_score(fakes.features.probabilities)}


def _recognition(fakes: Fakes, scene: Scene) -> Values:
    seen, real = fakes.features.probabilities, scene.reference.probabilities
    assert seen is not None and real is not None
    histogram = recognition.class_histogram(seen)
    names = scene.extractor.class_names or tuple(map(str, range(len(histogram))))
    distance = recognition.total_variation(histogram, recognition.class_histogram(real))
    values: Values = {
        "confidence": recognition.confidence(seen),
        "entropy": recognition.entropy(seen),
        "class_distance": ByClass(distance, dict(zip(names, histogram.tolist(), strict=True))),
        "classes": float((histogram > 0).sum()),
    }
    if fakes.meant is not None and (asked := fakes.meant.among(scene.extractor.class_names)) is not None:
        each = {names[k]: recognition.gan_test(seen[asked == k], asked[asked == k]).value for k in np.unique(asked)}
        values["gan_test_accuracy"] = ByClass(recognition.gan_test(seen, asked), each)
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


def _more_images(scene: Scene, n: int, meant: Classes | None, factor: int = 1) -> str | None:
    least, found = factor * scene.dim + (factor == 1), min(n, len(scene.reference))
    if found >= least:
        return None
    who = "images a set" if n == found else "reference images"
    return f"{found:,} {who} for {scene.dim}-d features, at least {least:,} are needed (--n, --sets 1, --metrics kd)"


def _four_times(scene: Scene, n: int, meant: Classes | None) -> str | None:
    return _more_images(scene, n, meant) or _more_images(scene, n, meant, 4)


def _enough_of_each_class(scene: Scene, n: int, meant: Classes | None) -> str | None:
    if scene.classes is None:
        return f"the reference of {len(scene.reference):,} images has no classes"
    if meant is None:
        return "these images were meant to be of no class in particular"
    asked = meant.among(scene.classes.names)
    if asked is None:
        return f"the reference does not have all of their classes ({', '.join(meant.names)})"
    known = len(scene.classes.names)
    made, real = (np.bincount(numbers, minlength=known) for numbers in (asked, scene.classes.numbers))
    fewest = int(np.minimum(made, real)[made > 0].min())
    if fewest >= LEAST_OF_A_CLASS:
        return None
    return f"{fewest} images of a class, at least {LEAST_OF_A_CLASS} are needed, generated and real (--n, --sets 1)"


def _probabilities(scene: Scene, n: int, meant: Classes | None) -> str | None:
    return None if scene.reference.probabilities is not None else f"{scene.extractor.name} does not classify"


def _classes(scene: Scene, n: int, meant: Classes | None) -> str | None:
    if scene.extractor.name != "classifier":
        return f"the classes of {scene.extractor.name} are not those of the data"
    return None


def _known_modes(scene: Scene, n: int, meant: Classes | None) -> str | None:
    return None if scene.modes is not None else f"the reference of {len(scene.reference):,} images has no classes"


def _both_splits(scene: Scene, n: int, meant: Classes | None) -> str | None:
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
    "class_recall": Metric(_class_recall, {"class_recall": "higher"}, _enough_of_each_class),
    "is": Metric(_score, {"is": "higher"}, _probabilities, compares=False),
    "recognition": Metric(_recognition, RECOGNITION, _classes, compares=False),
    "diversity": Metric(_diversity, {"diversity": "real"}),
    "modes": Metric(_modes, {"modes": "higher"}, _known_modes),
    "copying": Metric(_copying, COPYING, _both_splits),
}


def repeated(sets: Iterable[Fakes], metrics: Mapping[str, Metric], scene: Scene) -> dict[str, list[Value]]:
    """Every number of every metric, once for each set."""
    found: dict[str, list[Value]] = {}
    for fakes in sets:
        for metric in metrics.values():
            for name, value in metric.measure(fakes, scene).items():
                found.setdefault(name, []).append(value)
    return found


def chosen(
    names: tuple[str, ...], scene: Scene, n: int, meant: Classes | None
) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics to measure, and why others are left out; UsageError where one that was asked for is impossible."""
    for name in names:
        if name not in METRICS:
            raise UsageError(f"no metric is called '{name}': choose {', '.join(METRICS)}{did_you_mean(name, METRICS)}")
    taken, left_out = {}, {}
    for name in names or METRICS:
        if (reason := METRICS[name].missing(scene, n, meant)) is None:
            taken[name] = METRICS[name]
        elif name in names:
            raise UsageError(f"{name} under {scene.extractor.name}: {reason}")
        else:
            left_out[name] = reason
    return taken, left_out
