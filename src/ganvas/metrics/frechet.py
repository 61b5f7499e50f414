"""How far apart two sets of features are, each taken for a Gaussian: the Fréchet distance, FID under Inception."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics.classes import Classes
from ganvas.metrics.registry import Fakes, Metric, MetricInputs, Values, enough_images, register_metric

BLOCK = 4096
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Moments:
    """All that the Fréchet distance knows of a set of features: what a cache of reference statistics holds."""

    mean: Float64[np.ndarray, "d"]
    covariance: Float64[np.ndarray, "d d"]
    """Unbiased: divided by n - 1."""
    n: int
    """Images that they come from."""


@dataclass(frozen=True)
class Extrapolation:
    """A straight line through Fréchet distances over 1/n, read where 1/n is zero."""

    value: float
    """The distance that infinitely many images are expected to have; noise may put it below zero."""
    standard_error: float
    """How well the points fix the line. They share their images, so this is about half of the true error."""
    sizes: Int64[np.ndarray, "points"]
    values: Float64[np.ndarray, "points"]
    """The distance of each size."""


def comparable(fake: np.ndarray, real: np.ndarray) -> None:
    """Raise GanvasError unless both are [images, d] with one d, not empty, and finite."""
    for name, vectors in (("fake", fake), ("real", real)):
        if vectors.ndim != 2 or not vectors.size:
            raise GanvasError(
                f"{name} features of shape {vectors.shape}: [images, dimensions] is needed, none of them 0"
            )
        finite(vectors, f"{name} features")
    if fake.shape[1] != real.shape[1]:
        raise GanvasError(
            f"features of {fake.shape[1]} and of {real.shape[1]} dimensions: one extractor must have made both"
        )


def finite(numbers: np.ndarray, name: str) -> None:
    """Raise GanvasError where NaN or infinity is among the numbers."""
    with np.errstate(invalid="ignore"):
        total = np.sum(numbers, dtype=np.float64)
    if not np.isfinite(total):
        raise GanvasError(f"{name}: NaN or infinity among {numbers.shape} numbers; look at the images they come from")


def moments(vectors: Float[np.ndarray, "n d"], *, singular_ok: bool = False) -> Moments:
    """Mean and unbiased covariance of features, in float64, block by block after a first pass for the mean.

    n <= d images leave directions without any variance, and a Fréchet distance that mostly measures n. That is refused
    with UsageError unless `singular_ok`; fewer than 2 images always are. Raises GanvasError for NaN and infinity.
    """
    n, d = vectors.shape
    if n < 2 or (n <= d and not singular_ok):
        least = 2 if singular_ok else d + 1
        raise UsageError(
            f"n = {n} images for {d}-d features: at least {least} are needed, or features of fewer dimensions"
        )
    finite(vectors, "features")
    mean = vectors.sum(axis=0, dtype=np.float64) / n
    scatter = np.zeros((d, d))
    for start in range(0, n, BLOCK):
        centred = vectors[start : start + BLOCK] - mean
        scatter += centred.T @ centred
    return Moments(mean, scatter / (n - 1), n)


def frechet_distance(a: Moments, b: Moments) -> float:
    """|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), in squared units of the features; 0 is the best.

    The squared 2-Wasserstein distance between two Gaussians: Dowson & Landau (1982), "The Fréchet distance between
    multivariate normal distributions", Journal of Multivariate Analysis 12(3), eq. 4; for generated images Heusel et
    al. (2017), "GANs trained by a two time-scale update rule", arXiv 1706.08500, eq. 6.

    With C_a = A A' and C_b = B B' the last trace is the sum of the singular values of A'B. They are real whatever the
    rounding, and as exact where a covariance is singular: eigenvalues of the product would lose half of their digits.

    Raises GanvasError where the dimensions differ, where a number is NaN or infinite, and for what is no covariance.
    """
    return _distance(a, _factor(a), b, _factor(b))


def frechet_infinity(
    vectors: Float[np.ndarray, "n d"], reference: Moments, *, points: int = 15, seed: int
) -> Extrapolation:
    """The Fréchet distance freed of its bias in the number of fakes: a line through its values over 1/n.

    Chong & Forsyth (2020), "Effectively unbiased FID and Inception Score and where to find them", arXiv 1911.07023,
    section 4: `points` sizes at equal steps up to n, a fresh random subset of the features for each, least squares. The
    smallest is n / 10 as there (5,000 of 50,000), but no less than 4 d or n / 2, whichever comes first: nearer to d the
    bias bends away from the line, which then takes off too much: on Gaussians 20 % too much with d, 5 % with 2 d.

    `standard_error` is that of least squares; on Gaussians value ± 1.96 of it held the truth 60 to 80 times in 100. An
    interval that may be believed comes from fresh sets of images.

    Raises UsageError for fewer than 4 d images and fewer than 3 points, GanvasError as `frechet_distance` does.
    """
    n, d = vectors.shape
    if n < 4 * d:
        raise UsageError(f"n = {n} images for {d}-d features: extrapolating needs at least {4 * d}")
    if points < 3:
        raise UsageError(f"points = {points}: a line with an error needs at least 3")
    rng = np.random.default_rng(seed)
    sizes = np.linspace(max(n // 10, min(4 * d, n // 2)), n, points).astype(np.int64)
    factor, moments_of = _factor(reference), _moments_of_subsets(vectors)
    values = np.empty(points)
    for i, size in enumerate(sizes):
        subset = moments_of(np.sort(rng.permutation(n)[:size]))
        values[i] = _distance(subset, _factor(subset), reference, factor)
    design = np.stack([np.ones(points), 1 / sizes], axis=1)
    line, *_ = np.linalg.lstsq(design, values)
    residual_variance = np.sum((values - design @ line) ** 2) / (points - 2)
    error = np.sqrt(residual_variance * np.linalg.inv(design.T @ design)[0, 0])
    return Extrapolation(float(line[0]), float(error), sizes, values)


def _moments_of_subsets(vectors: np.ndarray) -> Callable[[np.ndarray], Moments]:
    """Rows -> their moments. Those of most of the rows are those of all less those of the few others: less to add up."""
    finite(vectors, "features")
    n = len(vectors)
    mean = vectors.sum(axis=0, dtype=np.float64) / n

    def sums(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scatter, shift = np.zeros((len(mean), len(mean))), np.zeros(len(mean))
        for start in range(0, len(rows), BLOCK):
            centred = vectors[rows[start : start + BLOCK]] - mean
            scatter += centred.T @ centred
            shift += centred.sum(axis=0)
        return scatter, shift

    total, _ = sums(np.arange(n))

    def moments_of(rows: np.ndarray) -> Moments:
        size = len(rows)
        if most := 2 * size > n:
            rows = np.setdiff1d(np.arange(n), rows, assume_unique=True)
        scatter, shift = sums(rows)
        if most:
            scatter, shift = total - scatter, -shift
        scatter -= np.outer(shift, shift) / size
        return Moments(mean + shift / size, scatter / (size - 1), size)

    return moments_of


def _distance(a: Moments, A: np.ndarray, b: Moments, B: np.ndarray) -> float:
    """The distance, given factors A A' and B B' of the covariances."""
    if len(a.mean) != len(b.mean):
        raise GanvasError(
            f"features of {len(a.mean)} and of {len(b.mean)} dimensions: one extractor must have made both"
        )
    fidelity = np.linalg.svd(A.T @ B, compute_uv=False).sum()
    apart = np.sum((a.mean - b.mean) ** 2)
    return max(0.0, float(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * fidelity))


def _factor(a: Moments) -> np.ndarray:
    """Some F [d, rank] with F F' = covariance.

    Cholesky's where the covariance is safely positive definite; else from its eigenvectors, without those whose
    eigenvalues are rounding: a square root would lift an error of 1e-16 to 1e-8.
    """
    finite(a.mean, "mean of features")
    finite(a.covariance, "covariance of features")
    scale = np.abs(a.covariance).max()
    if np.abs(a.covariance - a.covariance.T).max() > 1e-6 * scale:
        raise GanvasError("covariance of features: not symmetric; make these statistics again")
    negligible = len(a.mean) * EPSILON
    try:
        root = np.linalg.cholesky(a.covariance)
    except np.linalg.LinAlgError:
        pass
    else:
        if a.n > len(a.mean) and np.all(np.diag(root) ** 2 > negligible * np.diag(a.covariance)):
            return root
    eigenvalues, eigenvectors = np.linalg.eigh(a.covariance)
    if eigenvalues[0] < -1e-6 * scale:
        raise GanvasError("covariance of features: has a negative eigenvalue; make these statistics again")
    kept = eigenvalues > negligible * eigenvalues[-1]
    kept[: max(0, len(kept) - (a.n - 1))] = False  # n images span n - 1 dimensions; what else is there is rounding
    return np.asarray(eigenvectors[:, kept] * np.sqrt(eigenvalues[kept]))


# -- the metric ------------------------------------------------------------------------------------------------------


def _reference_moments(inputs: MetricInputs) -> Moments:
    return inputs.once("moments", lambda: moments(inputs.reference.vectors))


def _fd(fakes: Fakes, inputs: MetricInputs) -> Values:
    return {"fd": frechet_distance(moments(fakes.features.vectors), _reference_moments(inputs))}


def _fd_infinity(fakes: Fakes, inputs: MetricInputs) -> Values:
    return {"fd_infinity": frechet_infinity(fakes.features.vectors, _reference_moments(inputs), seed=fakes.seed).value}


def _four_times(inputs: MetricInputs, n: int, intended: Classes | None) -> str | None:
    return enough_images(inputs, n, intended) or enough_images(inputs, n, intended, 4)


register_metric(
    Metric(
        name="fd",
        measure=_fd,
        better={"fd": "lower"},
        order=10,
        missing=enough_images,
        sentences={
            "en": {
                "fd": (
                    "Fréchet distance: how far the features of fakes and of real images lie apart, in mean "
                    "and spread. A finite sample never reaches 0."
                ),
            },
            "ko": {
                "fd": "프레셰 거리(Fréchet distance): 가짜와 진짜의 특징이 평균과 퍼짐에서 얼마나 떨어져 있는지 잽니다. 표본이 유한하면 0이 되지 않습니다.",
            },
        },
    )
)

register_metric(
    Metric(
        name="fd_infinity",
        measure=_fd_infinity,
        better={"fd_infinity": "lower"},
        order=20,
        missing=_four_times,
        signed=("fd_infinity",),
        sentences={
            "en": {
                "fd_infinity": (
                    "The Fréchet distance extrapolated to infinitely many fakes, which takes away most of "
                    "the bias of a small sample."
                ),
            },
            "ko": {
                "fd_infinity": "프레셰 거리를 가짜가 무한히 많을 때의 값으로 외삽하여, 표본이 적어 생기는 치우침을 대부분 없앤 값입니다.",
            },
        },
    )
)
