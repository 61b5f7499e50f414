"""How sure a number is: Student's t over repeated measurements, Clopper and Pearson for shares.

Both need one special function, the regularised incomplete beta function, so it is here and scipy is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import NamedTuple

import numpy as np

from ganvas.errors import GanvasError, UsageError

LEVEL = 0.95
MINIMUM = 5  # values below which no interval is given
PRECISION = 1e-15

Real = float | int


class Estimate(NamedTuple):
    """A number and the interval that holds its true value in LEVEL of all repetitions."""

    value: float
    low: float
    high: float


def t_interval(values: Sequence[float] | np.ndarray, level: float = LEVEL) -> Estimate:
    """The mean of m >= 5 independent values and its interval, mean -+ t(level, m - 1) s / sqrt(m) (Student 1908).

    The values are one metric on m disjoint or freshly drawn sample sets, or one value for each image where the metric
    is a mean over images. What the interval covers is the metric's mean over sets *of that size*. A Fréchet distance,
    an Inception Score and whatever else is biased in n is another quantity on n / 5 images than on n, so chopping one
    set of n into five brackets the wrong number: the only honest interval around such a value on n images comes from
    at least five fresh sets of the same n.

    Raises UsageError for fewer than five values, GanvasError where one is NaN or infinite.
    """
    measured = np.asarray(values, np.float64)
    if measured.ndim != 1 or len(measured) < MINIMUM:
        raise UsageError(
            f"an interval needs at least {MINIMUM} values, found {measured.size}: measure more sample sets"
        )
    if not np.isfinite(measured).all():
        bad = int((~np.isfinite(measured)).sum())
        raise GanvasError(f"an interval needs finite values, {bad} of {len(measured)} are NaN or infinite")
    mean = float(measured.mean())
    half = t_critical(level, len(measured) - 1) * float(measured.std(ddof=1)) / math.sqrt(len(measured))
    return Estimate(mean, mean - half, mean + half)


def binomial_interval(hits: int, n: int, level: float = LEVEL) -> Estimate:
    """The share hits / n and its exact interval (Clopper and Pearson 1934, Biometrika 26:404).

    Its coverage is never below `level`; it is as valid for 0 or n hits as for half, which the normal one is not.
    Raises UsageError for n < 1 or hits outside 0 to n.
    """
    if n < 1 or not 0 <= hits <= n:
        raise UsageError(f"a share needs n >= 1 and 0 <= hits <= n, found {hits} of {n}")
    tail = (1 - _inside(level)) / 2
    low = beta_quantile(tail, hits, n - hits + 1) if hits else 0.0
    high = beta_quantile(1 - tail, hits + 1, n - hits) if hits < n else 1.0
    return Estimate(hits / n, low, high)


@cache
def t_critical(level: float, dof: Real) -> float:
    """The t with P(|T| < t) = level for Student's T with `dof` >= 1 degrees of freedom.

    T^2 / (dof + T^2) is Beta(1/2, dof/2); solving for that, and not for its complement, keeps the digits at large dof.
    """
    share = beta_quantile(_inside(level), 0.5, dof / 2)
    return math.sqrt(dof * share / (1 - share))


def beta_quantile(p: float, a: Real, b: Real) -> float:
    """The x in [0, 1] with beta_cdf(x, a, b) = p: Newton's steps within a bracket, every third one a bisection."""
    low, high, x = 0.0, 1.0, a / (a + b)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    for step in count(1):
        error = beta_cdf(x, a, b) - p
        low, high = (x, high) if error < 0 else (low, x)
        middle = (low + high) / 2
        if not low < middle < high:
            break
        density = math.exp((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - log_beta)
        newton = x - error / density if density else math.inf
        if abs(newton - x) <= PRECISION * x:
            return x
        x = newton if low < newton < high and step % 3 else middle
    return high


def beta_cdf(x: float, a: Real, b: Real) -> float:
    """The regularised incomplete beta function I_x(a, b) for 0 <= x <= 1 and a, b > 0 (DLMF 8.17.22).

    The continued fraction converges fast below the mean; above it, I_x(a, b) = 1 - I_{1-x}(b, a).
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    above = x > (a + 1) / (a + b + 2)
    if above:
        x, a, b = 1 - x, b, a
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta) / a
    tail = front / _continued_fraction(x, a, b)
    return 1 - tail if above else tail


def _continued_fraction(x: float, a: Real, b: Real) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)) with DLMF 8.17.23's d, from the front (Lentz 1976, Applied Optics 15:668)."""
    value, up, down, m = 1.0, 1.0, 0.0, 0
    while True:
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        m += 1
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        before = value
        for d in (odd, even):
            up, down = 1 + d / up, 1 / (1 + d * down)
            value *= up * down
        if abs(value - before) <= PRECISION * abs(value):
            return value


def _inside(level: float) -> float:
    if not 0 < level < 1:
        raise UsageError(f"a confidence level lies between 0 and 1, such as {LEVEL}; found {level}")
    return level
