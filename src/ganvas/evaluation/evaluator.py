"""Scores of a generator or of images: each with its interval, its baselines and all that it rests on."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ganvas import datasets
from ganvas.datasets.progress import Progress
from ganvas.errors import GanvasError, UsageError, option
from ganvas.evaluation import baselines, sources
from ganvas.evaluation.matching import match
from ganvas.evaluation.measuring import choose_metrics, measure_sets
from ganvas.evaluation.references import Reference, Split, shelf, with_progress
from ganvas.evaluation.sources import ImageSource
from ganvas.metrics.classes import classes_of
from ganvas.metrics.extractors import classifier
from ganvas.metrics.extractors import registry as extractors
from ganvas.metrics.extractors.base import Extractor
from ganvas.metrics.registry import METRICS, ByClass, Fakes, MetricInputs, Pooled, Value, number_of, number_over
from ganvas.sampling import Guidance
from ganvas.stats.intervals import MINIMUM, Estimate, t_interval

IMAGES = 10_000
"""Drawn in all where n is not given: 5 sets of 2,000, one of 10,000."""
LEAST_OF_A_SET = 2000
SETS = MINIMUM
CHEAP = 20_000
"""Training images up to which copying is measured without being asked for."""
KEPT_BYTES = 2**29
"""Drawn images are kept for the next extractor up to this size."""


@dataclass(frozen=True)
class Score:
    """One number with all it rests on; a row of evals.jsonl."""

    metric: str
    value: float
    low: float | None
    high: float | None
    """95 % interval: over the sets by Student's t where there are five, else the metric's own, else none."""
    n: int
    """Images a set."""
    sets: int
    reference: str
    """Data set that the images were compared with."""
    split: str
    n_ref: int
    seed: int
    extractor: str
    weights_hash: str
    resize: str
    better: str
    """lower, higher, or real: the nearer to the real baseline, the better."""
    real_baseline: float | None
    """The same metric, for real images in the place of the fakes; None where there are none."""
    real_baseline_n: int
    real_baseline_from: str
    noise_baseline: float | None
    """The same metric for uniform noise."""
    nimg: int | None = None
    snapshot: str | None = None
    ema: bool | None = None
    source: str = ""
    sec: float = 0.0
    """Seconds that this extractor's images took, drawing and measuring them all."""
    computation: str = ""
    """Versions of the metric's and of the extractor's computation, such as 1.1: scores of others are not compared."""
    sampling: str = ""
    """How D guided the sampling, such as "best of 4 by D"; empty for plain samples and for images."""
    by_class: dict[str, float] | None = None
    """By class: with class_distance the share of the fakes that the classifier sees as it, with gan_test_accuracy the
    share recognised of those that were asked to be it, with class_recall the recall within it."""


