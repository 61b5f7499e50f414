"""Fidelity and diversity apart: precision and recall, density and coverage, from distances to nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Float64

from ganvas.errors import UsageError, option
from ganvas.metrics.classes import Classes
from ganvas.metrics.frechet import comparable
from ganvas.metrics.neighbours import exact_squares
from ganvas.metrics.registry import ByClass, Fakes, Metric, MetricInputs, Values, register_metric

ROWS = 512
COLUMNS = 2048
OPEN = 1 / 256
"""Share of a block's pairs up to which those that float32 cannot tell are measured one by one in float64."""
TINY = 1e-30
TIE = 1e-12
"""Squared distances that differ by less, relative to the squared norms they come from, differ by rounding only."""


class PRDC(NamedTuple):
    """Fidelity: precision and density. Diversity: recall and coverage."""

    precision: float
    """Share of fakes inside the reals' manifold; 0 to 1."""
    recall: float
    """Share of reals inside the fakes' manifold; 0 to 1."""
    density: float
    """How many of the reals' balls hold a fake, over k: 1 is expected of further reals, more is possible."""
    coverage: float
    """Share of reals whose ball holds a fake; near 1 - 2^-k is expected of as many further reals."""


def precision_recall_density_coverage(
    fake: Float[np.ndarray, "n d"],
    real: Float[np.ndarray, "m _"],
    k: int = 5,
    real_radii: Float64[np.ndarray, "_"] | None = None,
) -> PRDC:
    """How the fakes lie to balls around the reals that reach to their k-th nearest fellow, and the other way round.

    Precision and recall: Kynkäänniemi et al. (2019), "Improved precision and recall metric for assessing generative
    models", arXiv 1904.06991, eqs. 1 and 2 (k = 3 there). Density and coverage: Naeem et al. (2020), "Reliable fidelity
    and diversity metrics for generative models", arXiv 2002.09797, eqs. 4 and 6 (k = 5 there).

    Distances are Euclidean. An image is no neighbour of itself, its duplicate is one; balls hold their surface, as in
    eq. 1, so that a copy of the k-th neighbour is inside. All four depend on n and m: compare at equal sizes.

    Float32 decides the pairs whose distance is clearly above or below, float64 the others: the counts are those of
    float64. Memory is bounded by blocks of 512 rows. `real_radii` = radii(real, k), where many sets meet the same reals. Raises
    UsageError unless 1 <= k < n and k < m, GanvasError for NaN and for differing dimensions.
    """
    comparable(fake, real)
    n, m = len(fake), len(real)
    if not 1 <= k < min(n, m):
        raise UsageError(f"k = {k} neighbours among {n} fakes and {m} reals: k must be at least 1, and less than both")
    # one origin near all points keeps |x|^2 + |y|^2 - 2 x.y from cancelling
    origin = real.sum(axis=0, dtype=np.float64) / m
    fake_radii = _squared_radii(fake, origin, k)
    real_radii = _squared_radii(real, origin, k) if real_radii is None else real_radii
    precise, balls, covered, recalled = np.zeros(n, bool), 0, 0, 0
    for rows, pairs in _blocks(real, fake, origin):
        inside = pairs.within(real_radii[rows, None])
        precise |= inside.any(axis=0)
        balls += int(np.count_nonzero(inside))
        covered += int(np.count_nonzero(inside.any(axis=1)))
        recalled += int(np.count_nonzero(pairs.within(fake_radii[None]).any(axis=1)))
    return PRDC(float(precise.mean()), recalled / m, balls / (k * n), covered / m)


def radii(real: Float[np.ndarray, "m d"], k: int = 5) -> Float64[np.ndarray, "m"]:
    """Squared distance of each real image to its k-th nearest fellow."""
    if not 1 <= k < len(real):
        raise UsageError(f"k = {k} neighbours among {len(real)} reals: k must be at least 1, and less than that")
    return _squared_radii(real, real.sum(axis=0, dtype=np.float64) / len(real), k)


