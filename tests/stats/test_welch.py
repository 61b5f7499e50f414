"""The test, its correction and its power, against worked figures, integrals and simulation."""

import math

import numpy as np
import pytest

from ganvas.errors import GanvasError, UsageError
from ganvas.stats.welch import detectable, holm, power, seeds_needed, two_sided, welch


def density(t: np.ndarray, dof: float) -> np.ndarray:
    """Student's density, from its definition."""
    log = math.lgamma((dof + 1) / 2) - math.lgamma(dof / 2) - 0.5 * math.log(dof * math.pi)
    return np.exp(log - (dof + 1) / 2 * np.log1p(t * t / dof))


@pytest.mark.parametrize(("t", "dof"), [(0.3, 1.7), (2.0, 2.31), (2.776445, 4.0), (-5.0, 9.5)])
def test_p_is_the_area_under_students_density(t: float, dof: float) -> None:
    inside = np.linspace(-abs(t), abs(t), 200_001)
    assert two_sided(t, dof) == pytest.approx(1 - np.trapezoid(density(inside, dof), inside), abs=1e-8)


def test_welch_on_a_worked_example() -> None:
    a, b = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9], [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0]
    va, vb = np.var(a, ddof=1) / 6, np.var(b, ddof=1) / 8
    found = welch(a, b)
    assert found.value == pytest.approx(np.mean(b) - np.mean(a))
    assert found.dof == pytest.approx((va + vb) ** 2 / (va**2 / 5 + vb**2 / 7))
    assert found.error == pytest.approx(math.sqrt(va + vb))
    assert found.p == pytest.approx(two_sided(found.value / found.error, found.dof))
    assert (found.low + found.high) / 2 == pytest.approx(found.value)
    assert two_sided((found.high - found.value) / found.error, found.dof) == pytest.approx(0.05)


def test_which_side_is_named_first_only_turns_the_sign() -> None:
    there, back = welch([1, 2, 4], [5, 5.5, 9]), welch([5, 5.5, 9], [1, 2, 4])
    assert (there.value, there.p, there.dof) == pytest.approx((-back.value, back.p, back.dof))


def test_equal_seeds_tell_nothing() -> None:
    found = welch([0.0, 0.0, 0.0], [0.1, 0.1, 0.1])
    assert found.value == pytest.approx(0.1) and math.isnan(found.p) and math.isnan(found.low)


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0, 2.0]), ([], [1.0, 2.0])])
def test_one_seed_is_too_few(a: list[float], b: list[float]) -> None:
    with pytest.raises(UsageError, match="two seeds a side"):
        welch(a, b)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(GanvasError, match="finite"):
        welch([1.0, math.nan], [1.0, 2.0])


def test_holm_on_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_holm_counts_only_tests_that_were_made() -> None:
    adjusted = holm([math.nan, 0.02, math.nan, 0.01])
    assert adjusted[1::2] == pytest.approx([0.02, 0.02]) and math.isnan(adjusted[0])


def test_power_without_a_difference_is_alpha() -> None:
    for dof in (1.0, 2.3, 4.0, 30.0, 500.0):
        assert power(0.0, 1.0, dof, 0.05) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(("difference", "seeds", "alpha"), [(2.0, 3, 0.05), (3.0, 3, 0.01), (1.0, 8, 0.05)])
def test_power_is_how_often_the_test_calls_in_simulation(difference: float, seeds: int, alpha: float) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40_000, seeds))
    error = np.sqrt((a.var(1, ddof=1) + b.var(1, ddof=1)) / seeds)
    t = np.abs(b.mean(1) + difference - a.mean(1)) / error
    dof = 2 * seeds - 2  # equal spreads and sizes: the pooled test, whose t has exactly these
    limit = next(x for x in np.arange(0, 60, 0.001) if two_sided(x, dof) < alpha)
    told = power(difference, math.sqrt(2 / seeds), dof, alpha)
    assert told == pytest.approx((t > limit).mean(), abs=0.01)


def test_the_detectable_difference_has_the_wanted_power() -> None:
    found = detectable(0.7, 4.0, 0.05)
    assert power(found, 0.7, 4.0, 0.05) == pytest.approx(0.8, abs=1e-6)


def test_how_many_seeds_would_do_is_as_in_the_tables() -> None:
    # Cohen 1988, table 2.4.1 (two-sided 5 %, power 0.8): d = 1 needs 17 a side, d = 0.5 needs 64, d = 0.2 needs 394
    assert [seeds_needed(d, (1.0, 1.0), 0.05) for d in (1.0, 0.5, 0.2)] == [17, 64, 394]
    assert seeds_needed(0.01, (1.0, 1.0), 0.05) is None
    assert seeds_needed(0.0, (1.0, 1.0), 0.05) is None and seeds_needed(1.0, (0.0, 0.0), 0.05) is None
    assert seeds_needed(50.0, (1.0, 1.0), 0.05) == 3