def evaluate(
    target: Any,
    *,
    reference: Any = None,
    data: str | os.PathLike[str] | None = None,
    features: Sequence[str] = (),
    metrics: Sequence[str] = (),
    n: int | None = None,
    sets: int = SETS,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    best_of: int = 1,
    refine: int = 0,
    rejection: bool = False,
) -> list[Score]:
    """Score a run's newest generator, a snapshot, or images (folder, zip, npz, IDX, a known set) against real images.

    Images may also be given in Python, as whatever `ganvas.datasets.as_images` takes, on either side.
    `reference` is NAME_OR_PATH[:train|:test]; without it, what the generator was trained on, its test split where it
    has one (its training split under `inception`, as in the literature). It is read at the target's size, and both
    sides are RGB where one is; a line says where that changes images. `data`: where the images that the generator was
    trained on are now, if they moved; they must be the same ones. `features`: see metrics.extractors.NAMES;
    "all" = what can be had of the usual ones; without them, the classifier that ships for the data, else
    efficientnet-lite0.
    `metrics`: see metrics.registry.METRICS; without them, all that can be measured. `sets` fresh sets of `n` images
    each (10,000 divided up, 5 sets of 2,000 or one of 10,000, no fewer than 2,000; given images are divided up),
    numbered from `seed`. Scores of a run's generator are added
    to its evals.jsonl. `best_of`, `refine`, `rejection`: D guides the sampling, as in Generator.sample; such scores say
    so (`sampling`), and comparisons leave them out.

    Raises UsageError for what cannot be intended, such as fewer images than dimensions, GanvasError for what goes
    wrong.
    """
    bar = Progress(progress)
    features, metrics = (([each] if isinstance(each, str) else each) for each in (features, metrics))
    if reference is not None and not isinstance(reference, str):
        with datasets.available(datasets.as_images(reference, progress=progress)):
            return evaluate(
                target, reference=datasets.IN_MEMORY, data=data, features=features, metrics=metrics, n=n, sets=sets,
                seed=seed, device=device, progress=progress, best_of=best_of, refine=refine, rejection=rejection,
            )  # fmt: skip
    guidance = Guidance(best_of, refine, rejection)
    source = sources.find(target, seed, device, bar, None if data is None else os.fspath(data), guidance)
    pairs: dict[Split, tuple[ImageSource, Reference]] = {}

    def pair(split: Split) -> tuple[ImageSource, Reference]:
        if split not in pairs:
            pairs[split] = match(source, reference, split, bar)
        return pairs[split]

    scores: list[Score] = []
    every = tuple(features) == ("all",)
    wanted = extractors.USUAL if every else tuple(features) or default_features(*pair("test"))
    images = sets * _size(source, n, sets)
    if len(wanted) > 1 and source.total is None and images * math.prod(source.shape) <= KEPT_BYTES:
        source = source.drawn_once()
    for name in wanted:
        subject, found = pair("train" if name == "inception" else "test")
        try:
            extractor = extractors.find(name, found.data.name, subject.shape)
        except GanvasError as error:
            if not every:
                raise
            bar.say(f"features {name} cannot be had: {str(error).splitlines()[0]}")
            continue
        try:
            scores += judge(subject, found, extractor, tuple(metrics), n, sets, seed, bar)
        except UsageError as error:  # a metric that this extractor cannot measure, and another may
            if not every:
                raise
            bar.say(f"features {name} are left out: {error}")
    if not scores:
        raise GanvasError(f"{source.name} could not be evaluated: no features can be had for it here")
    if source.run is not None:
        for score in scores:
            source.run.append("evals", dataclasses.asdict(score))
    return scores


def default_features(source: ImageSource, reference: Reference) -> tuple[str, ...]:
    """The classifier where one ships for these images, else ImageNet features."""
    fits = classifier.fits(reference.data.name, source.shape)
    return ("classifier",) if fits else ("efficientnet-lite0",)


def judge(
    source: ImageSource,
    reference: Reference,
    extractor: Extractor,
    metrics: tuple[str, ...],
    n: int | None,
    sets: int,
    seed: int,
    bar: Progress,
) -> list[Score]:
    """The scores of one source under one extractor."""
    n = _size(source, n, sets)
    intended = source.intended(0, n)
    inputs = _inputs(source, reference, extractor, metrics)
    measured, left_out = choose_metrics(metrics, inputs, n, intended)
    if not metrics and (costly := _costly(source, reference, extractor)) is not None:
        left_out["copying"] = costly
    for name, reason in left_out.items():
        bar.say(f"{name} under {extractor.name} is left out: {reason}")

    start = time.perf_counter()
    values = measure_sets(_drawn(source, extractor, n, sets, seed, bar), measured, inputs)
    found = {name: _together(name, measured) for name, measured in values.items()}
    seconds = round(time.perf_counter() - start, 2)
    real = baselines.real_baselines(reference, inputs, measured, n, sets, seed, bar)
    names = intended.present if intended else ()
    noise = baselines.noise_baselines(reference, source.shape, inputs, measured, n, seed, names, bar)

    about = {"seed": seed} | (source.about or {})
    metric_of = {name: metric for metric in measured.values() for name in metric.better}
    return [
        Score(
            metric=extractors.name_under(name, extractor.name), value=estimate.value,
            low=_or_none(estimate.low), high=_or_none(estimate.high), n=n, sets=sets,
            reference=reference.images.name, split=reference.data.split, n_ref=len(inputs.reference),
            extractor=extractor.name, weights_hash=extractor.weights_hash, resize=extractor.resize,
            better=metric_of[name].better[name], **dataclasses.asdict(real.get(name, baselines.NONE)),
            noise_baseline=noise.get(name), source=source.name, sec=seconds,
            by_class=_by_class(values[name]), computation=f"{metric_of[name].version}.{extractor.version}",
            **{key: about[key] for key in ("nimg", "snapshot", "ema", "seed", "sampling") if key in about},
        )
        for name, estimate in found.items()
    ]  # fmt: skip