def _squared_radii(x: np.ndarray, origin: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each x to its k-th nearest fellow, widened by rounding so that ties are inside."""
    radii = np.empty(len(x))
    for rows, pairs in _blocks(x, x, origin):
        own = np.arange(rows.start, rows.stop)
        pairs.lower[own - rows.start, own] = np.inf
        kth = pairs.kth(k)
        norms = np.sum((x[rows] - origin) ** 2, axis=1)
        radii[rows] = kth + TIE * (kth + norms)
    return radii


@dataclass
class _Pairs:
    """A block of pairs: float32 bounds of |x - y|^2, and float64 wherever they leave a question open."""

    x: np.ndarray
    y: np.ndarray
    origin: np.ndarray
    lower: Float32[np.ndarray, "n m"]
    """In units of scale^2; infinite for pairs that are left out."""
    slack: float
    """lower <= |x - y|^2 <= lower + slack."""
    scale: float
    exact: np.ndarray | None = None
    """All of them in float64, once the bounds leave too many questions open."""

    def within(self, bars: Float64[np.ndarray, "_ _"]) -> np.ndarray:
        """Whether |x - y|^2 <= bars, bool [n, m]; bars are one for each row or one for each column."""
        if self.exact is None:
            reach, sure = _up(bars / self.scale**2), _down(bars / self.scale**2 - self.slack)
            found = self.lower <= sure
            doubtful = (self.lower <= reach) ^ found
            if np.count_nonzero(doubtful) <= OPEN * doubtful.size:
                rows, columns = np.nonzero(doubtful)
                bars = np.broadcast_to(bars, doubtful.shape)
                found[rows, columns] = exact_squares(self.x, self.y, rows, columns) <= bars[rows, columns]
                return found
            self.exact = self._all()
        return np.asarray(self.exact <= bars)

    def kth(self, k: int) -> np.ndarray:
        """The k-th smallest |x - y|^2 of each row, float64 [n]."""
        bar = np.partition(self.lower, k - 1, axis=1)[:, k - 1].astype(np.float64) + self.slack
        candidates = self.lower <= _up(bar)[:, None]
        if np.count_nonzero(candidates) > OPEN * candidates.size + 2 * k * len(self.x):
            return np.asarray(np.partition(self._all(), k - 1, axis=1)[:, k - 1])
        rows, columns = np.nonzero(candidates)
        found = exact_squares(self.x, self.y, rows, columns)
        found = found[np.lexsort((found, rows))]
        return np.asarray(found[np.searchsorted(rows, np.arange(len(self.x))) + k - 1])

    def _all(self) -> np.ndarray:
        """Every |x - y|^2 in float64, by products of matrices."""
        left = self.x - self.origin
        squared = np.empty(self.lower.shape)
        for j in range(0, len(self.y), COLUMNS):
            right = self.y[j : j + COLUMNS] - self.origin
            block = squared[:, j : j + COLUMNS]
            np.matmul(left, right.T, out=block)
            block *= -2
            block += np.sum(left**2, axis=1)[:, None]
            block += np.sum(right**2, axis=1)
        np.maximum(squared, 0, out=squared)
        squared[np.isinf(self.lower)] = np.inf
        return squared


def _blocks(x: np.ndarray, y: np.ndarray, origin: np.ndarray) -> Iterator[tuple[slice, _Pairs]]:
    """The pairs of x and y, some rows of x at a time.

    A float32 sum of d + 3 products is off by less than about (d + 3) 2^-24 times the sum of their sizes (Higham 2002,
    section 3.1), rounding the factors adds 2^-23; `margin` is twice that, and TINY more than what underflows.
    """
    scale = 2 * max(float(max(a.max(), -a.min(), np.abs(origin).max())) for a in (x, y)) or 1.0
    margin = (x.shape[1] + 16) * 2.0**-23
    right = np.empty((len(y), x.shape[1] + 2), np.float32)
    farthest = 0.0
    for start in range(0, len(y), ROWS):
        part = (y[start : start + ROWS] - origin) / scale
        squares = np.sum(part**2, axis=1)
        right[start : start + ROWS] = np.column_stack([-2 * part, np.ones(len(part)), squares])
        farthest = max(farthest, float(squares.max()))
    for start in range(0, len(x), ROWS):
        rows = slice(start, min(start + ROWS, len(x)))
        part = (x[rows] - origin) / scale
        squares = np.sum(part**2, axis=1)
        left = np.column_stack([part, squares, np.ones(len(part))]).astype(np.float32)
        off = margin * (np.sqrt(farthest) + np.sqrt(float(squares.max()))) ** 2 + TINY
        lower = left @ right.T
        lower -= np.float32(off)
        yield rows, _Pairs(x[rows], y, origin, lower, 2.01 * off, scale)


def _up(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.nextafter(values.astype(np.float32), np.float32(np.inf)))


def _down(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.nextafter(values.astype(np.float32), np.float32(-np.inf)))


# -- the metric ------------------------------------------------------------------------------------------------------


LEAST_OF_A_CLASS = 50
"""Images of a class, real and fake: with fewer, the balls around them reach everywhere."""


def _reference_radii(inputs: MetricInputs) -> Float64[np.ndarray, "m"]:
    return inputs.lasting("radii", lambda: {"squared": radii(inputs.reference.vectors)})["squared"]


def _prdc(fakes: Fakes, inputs: MetricInputs) -> Values:
    real = inputs.reference.vectors
    found = precision_recall_density_coverage(fakes.features.vectors, real, real_radii=_reference_radii(inputs))
    return {name: float(value) for name, value in found._asdict().items()}


def _class_recall(fakes: Fakes, inputs: MetricInputs) -> Values:
    """Recall of each class that was asked for, among the real images of that class alone; and their mean."""
    assert fakes.intended is not None and inputs.classes is not None
    asked, classes = fakes.intended.among(inputs.classes.names), {}
    assert asked is not None
    for k in np.unique(asked):
        fake, real = fakes.features.vectors[asked == k], inputs.reference.vectors[inputs.classes.numbers == k]
        classes[inputs.classes.names[k]] = precision_recall_density_coverage(fake, real).recall
    return {"class_recall": ByClass(float(np.mean([*classes.values()])), classes)}


def _enough_of_each_class(inputs: MetricInputs, n: int, intended: Classes | None) -> str | None:
    if inputs.classes is None:
        return f"the reference of {len(inputs.reference):,} images has no classes"
    if intended is None:
        return "these images have no intended classes"
    asked = intended.among(inputs.classes.names)
    if asked is None:
        return f"the reference does not have all of their classes ({', '.join(intended.names)})"
    known = len(inputs.classes.names)
    made, real = (np.bincount(numbers, minlength=known) for numbers in (asked, inputs.classes.numbers))
    fewest = int(np.minimum(made, real)[made > 0].min())
    if fewest >= LEAST_OF_A_CLASS:
        return None
    return f"{fewest} images of a class, at least {LEAST_OF_A_CLASS} are needed, generated and real ({option('--n')}, {option('--sets 1')})"


register_metric(
    Metric(
        name="prdc",
        measure=_prdc,
        better={"precision": "higher", "recall": "higher", "density": "higher", "coverage": "higher"},
        order=40,
        shares=(
            "precision",
            "recall",
            "coverage",
        ),
        sentences={
            "en": {
                "precision": "The share of fakes that lie among real images: realism.",
                "recall": "The share of real images that lie among the fakes: variety.",
                "density": (
                    "How densely real images surround the fakes: realism, less swayed by outliers than "
                    "precision; it can exceed 1."
                ),
                "coverage": (
                    "The share of real images with a fake close by: variety, less swayed by outliers than recall."
                ),
            },
            "ko": {
                "precision": "진짜 이미지들 사이에 놓인 가짜의 비율: 사실성.",
                "recall": "가짜들 사이에 놓인 진짜 이미지의 비율: 다양성.",
                "density": "가짜 주변에 진짜 이미지가 얼마나 빽빽한지: 사실성. precision보다 이상치에 덜 흔들리며 1을 넘을 수 있습니다.",
                "coverage": "가까이에 가짜가 있는 진짜 이미지의 비율: 다양성. recall보다 이상치에 덜 흔들립니다.",
            },
        },
    )
)

register_metric(
    Metric(
        name="class_recall",
        measure=_class_recall,
        better={"class_recall": "higher"},
        order=50,
        missing=_enough_of_each_class,
        shares=("class_recall",),
        sentences={
            "en": {
                "class_recall": (
                    "Recall within each class, among real images of that class alone, averaged over the "
                    "classes: variety where a class was asked for."
                ),
            },
            "ko": {
                "class_recall": "클래스마다 그 클래스의 진짜 이미지만으로 잰 recall을 클래스에 걸쳐 평균한 값: 요청한 클래스 안에서의 다양성.",
            },
        },
    )
)
