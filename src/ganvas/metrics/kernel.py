"""The kernel distance between two sets of features, KID under Inception: unbiased at any n, with the error it has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from ganvas.errors import UsageError
from ganvas.metrics.frechet import comparable
from ganvas.metrics.registry import Arrays, Fakes, Metric, MetricInputs, Values, register_metric
from ganvas.stats.intervals import LEVEL, Estimate, t_critical

BLOCK = 1024
LEAST = 4  # images that the variance's unbiased estimate needs


@dataclass(frozen=True)
class KernelDistance:
    """A squared maximum mean discrepancy, and how far it would stray with other images."""

    value: float
    """0 is the best; unbiased, so that below zero is as likely as above where the two sets come from one source."""
    standard_error: float
    """For fresh fakes and fresh reals, both."""
    n: int
    """Fakes."""
    n_ref: int
    """Reals."""


@dataclass(frozen=True)
class Sums:
    """Of the kernel between x and y; within one set the diagonal counts as zero."""

    rows: Float64[np.ndarray, "n"]
    columns: Float64[np.ndarray, "m"]
    squares: float


def kernel_distance(
    fake: Float[np.ndarray, "n d"], real: Float[np.ndarray, "m _"], among_real: Sums | None = None
) -> KernelDistance:
    """The U-statistic of MMD^2 under k(x, y) = (x.y / d + 1)^3, over all pairs, with its standard error.

    Binkowski et al. (2018), "Demystifying MMD GANs", arXiv 1801.01401, section 4; the estimate is eq. 3 of Gretton et
    al. (2012), "A kernel two-sample test", JMLR 13. Each pair is looked at once, in blocks: 10,000 against 10,000 cost
    about what the usual 100 subsets of 1,000 do, see `kernel_distances_of_subsets`, and stray less.

    The variance is Hoeffding's, both orders of it, as in Sutherland et al. (2017), "Generative models and model
    criticism via optimized MMD", arXiv 1611.04488, section 3, here unbiased and for n other than m. With a(x) the mean
    kernel of x with its own set less that with the other set, and s(X, Y)^2 the mean square of the kernel centred in
    both arguments,

        4 var[a(x)] / n + 4 var[a(y)] / m + 2 s(X, X)^2 / (n (n - 1)) + 2 s(Y, Y)^2 / (m (m - 1)) + 4 s(X, Y)^2 / (n m)

    The first two vanish where both sets have one source, and the others are what a jackknife would count twice.

    `among_real` = within(real), where many sets of fakes meet the same reals. Raises UsageError for fewer than 4
    images on either side, GanvasError for NaN and for differing dimensions.
    """
    comparable(fake, real)
    n, m = len(fake), len(real)
    if min(n, m) < LEAST:
        raise UsageError(
            f"n = {n} fakes and {m} reals: the kernel distance and its error need at least {LEAST} of each"
        )
    xx, yy, xy = within(fake), among_real or within(real), _between(fake, real)
    value = xx.rows.sum() / (n * (n - 1)) + yy.rows.sum() / (m * (m - 1)) - 2 * xy.rows.sum() / (n * m)

    s_xx, s_yy, s_xy = _centred_square_within(xx), _centred_square_within(yy), _centred_square_between(xy)
    # n - 2 in place of n - 1 takes out what an image adds to the means of its fellows
    first_x = np.var(xx.rows / (n - 2) - xy.rows / m, ddof=1) - s_xx / (n - 2) - s_xy / m
    first_y = np.var(yy.rows / (m - 2) - xy.columns / n, ddof=1) - s_yy / (m - 2) - s_xy / n
    first = 4 * first_x / n + 4 * first_y / m  # true values are not negative, estimates may be
    second = 2 * s_xx / (n * (n - 1)) + 2 * s_yy / (m * (m - 1)) + 4 * s_xy / (n * m)
    variance = np.maximum(first, 0) + np.maximum(second, 0)
    return KernelDistance(float(value), float(np.sqrt(variance)), n, m)


def kernel_distances_of_subsets(
    fake: Float[np.ndarray, "n d"], real: Float[np.ndarray, "m _"], *, subsets: int = 100, size: int = 1000, seed: int
) -> Float64[np.ndarray, "subsets"]:
    """The distance of each of many random subsets: their mean is the KID that papers print.

    Papers often print their standard deviation beside it. That is the spread of a set of `size` images, no error of the
    mean; nor is it one after division by the root of `subsets`, since the subsets share images.

    Raises UsageError where a set holds fewer than `size` images, GanvasError as `kernel_distance` does.
    """
    comparable(fake, real)
    if not 2 <= size <= min(len(fake), len(real)):
        raise UsageError(
            f"subsets of {size} images from {len(fake)} fakes and {len(real)} reals: 2 to all are possible"
        )
    rng = np.random.default_rng(seed)
    values = np.empty(subsets)
    for i in range(subsets):
        x = fake[rng.choice(len(fake), size, replace=False)]
        y = real[rng.choice(len(real), size, replace=False)]
        inside = within(x).rows.sum() + within(y).rows.sum()
        values[i] = inside / (size * (size - 1)) - 2 * _between(x, y).rows.mean() / size
    return values


@dataclass(frozen=True)
class _Centred:
    """A set about an origin: x.y / d + 1 of two of them is vectors @ vectors' + along + along'."""

    vectors: Float[np.ndarray, "n d"]
    """(x - origin) / sqrt(d), in the features' own precision: what float32 loses stays small beside x's own spread."""
    along: Float64[np.ndarray, "n"]
    """(x - origin).origin / d + |origin|^2 / 2 d + 1 / 2."""

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, part: slice) -> _Centred:
        return _Centred(self.vectors[part], self.along[part])


def _centred(x: np.ndarray, origin: np.ndarray) -> _Centred:
    n, d = x.shape
    vectors, along = np.empty_like(x), np.empty(n)
    for start in range(0, n, BLOCK):
        here = slice(start, start + BLOCK)
        apart = x[here] - origin
        along[here] = (apart @ origin + origin @ origin / 2) / d + 0.5
        vectors[here] = apart / np.sqrt(d)
    return _Centred(vectors, along)


def _origin(x: np.ndarray) -> np.ndarray:
    return np.asarray(x.sum(axis=0, dtype=np.float64) / len(x))


def _kernel(x: _Centred, y: _Centred) -> np.ndarray:
    """(x.y / d + 1)^3 of blocks of images: the products in the features' precision, all else in float64."""
    base = (x.vectors @ y.vectors.T) + x.along[:, None]
    base += y.along
    cubed = base * base
    cubed *= base
    return np.asarray(cubed)