# -- the parts -------------------------------------------------------------------------------------------------


def _size(source: ImageSource, n: int | None, sets: int) -> int:
    """Images a set, checked against what there is."""
    if not all(isinstance(each, int | np.integer | None) for each in (n, sets)):
        raise UsageError(f"n = {n}, sets = {sets}: whole numbers are needed")
    if sets < 1 or (n is not None and n < 2):
        raise UsageError(f"n = {n}, sets = {sets}: at least 2 images in at least 1 set are needed")
    if source.total is None:
        return n or max(IMAGES // sets, LEAST_OF_A_SET)
    there = source.total // sets
    if n is not None and n > there:
        raise UsageError(
            f"{source.name} holds {source.total:,} images: too few for {sets} disjoint sets of {n:,} "
            f"({option(f'--n {there}')}, or {option(f'--sets {max(source.total // n, 1)}')})"
        )
    if there < 2:
        raise UsageError(f"{source.name} holds {source.total:,} images: too few for {sets} sets ({option('--sets 1')})")
    return n or there


def _inputs(source: ImageSource, reference: Reference, extractor: Extractor, metrics: tuple[str, ...]) -> MetricInputs:
    inputs = MetricInputs(
        extractor, reference.features(extractor), classes_of(reference.images), reference.modes, shelf=shelf
    )
    wanted = "copying" in metrics or (not metrics and _costly(source, reference, extractor) is None)
    if not (wanted and _can_copy(source, reference, extractor)) or reference.other is None:
        return inputs
    other = reference.other.features(extractor)
    training, held_out = (other, inputs.reference) if reference.data.split == "test" else (inputs.reference, other)
    return replace(inputs, training=training, held_out=held_out)


def _can_copy(source: ImageSource, reference: Reference, extractor: Extractor) -> bool:
    """Whether the source may have seen the reference's training split, and the extractor has not."""
    return (source.data is None or source.data.name == reference.data.name) and extractor.name != "classifier"


def _costly(source: ImageSource, reference: Reference, extractor: Extractor) -> str | None:
    """Why copying is measured only where it is asked for, or None: it takes the features of every training image."""
    if not _can_copy(source, reference, extractor) or reference.other is None:
        return None
    n = len((reference.other if reference.data.split == "test" else reference).images.images)
    return f"it takes the features of all {n:,} training images ({option('--metrics copying')})" if n > CHEAP else None


def _drawn(source: ImageSource, extractor: Extractor, n: int, sets: int, seed: int, bar: Progress) -> Iterator[Fakes]:
    """The sets, one after the other."""
    with bar.bar(f"{source.name} through {extractor.name}", n * sets, "images") as advance:
        for index in range(sets):
            features = extractor.extract(with_progress(source.draw(index * n, n), advance))
            yield Fakes(features, source.intended(index * n, n), seed + index)


def _together(name: str, values: list[Value]) -> Estimate:
    """The mean over the sets and its interval, which stays where the metric can be; what is pooled has none."""
    if isinstance(values[0], Pooled):
        return Estimate(number_over(values), math.nan, math.nan)
    only = values[0].overall if isinstance(values[0], ByClass) else values[0]
    if len(values) == 1 and isinstance(only, Estimate):
        return only
    every = [number_of(value) for value in values]
    if len(every) < MINIMUM:
        return Estimate(number_over(values), math.nan, math.nan)
    mean, low, high = t_interval(every)
    signed = {each for metric in METRICS.values() for each in metric.signed}
    shares = {each for metric in METRICS.values() for each in metric.shares}
    return Estimate(mean, low if name in signed else max(low, 0.0), min(high, 1.0) if name in shares else high)


def _by_class(values: list[Value]) -> dict[str, float] | None:
    """The mean of each class over the sets that hold it."""
    sets = [value.classes for value in values if isinstance(value, ByClass)]
    names = dict.fromkeys(name for each in sets for name in each)
    means = {name: float(np.mean([each[name] for each in sets if name in each])) for name in names}
    return {name: round(mean, 5) for name, mean in means.items()} or None


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
