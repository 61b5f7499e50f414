"""Power, minimum detectable difference and seeds needed, against scipy's Welch test in simulation and tables."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from ganvas.stats.power import detectable, power, seeds_needed

Sides = tuple[float, float]
Sizes = tuple[int, int]

DESIGNS: list[tuple[Sides, Sizes, float]] = [
    ((1, 1), (3, 3), 0.05), ((1, 1), (3, 3), 0.01), ((1, 1), (4, 4), 0.05), ((1, 1), (3, 3), 0.05 / 14),
    ((1, 4), (3, 5), 0.05), ((2, 1), (10, 3), 0.01), ((0, 1), (3, 4), 0.05), ((1, 1), (12, 12), 0.05),
]  # fmt: skip


def simulated(difference: float, spreads: Sides, seeds: Sizes, alpha: float, trials: int = 100_000) -> float:
    """How often scipy's Welch test calls it."""
    rng = np.random.default_rng(1)
    a, b = (spread * rng.normal(size=(n, trials)) for spread, n in zip(spreads, seeds, strict=True))
    return float((stats.ttest_ind(a, b + difference, equal_var=False).pvalue < alpha).mean())


@pytest.mark.parametrize(("spreads", "seeds", "alpha"), DESIGNS)
def test_the_detectable_difference_is_detected_as_often_as_it_says(spreads: Sides, seeds: Sizes, alpha: float) -> None:
    """Within 2 % of 100,000 simulated experiments; the standard error of these is 0.2 %."""
    least = detectable(spreads, seeds, alpha)
    assert power(least, spreads, seeds, alpha) == pytest.approx(0.8, abs=1e-5)
    assert simulated(least, spreads, seeds, alpha) == pytest.approx(0.8, rel=0.02)


@pytest.mark.parametrize(("spreads", "seeds", "alpha"), DESIGNS)
@pytest.mark.parametrize("share", [0.0, 0.5, 1.5])
def test_power_is_that_of_the_test_that_runs(spreads: Sides, seeds: Sizes, alpha: float, share: float) -> None:
    difference = share * detectable(spreads, seeds, alpha)
    assert power(difference, spreads, seeds, alpha) == pytest.approx(
        simulated(difference, spreads, seeds, alpha), abs=0.005
    )


@pytest.mark.parametrize(("seeds", "alpha", "expected"), [(3, 0.05, 3.51), (3, 0.01, 6.32)])
def test_few_seeds_detect_what_simulation_says(seeds: int, alpha: float, expected: float) -> None:
    """Known degrees of freedom, as if both spreads were equal and pooled, would promise 3.07 and 4.80."""
    assert detectable((1, 1), (seeds, seeds), alpha) == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_unit_of_the_scores_does_not_matter(scale: float) -> None:
    spreads = (scale, 3 * scale)
    assert detectable(spreads, (3, 4), 0.05) == pytest.approx(scale * detectable((1, 3), (3, 4), 0.05))
    assert power(-2 * scale, spreads, (3, 4), 0.05) == pytest.approx(power(2, (1, 3), (3, 4), 0.05))
    assert power(2, (3, 1), (4, 3), 0.05) == pytest.approx(power(2, (1, 3), (3, 4), 0.05))


def test_seeds_needed_are_as_in_the_tables() -> None:
    # Cohen 1988, table 2.4.1 (two-sided 5 %, power 0.8): d = 1 needs 17 a side, d = 0.5 needs 64, d = 0.2 needs 394
    assert [seeds_needed(d, (1.0, 1.0), 0.05) for d in (1.0, 0.5, 0.2)] == [17, 64, 394]
    assert seeds_needed(0.01, (1.0, 1.0), 0.05) is None
    assert seeds_needed(0.0, (1.0, 1.0), 0.05) is None and seeds_needed(1.0, (0.0, 0.0), 0.05) is None
    assert seeds_needed(50.0, (1.0, 1.0), 0.05) == 3


@pytest.mark.parametrize(("difference", "expected"), [(2.5, 5), (3.2, 4), (3.5, 4), (3.55, 3)])
def test_seeds_needed_are_enough_and_one_less_is_not(difference: float, expected: int) -> None:
    found = seeds_needed(difference, (1, 1), 0.05)
    assert found == expected
    assert simulated(difference, (1, 1), (found, found), 0.05) > 0.79
    assert found == 3 or simulated(difference, (1, 1), (found - 1, found - 1), 0.05) < 0.81


def test_seeds_needed_know_no_sign() -> None:
    assert seeds_needed(-2.5, (1, 1), 0.05) == 5 and seeds_needed(-0.5, (1, 1), 0.05) == 64
    assert seeds_needed(2.5, (2, 0), 0.05) == seeds_needed(-2.5, (0, 2), 0.05) is not None


def test_more_than_1000_seeds_are_not_named() -> None:
    least = detectable((1, 1), (1000, 1000), 0.05)
    assert seeds_needed(least * (1 + 1e-5), (1, 1), 0.05) == 1000
    assert seeds_needed(least * (1 - 1e-5), (1, 1), 0.05) is None
    assert seeds_needed(1e-200, (1, 1), 0.05) is None


def test_a_design_detects_with_a_power_of_80_percent_unless_another_is_wanted() -> None:
    assert detectable((1, 2), (4, 3), 0.05) == detectable((1, 2), (4, 3), 0.05, 0.8)
    for wanted in (0.3, 0.95):
        assert power(detectable((1, 2), (4, 3), 0.05, wanted), (1, 2), (4, 3), 0.05) == pytest.approx(wanted, abs=1e-5)
    assert seeds_needed(1, (1, 1), 0.05, 0.9) == 23  # Cohen 1988, table 2.4.1: 22 by a normal approximation


@pytest.mark.parametrize("n", [30, 300, 1000])
def test_the_power_of_many_seeds_is_students(n: int) -> None:
    """With equal groups and spreads Welch's test is nearly Student's, whose power is a noncentral t distribution."""
    difference, dof = 2.8 * math.sqrt(2 / n), 2 * n - 2
    beyond = stats.nct.sf(stats.t.ppf(0.975, dof), dof, 2.8)
    assert power(difference, (1, 1), (n, n), 0.05) == pytest.approx(beyond, abs=1e-3)


@pytest.mark.parametrize("seeds", [(300, 8), (8, 300)])
def test_unequal_groups_keep_the_level(seeds: Sizes) -> None:
    """Without a difference a test at alpha calls in a share alpha of cases, nearly: Welch's is approximate."""
    assert power(0, (1, 1), seeds, 0.05) == pytest.approx(0.05, abs=0.003)


def test_a_power_is_a_probability_that_grows_with_the_difference() -> None:
    curve = [power(x, (1, 2), (3, 4), 0.05) for x in np.linspace(0, 30, 40)]
    assert all(0 <= a <= b <= 1 + 1e-9 for a, b in pairwise(curve)) and curve[-1] > 0.999
    assert all(math.isfinite(p) for p in curve)
