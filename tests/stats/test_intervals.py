"""Quantiles and intervals against scipy, and their coverage against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganvas.errors import GanvasError, UsageError
from ganvas.stats import intervals
from ganvas.stats.intervals import beta_cdf, beta_quantile, binomial_interval, t_critical, t_interval

positive = st.floats(0.05, 5e4)


@settings(max_examples=150, deadline=None)
@given(st.floats(0, 1), positive, positive)
def test_the_incomplete_beta_function_is_scipys(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-8, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 0.999), st.floats(0.5, 5e3), st.floats(0.5, 5e3))
def test_the_quantile_is_scipys_and_undoes_the_distribution(p: float, a: float, b: float) -> None:
    x = beta_quantile(p, a, b)
    assert x == pytest.approx(stats.beta.ppf(p, a, b), rel=1e-9)
    assert beta_cdf(x, a, b) == pytest.approx(p, abs=1e-8)


def test_outside_of_0_to_1_nothing_is_left() -> None:
    for a, b in ((0.5, 0.5), (1, 3), (40, 2)):
        assert [beta_cdf(x, a, b) for x in (-1.0, 0.0, 1.0, 2.0)] == [0, 0, 1, 1]


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (0.5, 2), (3, 18), (872, 129)])
def test_a_quantile_takes_few_steps(monkeypatch: pytest.MonkeyPatch, a: float, b: float) -> None:
    """Bisection alone takes 53 and more."""
    asked: list[float] = []
    monkeypatch.setattr(intervals, "beta_cdf", lambda x, *rest: asked.append(x) or beta_cdf(x, *rest))
    for p in (0.025, 0.5, 0.975):
        asked.clear()
        assert beta_quantile(p, a, b) == pytest.approx(stats.beta.ppf(p, a, b), rel=1e-9)
        assert len(asked) <= 50 and all(0 < x < 1 for x in asked)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("dof", [1, 2, 4, 9, 99, 9_999, 999_999])
def test_the_critical_t_is_scipys(dof: int, level: float) -> None:
    assert t_critical(level, dof) == pytest.approx(stats.t.ppf((1 + level) / 2, dof), rel=1e-8)


def test_one_and_two_degrees_of_freedom_have_closed_forms() -> None:
    assert t_critical(0.95, 1) == pytest.approx(math.tan(math.pi / 2 * 0.95), rel=1e-12)
    assert t_critical(0.95, 2) == pytest.approx(0.95 * math.sqrt(2 / (1 - 0.95**2)), rel=1e-12)


@pytest.mark.parametrize("m", [5, 6, 50])
def test_the_interval_of_a_mean_is_scipys(m: int) -> None:
    values = np.random.default_rng(m).normal(7, 3, m)
    found = t_interval(values)
    low, high = stats.t.interval(0.95, m - 1, values.mean(), stats.sem(values))
    assert found == pytest.approx((values.mean(), low, high), rel=1e-10)
    assert t_interval(list(values[::-1])) == pytest.approx(found, rel=1e-12)
    wider = t_interval(values, 0.99)
    assert wider.low < found.low < found.high < wider.high


def test_equal_values_leave_no_doubt() -> None:
    assert t_interval([2.5] * 5) == (2.5, 2.5, 2.5)


def test_19_of_20_intervals_hold_the_mean() -> None:
    draws = np.random.default_rng(0).normal(1, 2, (400, 5))
    held = sum(low <= 1 <= high for _, low, high in map(t_interval, draws))
    assert stats.binomtest(held, 400, 0.95).pvalue > 0.01


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (3, 20), (871, 1000), (9_312, 10_000)])
def test_the_interval_of_a_share_is_scipys(hits: int, n: int) -> None:
    for level in (0.9, 0.95, 0.99):
        exact = stats.binomtest(hits, n).proportion_ci(level, method="exact")
        assert binomial_interval(hits, n, level) == pytest.approx((hits / n, exact.low, exact.high), rel=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_the_interval_of_a_share_covers_at_least_its_level(share: float) -> None:
    n = 25
    held = [low <= share <= high for _, low, high in (binomial_interval(hits, n) for hits in range(n + 1))]
    assert stats.binom.pmf(np.flatnonzero(held), n, share).sum() >= 0.95


def test_no_hits_in_n_bound_the_share_by_the_rule_of_three() -> None:
    assert binomial_interval(0, 1000, 0.9).high == pytest.approx(1 - 0.05**0.001, rel=1e-9)
    assert binomial_interval(0, 1000, 0.9).high == pytest.approx(3 / 1000, rel=0.01)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 3.0, 4.0]])
def test_fewer_than_five_values_have_no_interval(values: list[float]) -> None:
    with pytest.raises(UsageError, match=rf"^an interval needs at least 5 values, found {len(values)}: [^\n]+$"):
        t_interval(values)


def test_a_table_is_no_row_of_values() -> None:
    with pytest.raises(UsageError, match="at least 5 values"):
        t_interval(np.ones((6, 2)))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_value_that_is_no_number_is_named(bad: float) -> None:
    with pytest.raises(GanvasError, match=r"^an interval needs finite values, 1 of 6 are NaN or infinite$"):
        t_interval([1.0, 2.0, 3.0, 4.0, 5.0, bad])


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_a_share_of_nothing_is_refused(hits: int, n: int) -> None:
    with pytest.raises(UsageError, match=rf"found {hits} of {n}$"):
        binomial_interval(hits, n)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(UsageError, match=f"such as 0.95; found {level}$"):
        t_interval([1.0, 2.0, 3.0, 4.0, 5.0], level)
    with pytest.raises(UsageError, match=f"found {level}$"):
        binomial_interval(1, 2, level)
