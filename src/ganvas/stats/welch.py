"""Two groups of seeds, one number each: Welch's test, Holm's correction, and what the design could have seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import GanvasError, UsageError
from ganvas.stats.intervals import LEVEL, beta_cdf, t_critical

LEAST_SEEDS = 3  # on either side: with fewer, the spread that a verdict rests on is a guess
POWER = 0.8
MOST_SEEDS = 1000
POINTS = 500


class Difference(NamedTuple):
    """mean(b) - mean(a), its interval, and how often as large a one comes of no difference at all."""

    value: float
    low: float
    high: float
    p: float
    dof: float
    error: float
    """Standard error of the value."""


def welch(a: Sequence[float], b: Sequence[float], level: float = LEVEL) -> Difference:
    """The difference of two means whose spreads may differ (Welch 1947, Biometrika 34:28).

    t = (mean b - mean a) / sqrt(va / na + vb / nb), against Student's t with Satterthwaite's (1946) degrees of
    freedom. The values are one number a seed; resampling within a run tells nothing of training again.

    Where neither side varies at all there is nothing to judge a difference by: interval and p are NaN.
    Raises UsageError for fewer than two values a side, GanvasError where one is NaN or infinite.
    """
    sides = [np.asarray(side, np.float64) for side in (a, b)]
    if any(side.ndim != 1 or len(side) < 2 for side in sides):
        raise UsageError(f"a difference needs two seeds a side, found {len(a)} and {len(b)}")
    if not all(np.isfinite(side).all() for side in sides):
        raise GanvasError("a difference needs finite values, found NaN or infinity")
    value = float(sides[1].mean() - sides[0].mean())
    parts = [float(side.var(ddof=1)) / len(side) for side in sides]
    error = math.sqrt(sum(parts))
    if error <= 1e-12 * max(float(np.abs(side).max()) for side in sides):
        return Difference(value, math.nan, math.nan, math.nan, math.nan, 0.0)
    dof = sum(parts) ** 2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, sides, strict=True))
    half = t_critical(level, dof) * error
    return Difference(value, value - half, value + half, two_sided(value / error, dof), dof, error)


def two_sided(t: float, dof: float) -> float:
    """P(abs(T) >= abs(t)) for Student's T: I_x(dof / 2, 1 / 2) at x = dof / (dof + t^2)."""
    return beta_cdf(dof / (dof + t * t), dof / 2, 0.5)


def holm(ps: Sequence[float]) -> list[float]:
    """P values such that calling all below alpha errs at all with a probability of at most alpha.

    Holm 1979, Scand. J. Statist. 6:65: the smallest times their number, the next times one less, and never falling.
    NaN stands for a test that could not be made: it stays, and is not counted.
    """
    order = sorted((i for i, p in enumerate(ps) if not math.isnan(p)), key=lambda i: ps[i])
    adjusted, worst = [math.nan] * len(ps), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - rank) * ps[i]))
        adjusted[i] = worst
    return adjusted


def power(difference: float, error: float, dof: float, alpha: float) -> float:
    """How often Welch's test at `alpha` would call a true difference, given its standard error and dof.

    T = (difference / error + Z) / S with S^2 = chi^2_dof / dof: the normal tails beyond +-t S, averaged over S.
    """
    at, weights = _spread(dof)
    edge, shift = t_critical(1 - alpha, dof) * at, abs(difference) / error
    return float(np.sum((_normal(shift - edge) + _normal(-shift - edge)) * weights))


def detectable(error: float, dof: float, alpha: float, wanted: float = POWER) -> float:
    """The smallest true difference that such a design calls with the `wanted` power."""
    low, high = 0.0, 1.0
    while power(high * error, error, dof, alpha) < wanted:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle * error, error, dof, alpha) < wanted else (low, middle)
    return high * error


def seeds_needed(difference: float, spreads: tuple[float, float], alpha: float, wanted: float = POWER) -> int | None:
    """Seeds a side with which a true difference of this size is called with the `wanted` power.

    `spreads` are both sides' standard deviations between seeds. None for more than MOST_SEEDS.
    """
    low, high = LEAST_SEEDS - 1, LEAST_SEEDS

    def enough(m: int) -> bool:
        parts = [s * s / m for s in spreads]
        dof = sum(parts) ** 2 / sum(part**2 / (m - 1) for part in parts)
        return power(difference, math.sqrt(sum(parts)), dof, alpha) >= wanted

    if difference == 0 or max(spreads) == 0:
        return None
    while not enough(high):
        low, high = high, 2 * high
        if low > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high if high <= MOST_SEEDS else None


@cache
def _spread(dof: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of S = sqrt(chi^2_dof / dof), and the weight of each; the weights add up to 1."""
    reach = 8 / math.sqrt(2 * dof)  # standard deviations of S, nearly
    low, high = max(1 - reach, 0.0), 1 + reach
    at = low + (high - low) * (np.arange(POINTS) + 0.5) / POINTS
    logs = (dof - 1) * np.log(at) - dof * at**2 / 2
    density = np.exp(logs - logs.max())
    return at, density / density.sum()


def _normal(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard normal distribution function."""
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])
