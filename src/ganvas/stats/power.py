"""What Welch's test can detect: its power, the minimum detectable difference, and the seeds that a difference needs.

Exact for normal scores, also with few seeds. The test estimates both spreads, so its threshold is random: with three
seeds a side a power of 0.80 by fixed degrees of freedom is 0.70 in truth.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ganvas.stats.intervals import t_critical
from ganvas.stats.welch import LEAST_SEEDS

POWER = 0.8
MOST_SEEDS = 1000
ANGLES, RADII = 40, 320  # nodes of the integral over both sample variances: the power is off by less than 1e-3
KNOTS = 12
REACH = 8.5  # standard deviations of a chi variable that the integral covers

Array = NDArray[np.float64]


def power(difference: float, spreads: tuple[float, float], seeds: tuple[int, int], alpha: float) -> float:
    """How often Welch's test at `alpha` calls a true difference of two means; two-sided.

    `spreads` are the true standard deviations of both sides (not both 0), `seeds` their sizes (2 or more). The
    difference of the means is normal and independent of both sample variances, so the power is the mean over these of
    the normal tails beyond the test's threshold t(alpha, dof) * error, in which dof and error are those of the sample.
    It is the mixture of noncentral t distributions of Jan and Shieh 2011 (Behavior Research Methods 43:1014).
    """
    thresholds, weights = _thresholds(spreads, seeds, alpha)
    shift = abs(difference) / _error(spreads, seeds)
    return float(((_normal(shift - thresholds) + _normal(-shift - thresholds)) * weights).sum())


def detectable(spreads: tuple[float, float], seeds: tuple[int, int], alpha: float, wanted: float = POWER) -> float:
    """The smallest true difference that such a design calls with the `wanted` power. Arguments as for `power`."""
    error = _error(spreads, seeds)
    low, high = 0.0, error
    while power(high, spreads, seeds, alpha) < wanted:
        low, high = high, 2 * high
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle, spreads, seeds, alpha) < wanted else (low, middle)
    return high


def seeds_needed(difference: float, spreads: tuple[float, float], alpha: float, wanted: float = POWER) -> int | None:
    """Seeds a side with which a true difference of this size is called with the `wanted` power.

    `spreads` are both sides' standard deviations between seeds. None for more than MOST_SEEDS.
    """
    if difference == 0 or max(spreads) == 0:
        return None
    low, high = LEAST_SEEDS - 1, LEAST_SEEDS
    while power(difference, spreads, (high, high), alpha) < wanted:
        low, high = high, 2 * high
        if low > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = power(difference, spreads, (middle, middle), alpha) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    return high if high <= MOST_SEEDS else None


# -- the integral ----------------------------------------------------------------------------------------------


def _error(spreads: tuple[float, float], seeds: tuple[int, int]) -> float:
    """The true standard error of the difference."""
    return math.hypot(*(spread / math.sqrt(n) for spread, n in zip(spreads, seeds, strict=True)))


@cache
def _thresholds(spreads: tuple[float, float], seeds: tuple[int, int], alpha: float) -> tuple[Array, Array]:
    """Differences, in true standard errors, beyond which the test calls, and their weights, which add up to 1."""
    a, b = (n - 1 for n in seeds)
    shares = [(spread / _error(spreads, seeds)) ** 2 / n for spread, n in zip(spreads, seeds, strict=True)]
    # x = r cos, y = r sin: the angle's density is cos^(a-1) sin^(b-1), the radius is chi with a + b degrees of freedom
    centre = math.atan(math.sqrt(b / a))
    reach = REACH / math.sqrt(2 * (a + b))
    nodes, weights = _gauss(ANGLES)
    low, high = max(0.0, centre - reach), min(math.pi / 2, centre + reach)
    angle = low + (high - low) * (nodes + 1) / 2
    angle_weight = _weights((a - 1) * np.log(np.cos(angle)) + (b - 1) * np.log(np.sin(angle)), weights)
    low, high = max(0.0, math.sqrt(a + b) - REACH), math.sqrt(a + b) + REACH
    radius = low + (high - low) * (np.arange(RADII) + 0.5) / RADII
    radius_weight = _weights((a + b - 1) * np.log(radius) - radius**2 / 2)
    parts = shares[0] * np.cos(angle) ** 2 / a, shares[1] * np.sin(angle) ** 2 / b  # of the variance, by r^2
    error = np.sqrt(parts[0] + parts[1])
    share = parts[0] / (parts[0] + parts[1])
    limit = _critical(share**2 / a + (1 - share) ** 2 / b, alpha) * error
    return np.outer(limit, radius).ravel(), np.outer(angle_weight, radius_weight).ravel()


_gauss = cache(np.polynomial.legendre.leggauss)


def _weights(logs: Array, of_nodes: Array | float = 1.0) -> Array:
    """The weight of each node, from the logarithm of a density up to a constant."""
    weights = of_nodes * np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _critical(inverse_dof: Array, alpha: float) -> Array:
    """t_critical(1 - alpha, 1 / inverse_dof) for many degrees of freedom, 1 or more: a polynomial through its log."""
    return np.asarray(np.exp(_log_critical(alpha)(inverse_dof)))


@cache
def _log_critical(alpha: float) -> np.polynomial.Chebyshev:
    return np.polynomial.Chebyshev.interpolate(
        lambda x: np.array([math.log(t_critical(1 - alpha, 1 / each)) for each in x]), KNOTS, domain=(0, 1)
    )


def _normal(x: Array) -> Array:
    """The standard normal distribution function, from a table; off by less than 2e-7."""
    return np.interp(x, *_table())


@cache
def _table() -> tuple[Array, Array]:
    at = np.linspace(-8, 8, 8_001)
    return at, np.array([math.erfc(-each / math.sqrt(2)) / 2 for each in at])
