"""The metrics by name: what each measures, which way is better, what it needs, what it says to a reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ganvas import i18n
from ganvas.errors import option
from ganvas.metrics.classes import Classes
from ganvas.stats.intervals import Estimate

if TYPE_CHECKING:
    from ganvas.metrics.extractors.base import Extractor, Features

T = TypeVar("T")
Arrays = dict[str, NDArray[np.float64]]

Better = Literal["lower", "higher", "real"]
"""Which way is better; `real`: the nearer to the real baseline, the better."""


@dataclass(frozen=True)
class MetricInputs:
    """Everything that fakes are compared with, as features of one extractor."""

    extractor: Extractor
    reference: Features
    classes: Classes | None = None
    """Of the reference images."""
    modes: NDArray[np.int64] | None = None
    """Known modes of the reference images: of `shapes`, shape and colour; else the classes."""
    training: Features | None = None
    """The images that the generator was trained on, which it may have copied."""
    held_out: Features | None = None
    """Real images that it was not trained on."""
    shelf: Callable[[str, NDArray[np.float32], Callable[[], Arrays]], Arrays] | None = None
    """(name, vectors of the reference, compute) -> what compute gives, perhaps from an earlier process."""
    kept: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """What depends on the reference alone: computed for the first set of fakes, then kept."""
        if name not in self.kept:
            self.kept[name] = compute()
        kept: T = self.kept[name]
        return kept

    def lasting(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """As `once`, and worth keeping on disk where there is a shelf."""
        shelf = self.shelf
        if shelf is None:
            return self.once(name, compute)
        return self.once(name, lambda: shelf(name, self.reference.vectors, compute))

    @property
    def dim(self) -> int:
        """Length of a feature vector."""
        return int(self.reference.vectors.shape[1])


@dataclass(frozen=True)
class Fakes:
    """One set of images as features, and the classes that they were intended to show."""

    features: Features
    intended: Classes | None
    seed: int


class ByClass(NamedTuple):
    """A number, and the same for each class alone, by the class's name."""

    overall: float | Estimate
    classes: dict[str, float]


class Pooled(NamedTuple):
    """A number that all sets give together, since the mean of one for each set would be meaningless: a p value."""

    part: NDArray[np.float64]
    """What this set adds, [n, ...]."""
    number: Callable[[NDArray[np.float64]], float]
    """The number of the parts of all sets, put together along their first axis."""


Value = float | Estimate | ByClass | Pooled
"""An Estimate where the interval is known without repetition."""
Values = dict[str, Value]


def number_over(values: Sequence[Value]) -> float:
    """The number of several sets: that of all images together where it is pooled, else the mean over the sets."""
    parts = [value.part for value in values if isinstance(value, Pooled)]
    if isinstance(values[0], Pooled):
        return values[0].number(np.concatenate(parts))
    return float(np.mean([number_of(value) for value in values]))


def number_of(value: Value) -> float:
    """The number alone, of one set."""
    if isinstance(value, Pooled):
        return value.number(value.part)
    overall = value.overall if isinstance(value, ByClass) else value
    return overall.value if isinstance(overall, Estimate) else overall


def never_missing(inputs: MetricInputs, n: int, intended: Classes | None) -> str | None:
    """For metrics that need nothing in particular."""
    return None


@dataclass(frozen=True)
class Metric:
    """A group of numbers that one computation gives."""

    name: str
    measure: Callable[[Fakes, MetricInputs], Values]
    """Values by name, without the extractor's."""
    better: Mapping[str, Better]
    """Which way is better, for each of the names."""
    order: int
    """Place in tables."""
    missing: Callable[[MetricInputs, int, Classes | None], str | None] = never_missing
    """(inputs, images per set, intended classes of the first set) -> why it cannot be measured, or None."""
    compares: bool = True
    """Whether images are compared with the reference: the real baseline then takes other real images than those."""
    signed: tuple[str, ...] = ()
    """Names whose value may fall below zero."""
    shares: tuple[str, ...] = ()
    """Names whose value is a share or a probability."""
    p_values: tuple[str, ...] = ()
    """Names whose value is a p value: of all sets together (Pooled), and never compared between seeds."""
    version: int = 1
    """Raised whenever the computation gives other numbers: scores of different versions are not compared."""
    sentences: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language -> name -> what it means, for the report."""


METRICS: dict[str, Metric] = {}


def register_metric(metric: Metric) -> Metric:
    """Make a metric available to `ganvas evaluate`. A name or number that is taken raises ValueError."""
    taken = {name for other in METRICS.values() for name in other.better} & metric.better.keys()
    if metric.name in METRICS or taken:
        raise ValueError(f"metric {metric.name!r} or one of its numbers ({', '.join(metric.better)}) is taken")
    for lang, sentences in metric.sentences.items():
        i18n.add(lang, {f"metric.{name}": text for name, text in sentences.items()})
    METRICS[metric.name] = metric
    in_order = sorted(METRICS.values(), key=lambda each: (each.order, each.name))
    METRICS.clear()
    METRICS.update({each.name: each for each in in_order})
    return metric


def enough_images(inputs: MetricInputs, n: int, intended: Classes | None, factor: int = 1) -> str | None:
    """Why there are too few images for the features' covariance (`factor` times the dimensions), or None."""
    least, found = factor * inputs.dim + (factor == 1), min(n, len(inputs.reference))
    if found >= least:
        return None
    what = "images per set" if n == found else "reference images"
    return f"{found:,} {what} for {inputs.dim}-d features, at least {least:,} are needed ({option('--n')}, {option('--sets 1')}, {option('--metrics kd')})"
