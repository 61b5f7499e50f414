"""The trend's slope is least squares, and its interval may be believed on autocorrelated curves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ganvas.stats.trend import trend


def autoregressive(n: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(size=n + 200)
    for t in range(1, len(noise)):
        noise[t] += correlation * noise[t - 1]
    return noise[200:]


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_the_interval_covers_the_true_slope(correlation: float) -> None:
    """300 curves of 1000 rows: 95 % of intervals should hold the slope; between 90 and 99 % is asked for."""
    rng = np.random.default_rng(0)
    x, slope, held = np.linspace(0, 50, 1000), -0.004, 0
    for _ in range(300):
        found = trend(x, 0.9 + slope * x + 0.02 * autoregressive(len(x), correlation, rng))
        assert found is not None
        held += found.low <= slope <= found.high
    assert 270 <= held <= 297


def test_the_slope_is_least_squares_after_the_first_tenth() -> None:
    rng = np.random.default_rng(1)
    x = np.linspace(0, 20, 400)
    y = 0.9 - 0.01 * x + rng.normal(0, 0.01, 400)
    y[x < 2] = 5
    found = trend(x, y)
    assert found is not None
    expected = np.polyfit(x[x >= 2], y[x >= 2], 1)
    assert found.slope == pytest.approx(expected[0])
    assert found.at(7) == pytest.approx(np.polyval(expected, 7))
    assert found.n == (x >= 2).sum()


@pytest.mark.parametrize("change", ["none", "few", "one place"])
def test_too_little_is_no_trend(change: str) -> None:
    count = {"none": 0, "few": 40, "one place": 100}[change]
    x = np.zeros(count) if change == "one place" else np.linspace(0, 5, count)
    assert trend(x, np.ones(count)) is None


@pytest.mark.parametrize(("start", "end", "noise", "verdict"), [
    (0.9, 0.6, 0.01, "falling"), (0.9, 0.45, 0.01, "falling"), (0.55, 0.3, 0.01, "falling_away"),
    (0.7, 0.95, 0.01, "rising"), (0.2, 0.45, 0.01, "rising_towards"),
    (0.8, 0.799, 0.2, "none"), (1.0, 1.0, 0.0, "none"),
])  # fmt: skip
def test_verdicts(start: float, end: float, noise: float, verdict: str) -> None:
    x = np.linspace(0, 50, 500)
    found = trend(x, start + (end - start) * x / 50 + np.random.default_rng(0).normal(0, 1, 500) * noise)
    assert found is not None
    assert found.verdict == verdict


def test_the_interval_is_students_over_ten_blocks() -> None:
    rng = np.random.default_rng(2)
    x = np.linspace(0, 30, 500)
    y = 0.8 - 0.004 * x + rng.normal(0, 0.05, 500)
    found = trend(x, y)
    assert found is not None
    late = x >= 3
    blocks = [np.array([b.mean() for b in np.array_split(v[late], 10)]) for v in (x, y)]
    fit = stats.linregress(*blocks)
    half = stats.t.ppf(0.975, 8) * fit.stderr
    assert (found.high - found.slope, found.slope - found.low) == pytest.approx((half, half))


def test_rows_that_are_no_numbers_are_left_out() -> None:
    x = np.linspace(0, 30, 500)
    y = 0.8 - 0.004 * x + np.random.default_rng(3).normal(0, 0.05, 500)
    bad = np.arange(500) % 50 == 7
    assert trend(x, np.where(bad, np.nan, y)) == trend(x[~bad], y[~bad])
    assert trend(x, np.full(500, np.nan)) is None
