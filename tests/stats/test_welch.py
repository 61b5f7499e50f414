"""The test, its correction and its intervals, against worked figures, integrals, scipy and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganvas.errors import GanvasError, UsageError
from ganvas.stats.welch import LEAST_SEEDS, holm, holm_levels, two_sided, welch


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
    assert math.isnan(found.dof) and found.error == 0
    assert math.isnan(welch([0.0, 0.0], [0.0, 0.0]).p)


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_a_spread_that_is_rounding_alone_is_none(size: float) -> None:
    """Whatever the size of the values: a relative spread of 1e-13 is none, one of 1e-10 is one."""
    rounding, small = ([size, size * (1 + relative)] for relative in (1e-13, 1e-10))
    assert math.isnan(welch(rounding, [1.1 * size] * 2).p)
    assert 0 < welch(small, [1.1 * size] * 2).p < 1e-6


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0, 2.0]), ([], [1.0, 2.0])])
def test_one_seed_is_too_few(a: list[float], b: list[float]) -> None:
    with pytest.raises(UsageError, match="two seeds a side"):
        welch(a, b)


@pytest.mark.parametrize("bad", [math.nan, -math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    for a, b in (([1.0, bad], [1.0, 2.0]), ([1.0, 2.0], [bad, 1.0])):
        with pytest.raises(GanvasError, match="finite"):
            welch(a, b)


def test_a_table_is_no_side() -> None:
    with pytest.raises(UsageError, match="two seeds a side"):
        welch(np.ones((3, 2)), [1.0, 2.0])  # type: ignore[arg-type]


def test_holm_on_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_holm_counts_only_tests_that_were_made() -> None:
    adjusted = holm([math.nan, 0.02, math.nan, 0.01])
    assert adjusted[1::2] == pytest.approx([0.02, 0.02]) and math.isnan(adjusted[0])


def test_no_value_is_too_small_or_too_large_for_degrees_of_freedom() -> None:
    plain = welch([1, 2, 4], [5, 5.5, 9])
    for scale in (1e-120, 1e120):
        found = welch([scale, 2 * scale, 4 * scale], [5 * scale, 5.5 * scale, 9 * scale])
        assert (found.dof, found.p) == pytest.approx((plain.dof, plain.p))


PS = st.lists(st.one_of(st.just(math.nan), st.floats(1e-6, 1), st.sampled_from([0.01, 0.02, 0.049])), max_size=7)


@settings(max_examples=200, deadline=None)
@given(PS)
def test_an_interval_of_holms_level_leaves_out_0_exactly_where_holm_calls(ps: list[float]) -> None:
    adjusted, levels = holm(ps), holm_levels(ps, 0.05)
    tests = sum(not math.isnan(p) for p in ps)
    for p, after, level in zip(ps, adjusted, levels, strict=True):
        if math.isnan(p):
            assert math.isnan(level)
        elif abs(after - 0.05) > 1e-12:
            assert (p < 1 - level) == (after < 0.05)  # an interval leaves out 0 where p is below 1 - its level
            assert 0.95 <= level <= 1 - 0.05 / tests + 1e-12
            assert level == pytest.approx(1 - 0.05 / tests) or 0.05 / tests <= p  # Bonferroni's, but for later steps


def test_holms_levels_on_worked_examples() -> None:
    """With an alpha of 0.05; Holm calls what is below it, 0.05 itself is not."""
    assert holm_levels([0.04, 0.01, math.nan, 0.02], 0.05)[3] == pytest.approx(1 - 0.05 / 2)
    assert holm_levels([0.04, 0.01, 0.02], 0.05) == pytest.approx([0.95, 1 - 0.05 / 3, 1 - 0.05 / 2])
    assert holm_levels([0.01, 0.025], 0.05) == pytest.approx([0.975, 0.95])  # 2 * 0.025 is not below 0.05
    assert holm_levels([0.01, 0.05], 0.05) == pytest.approx([0.975, 0.975])
    assert holm_levels([0.3, 0.2], 0.05) == pytest.approx([0.975, 0.975]) and holm_levels([], 0.05) == []


def test_a_verdict_needs_three_seeds() -> None:
    assert LEAST_SEEDS == 3  # two spreads of one degree of freedom each are a guess


def test_a_difference_at_another_level_is_scipys_interval() -> None:
    a, b = [3.1, 2.2, 2.9, 4.0], [5.2, 4.4, 6.1]
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.99)
    found = welch(a, b).at(0.99)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    nothing = welch([0.0, 0.0], [1.0, 1.0]).at(0.99)
    assert math.isnan(nothing.low) and math.isnan(nothing.high)
