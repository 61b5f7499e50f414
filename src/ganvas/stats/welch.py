"""Two groups of seeds, one number each: Welch's test, Holm's correction, and intervals that agree with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ganvas.errors import GanvasError, UsageError
from ganvas.stats.intervals import LEVEL, beta_cdf, t_critical

LEAST_SEEDS = 3  # on either side: with fewer, the spread that a verdict rests on is a guess


class Difference(NamedTuple):
    """mean(b) - mean(a), its interval, and how often as large a one comes of no difference at all."""

    value: float
    low: float
    high: float
    p: float
    dof: float
    error: float
    """Standard error of the value."""

    def at(self, level: float) -> Difference:
        """The same difference with the interval of another level; without one (NaN) where there is no test."""
        half = t_critical(level, self.dof) * self.error if math.isfinite(self.dof) else math.nan
        return self._replace(low=self.value - half, high=self.value + half)


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
    dof = 1 / sum((part / sum(parts)) ** 2 / (len(side) - 1) for part, side in zip(parts, sides, strict=True))
    return Difference(value, math.nan, math.nan, two_sided(value / error, dof), dof, error).at(level)


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


def holm_levels(ps: Sequence[float], alpha: float) -> list[float]:
    """The confidence level of the interval beside each of m tests, such that it leaves out 0 exactly where Holm calls.

    1 - alpha / m (Bonferroni; Dunn 1961, JASA 56:52): with a probability of at least 1 - alpha all such intervals hold
    their true differences, however the tests depend on each other. Holm's later steps compare p with more than
    alpha / m; what only they call gets the level of its step, 1 - alpha / (m - rank). There the intervals together hold
    a little less (docs/compare.md): those that keep the whole 1 - alpha and agree with Holm say nothing of the size of
    what is called, unless everything is (Guilbaud 2008, Biometrical Journal 50:678). NaN where p is NaN.
    """
    made = [p for p in ps if not math.isnan(p)]
    order, levels = sorted(made), []
    called = sum(adjusted < alpha for adjusted in holm(made))
    for p in ps:
        steps = len(made) - (order.index(p) if p in order[:called] and p * len(made) >= alpha else 0)
        levels.append(math.nan if math.isnan(p) else 1 - alpha / steps)
    return levels
