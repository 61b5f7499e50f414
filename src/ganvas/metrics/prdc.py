"""Fidelity and diversity apart: precision and recall, density and coverage, from distances to nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from ganvas.errors import UsageError
from ganvas.metrics.frechet import comparable

ROWS = 512
COLUMNS = 2048
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

    Memory is bounded by blocks of 512 rows. `real_radii` = radii(real, k), where many sets meet the same reals. Raises
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
    for rows, squared in _squared_distances(real, fake, origin):
        inside = squared <= real_radii[rows, None]
        precise |= inside.any(axis=0)
        balls += int(np.count_nonzero(inside))
        covered += int(np.count_nonzero(inside.any(axis=1)))
        recalled += int(np.count_nonzero((squared <= fake_radii).any(axis=1)))
    return PRDC(float(precise.mean()), recalled / m, balls / (k * n), covered / m)


def radii(real: Float[np.ndarray, "m d"], k: int = 5) -> Float64[np.ndarray, "m"]:
    """Squared distance of each real image to its k-th nearest fellow."""
    if not 1 <= k < len(real):
        raise UsageError(f"k = {k} neighbours among {len(real)} reals: k must be at least 1, and less than that")
    return _squared_radii(real, real.sum(axis=0, dtype=np.float64) / len(real), k)


def _squared_radii(x: np.ndarray, origin: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each x to its k-th nearest fellow, widened by rounding so that ties are inside."""
    radii = np.empty(len(x))
    for rows, squared in _squared_distances(x, x, origin):
        own = np.arange(rows.start, rows.stop)
        squared[own - rows.start, own] = np.inf
        squared.partition(k - 1, axis=1)
        norms = np.sum((x[rows] - origin) ** 2, axis=1)
        radii[rows] = squared[:, k - 1] + TIE * (squared[:, k - 1] + norms)
    return radii


def _squared_distances(x: np.ndarray, y: np.ndarray, origin: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of rows of |x - y|^2 [rows, len(y)], in float64."""
    for start in range(0, len(x), ROWS):
        rows = slice(start, min(start + ROWS, len(x)))
        left = x[rows] - origin
        squared = np.empty((len(left), len(y)))
        for j in range(0, len(y), COLUMNS):
            right = y[j : j + COLUMNS] - origin
            block = squared[:, j : j + COLUMNS]
            np.matmul(left, right.T, out=block)
            block *= -2
            block += np.sum(left**2, axis=1)[:, None]
            block += np.sum(right**2, axis=1)
        yield rows, np.maximum(squared, 0, out=squared)