def _between(fake: np.ndarray, real: np.ndarray) -> Sums:
    origin = _origin(real)
    x, y = _centred(fake, origin), _centred(real, origin)
    rows, columns, squares = np.zeros(len(x)), np.zeros(len(y)), 0.0
    for i in range(0, len(x), BLOCK):
        for j in range(0, len(y), BLOCK):
            k = _kernel(x[i : i + BLOCK], y[j : j + BLOCK])
            rows[i : i + BLOCK] += k.sum(axis=1)
            columns[j : j + BLOCK] += k.sum(axis=0)
            squares += float(np.vdot(k, k))
    return Sums(rows, columns, squares)


def within(vectors: Float[np.ndarray, "n d"]) -> Sums:
    """The sums of a set with itself: blocks above the diagonal stand for those below it too."""
    x = _centred(vectors, _origin(vectors))
    rows, squares = np.zeros(len(x)), 0.0
    for i in range(0, len(x), BLOCK):
        for j in range(i, len(x), BLOCK):
            k = _kernel(x[i : i + BLOCK], x[j : j + BLOCK])
            if i == j:
                np.fill_diagonal(k, 0)
            else:
                rows[j : j + BLOCK] += k.sum(axis=0)
            rows[i : i + BLOCK] += k.sum(axis=1)
            squares += float(np.vdot(k, k)) * (1 if i == j else 2)
    return Sums(rows, rows, squares)


def _centred_square_within(k: Sums) -> float:
    """Unbiased E[k~(x, x')^2], k~ centred in both arguments: Székely & Rizzo's U-centring (2014, arXiv 1310.2926)."""
    n = len(k.rows)
    total = k.rows.sum()
    squares = k.squares - 2 / (n - 2) * np.vdot(k.rows, k.rows) + total**2 / ((n - 1) * (n - 2))
    return float(squares / (n * (n - 3)))


def _centred_square_between(k: Sums) -> float:
    """Unbiased E[k~(x, y)^2]: the interaction of a two-way layout."""
    n, m = len(k.rows), len(k.columns)
    total = k.rows.sum()
    squares = k.squares - np.vdot(k.rows, k.rows) / m - np.vdot(k.columns, k.columns) / n + total**2 / (n * m)
    return float(squares) / ((n - 1) * (m - 1))


# -- the metric ------------------------------------------------------------------------------------------------------


def _reference_sums(inputs: MetricInputs) -> Sums:
    def arrays() -> Arrays:
        found = within(inputs.reference.vectors)
        return {"rows": found.rows, "squares": np.array([found.squares])}

    kept = inputs.lasting("kernel sums", arrays)
    return Sums(kept["rows"], kept["rows"], float(kept["squares"][0]))


def _kd(fakes: Fakes, inputs: MetricInputs) -> Values:
    found = kernel_distance(fakes.features.vectors, inputs.reference.vectors, _reference_sums(inputs))
    half = t_critical(LEVEL, min(found.n, found.n_ref) - 1) * found.standard_error
    return {"kd": Estimate(found.value, found.value - half, found.value + half)}


register_metric(
    Metric(
        name="kd",
        measure=_kd,
        better={"kd": "lower"},
        order=30,
        signed=("kd",),
        sentences={
            "en": {
                "kd": (
                    "Kernel distance: the difference between fakes and real images without a bias from n; by "
                    "chance it can fall just below 0."
                ),
            },
            "ko": {
                "kd": "커널 거리: 표본 수에 따른 치우침 없이 잰 가짜와 진짜의 차이입니다. 우연히 0보다 조금 작아질 수 있습니다.",
            },
        },
    )
)
