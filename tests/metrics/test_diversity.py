"""Pairwise distances against brute force, and what a collapse does to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics.diversity import diversity, pairwise


def gaussian(seed: int, n: int, d: int, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (n, d)).astype(np.float32)


def brute_force(x: np.ndarray) -> float:
    x = x.astype(np.float64)
    n = len(x)
    return sum(float(((x[i] - x[j]) ** 2).sum()) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 30), st.integers(1, 8), st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_it_is_the_mean_over_all_pairs(n: int, d: int, shift: float, seed: int) -> None:
    x = gaussian(seed, n, d) + np.float32(shift)
    assert pairwise(x).value == pytest.approx(brute_force(x), rel=1e-9)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    x = gaussian(0, 100, 3)
    whole = pairwise(x)
    monkeypatch.setattr("ganvas.metrics.diversity.BLOCK", 7)
    assert pairwise(x) == pytest.approx(whole, rel=1e-12)
    assert pairwise(x[np.random.default_rng(1).permutation(100)]) == pytest.approx(whole, rel=1e-12)


def test_its_interval_holds_the_true_value_19_times_in_20_and_is_unbiased() -> None:
    truth = 2 * 4 * 1.5**2  # E|x - y|^2 of independent normals in 4 dimensions
    found = [pairwise(gaussian(seed, 150, 4, 1.5)) for seed in range(400)]
    held = np.mean([low <= truth <= high for _, low, high in found])
    assert 0.91 <= held <= 0.98
    values = np.array([estimate.value for estimate in found])
    assert abs(values.mean() - truth) < 3 * values.std() / math.sqrt(400)


def test_the_same_distribution_is_as_diverse_and_half_the_spread_reads_a_quarter() -> None:
    reference = gaussian(0, 4000, 16)
    same, half = diversity(gaussian(1, 4000, 16), reference), diversity(gaussian(2, 4000, 16, 0.5), reference)
    assert same.overall.low < 1 < same.overall.high
    assert half.overall.low < 0.25 < half.overall.high
    assert same.overall.high - same.overall.low < 0.04
    assert same.classes == () and math.isnan(same.within.value)


def test_the_ratios_interval_holds_one_19_times_in_20_under_the_null() -> None:
    held = 0
    for seed in range(300):
        found = diversity(gaussian(seed, 80, 5), gaussian(10_000 + seed, 120, 5)).overall
        held += found.low <= 1 <= found.high
    assert 0.91 <= held / 300 <= 0.98


def in_classes(seed: int, n: int, k: int, within: float) -> tuple[np.ndarray, np.ndarray]:
    """n vectors in k far clusters of spread `within`."""
    labels = np.arange(n) % k
    centres = 10 * np.eye(k, 16, dtype=np.float32)
    return centres[labels] + gaussian(seed, n, 16, within), labels


def test_a_collapse_reads_zero_overall() -> None:
    reference, labels = in_classes(0, 1000, 5, 1.0)
    collapsed = np.repeat(reference[:1], 200, axis=0)
    found = diversity(collapsed, reference, labels[:200], labels)
    assert found.overall.value == pytest.approx(0, abs=1e-12)
    assert found.within.value == pytest.approx(0, abs=1e-12)


def test_a_collapse_within_each_class_shows_only_there() -> None:
    reference, labels = in_classes(0, 1000, 5, 1.0)
    fakes, intended = in_classes(1, 500, 5, 0.01)
    found = diversity(fakes, reference, intended, labels)
    assert found.overall.value > 0.7
    assert found.within.high < 0.001
    assert len(found.classes) == 5 and all(estimate.high < 0.001 for estimate in found.classes)


def test_one_collapsed_class_is_found_and_a_missing_one_is_unknown() -> None:
    reference, labels = in_classes(0, 1000, 5, 1.0)
    fakes, intended = in_classes(1, 500, 5, 1.0)
    fakes[intended == 3] = fakes[3]
    kept = intended != 2
    found = diversity(fakes[kept], reference, intended[kept], labels)
    values = [estimate.value for estimate in found.classes]
    assert values[3] == pytest.approx(0, abs=1e-12)
    assert math.isnan(values[2])
    assert [values[i] for i in (0, 1, 4)] == pytest.approx([1, 1, 1], abs=0.15)
    assert found.within.value == pytest.approx(np.nanmean(values))
    assert found.within.low < 0.75 < found.within.high


def test_order_does_not_matter() -> None:
    (fakes, intended), (reference, labels) = in_classes(1, 100, 4, 1.0), in_classes(0, 200, 4, 1.0)
    order = np.random.default_rng(0).permutation(100)
    one, other = (diversity(fakes[i], reference, intended[i], labels) for i in (np.arange(100), order))
    assert one.overall == pytest.approx(other.overall, rel=1e-9)
    assert one.within == pytest.approx(other.within, rel=1e-9)


def test_wrong_input_gets_one_clear_line() -> None:
    good, labels = gaussian(0, 20, 3), np.arange(20) % 2
    broken = good.copy()
    broken[4] = np.nan
    with pytest.raises(GanvasError, match=r"^diversity: 1 of 20 vectors hold NaN or infinity$"):
        pairwise(broken)
    with pytest.raises(GanvasError, match=r"^reference: 1 of 20 vectors hold NaN or infinity$"):
        diversity(good, broken)
    with pytest.raises(UsageError, match=r"^fakes: found features \[4, 3\]; needed are vectors \[n, d\] with n >= 5$"):
        diversity(good[:4], good)
    with pytest.raises(UsageError, match=r"^diversity: 3 features against 2; use one extractor for both$"):
        diversity(good, good[:, :2])
    with pytest.raises(UsageError, match=r"^diversity: all images of the reference have the same features; [^\n]+$"):
        diversity(good, np.ones((9, 3), np.float32))
    with pytest.raises(UsageError, match=r"^diversity: labels are needed for both [^\n]+ or for neither$"):
        diversity(good, good, labels)
    with pytest.raises(UsageError, match=r"^diversity: 20 reference images, but 19 labels$"):
        diversity(good, good, labels, labels[:19])
