"""The kernel distance is unbiased, its error is the spread of fresh draws, and the usual subsets are the usual ones."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics import kernel
from ganvas.metrics.extractors.base import Extractor, Features
from ganvas.metrics.kernel import kernel_distance, kernel_distances_of_subsets
from ganvas.metrics.registry import METRICS, Fakes, MetricInputs
from ganvas.stats.intervals import Estimate

D = 6


def draws(count: int, n: int, m: int, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values and errors of `count` fresh pairs of Gaussian sets, n fakes moved by `shift` in every direction."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        found.append(kernel_distance(rng.standard_normal((n, D)) + shift, rng.standard_normal((m, D))))
    return np.array([k.value for k in found]), np.array([k.standard_error for k in found])


def truth(shift: float) -> float:
    """MMD^2 between N(shift 1, I) and N(0, I): E (x.y / d + 1)^3 term by term, for independent x, y of these means.

    E (x.y)^2 = |E xx' . E yy'|, and so on; with t = shift^2 the third moments of a Gaussian give what stands here.
    """
    t = shift**2
    # within N(shift): x.y has mean d t; E (x.y)^2 = d + 2 d t + d^2 t^2; E (x.y)^3 by the same pairings
    second = D + 2 * D * t + (D * t) ** 2
    third = 3 * D * t * (D + 2 * D * t) + (D * t) ** 3 + 6 * D * t
    within = third / D**3 + 3 * second / D**2 + 3 * t + 1
    # within N(0): second D, odd moments none; between: second D + D t, odd moments none
    zero = 3 / D + 1
    between = 3 * (D + D * t) / D**2 + 1
    return within + zero - 2 * between


def brute_force(x: np.ndarray, y: np.ndarray) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / len(a) + 1) ** 3)

    xx = np.mean([k(a, b) for a, b in permutations(x, 2)])
    yy = np.mean([k(a, b) for a, b in permutations(y, 2)])
    return float(xx + yy - 2 * np.mean([k(a, b) for a in x for b in y]))


def jackknife(x: np.ndarray, y: np.ndarray) -> float:
    """Variance by leaving images out; it counts the second order twice."""
    without_x = np.array([kernel_distance(np.delete(x, i, 0), y).value for i in range(len(x))])
    without_y = np.array([kernel_distance(x, np.delete(y, j, 0)).value for j in range(len(y))])
    n, m = len(x), len(y)
    return float(without_x.var() * (n - 1) + without_y.var() * (m - 1))


@pytest.mark.parametrize("block", [2, 5, 1024])
def test_every_pair_counts_once(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(kernel, "BLOCK", block)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((11, 3)) + 1
    found, turned = kernel_distance(x, y), kernel_distance(y, x)
    assert found.value == pytest.approx(brute_force(x, y), rel=1e-10)
    assert turned.value == pytest.approx(found.value, rel=1e-10)
    assert turned.standard_error == pytest.approx(found.standard_error, rel=1e-10)
    assert (found.n, found.n_ref) == (7, 11)


@pytest.mark.parametrize("offset", [0.0, 10.0, 100.0])
def test_float32_features_lose_nothing_that_an_error_could_tell(offset: float) -> None:
    """Products are about an origin among the images: an offset that all share costs no digits of the rest."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((300, 64)), 1.05 * rng.standard_normal((200, 64))
    x, y = ((each + offset).astype(np.float32) for each in (x, y))
    single, double = kernel_distance(x, y), kernel_distance(x.astype(np.float64), y.astype(np.float64))
    assert abs(single.value - double.value) < 1e-5 * double.standard_error
    assert single.standard_error == pytest.approx(double.standard_error, rel=1e-6)


def test_unbiased_where_both_have_one_source() -> None:
    """1,000 draws of 20 against 30: their mean is zero within its error, and about half lie below."""
    values, _ = draws(1000, 20, 30, 0.0)
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(1000)
    assert 400 < np.count_nonzero(values < 0) < 700


@pytest.mark.parametrize("shift", [0.3, 1.0])
def test_unbiased_for_a_known_shift(shift: float) -> None:
    values, _ = draws(600, 20, 30, shift)
    assert values.mean() == pytest.approx(truth(shift), abs=3 * values.std() / np.sqrt(600))


@pytest.mark.parametrize(("n", "m", "shift"), [(150, 150, 0.0), (100, 250, 0.0), (150, 150, 0.3), (100, 250, 0.5)])
def test_the_error_is_the_spread_of_fresh_draws(n: int, m: int, shift: float) -> None:
    """400 draws: the mean variance is the true one, and about 95 of 100 intervals hold the truth.

    Where both sets have one source, estimates below zero are lifted to it: errors grow by a tenth or so.
    """
    values, errors = draws(400, n, m, shift)
    assert 0.8 < np.mean(errors**2) / values.var() < (1.6 if shift == 0 else 1.25)
    assert 0.9 <= np.mean(np.abs(values - truth(shift)) < 1.96 * errors) <= (1 if shift == 0 else 0.98)


def test_the_error_is_no_jackknife_where_the_sets_are_alike() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 40, D))
    assert kernel_distance(x, y).standard_error ** 2 < 0.75 * jackknife(x, y)
    assert kernel_distance(x + 2, y).standard_error ** 2 == pytest.approx(jackknife(x + 2, y), rel=0.1)


def test_blind_to_order() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 1, (40, 10)), rng.uniform(0, 1.2, (50, 10))
    found, shuffled = kernel_distance(x, y), kernel_distance(rng.permutation(x), rng.permutation(y))
    assert shuffled.value == pytest.approx(found.value, rel=1e-9)
    assert shuffled.standard_error == pytest.approx(found.standard_error, rel=1e-9)


def test_one_subset_of_everything_is_the_formula_of_torch_fidelity() -> None:
    """MMD^2 of two sets of m: (sum K_xx + sum K_yy, off their diagonals) / (m (m - 1)) - 2 sum K_xy / m^2."""
    rng, m = np.random.default_rng(0), 60
    x, y = rng.uniform(0, 1, (m, 32)), rng.uniform(0, 1.1, (m, 32))
    K_xx, K_yy, K_xy = ((a @ b.T / 32 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    inside = K_xx.sum() - np.trace(K_xx) + K_yy.sum() - np.trace(K_yy)
    expected = inside / (m * (m - 1)) - 2 * K_xy.sum() / m**2
    assert kernel_distances_of_subsets(x, y, subsets=1, size=m, seed=0)[0] == pytest.approx(expected, rel=1e-6)
    assert kernel_distance(x, y).value == pytest.approx(expected, rel=1e-6)


def test_subsets_scatter_around_the_whole() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((400, D)) + 0.5, rng.standard_normal((300, D))
    values = kernel_distances_of_subsets(x, y, subsets=80, size=50, seed=1)
    whole = kernel_distance(x, y)
    assert values.mean() == pytest.approx(whole.value, abs=4 * values.std() / np.sqrt(80))
    assert values.std() > 1.5 * whole.standard_error
    assert np.array_equal(values, kernel_distances_of_subsets(x, y, subsets=80, size=50, seed=1))


def test_what_is_refused() -> None:
    x = np.ones((5, 3), np.float32)
    with pytest.raises(UsageError, match="n = 3 fakes and 5 reals"):
        kernel_distance(x[:3], x)
    with pytest.raises(GanvasError, match="of 3 and of 2 dimensions"):
        kernel_distance(x, x[:, :2])
    with pytest.raises(GanvasError, match="real features: NaN"):
        kernel_distance(x, np.full_like(x, np.nan))
    with pytest.raises(UsageError, match="subsets of 6 images from 5 fakes and 5 reals"):
        kernel_distances_of_subsets(x, x, size=6, seed=0)


def test_sums_made_once_give_the_same() -> None:
    rng = np.random.default_rng(3)
    real, fake = rng.normal(size=(60, 4)).astype(np.float32), rng.normal(size=(50, 4)).astype(np.float32)
    assert kernel_distance(fake, real, kernel.within(real)) == kernel_distance(fake, real)


def unbiased_variance(x: np.ndarray, y: np.ndarray) -> float:
    """Hoeffding's two orders by looking at every tuple of different images: each term is a U-statistic."""

    def k(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)

    def first(own: np.ndarray, cross: np.ndarray) -> float:
        """Var of a(x) = E k(x, x') - E k(x, y): E a(x)^2 by two independent estimates of it, less (E a)^2."""
        n, m = cross.shape
        same = [
            (own[i, p] - cross[i, s]) * (own[i, q] - cross[i, t])
            for i, p, q in permutations(range(n), 3)
            for s, t in permutations(range(m), 2)
        ]
        apart = [
            (own[i, p] - cross[i, s]) * (own[j, q] - cross[j, t])
            for i, j, p, q in permutations(range(n), 4)
            for s, t in permutations(range(m), 2)
        ]
        return float(np.mean(same) - np.mean(apart))

    def within(own: np.ndarray) -> float:
        return float(np.mean([
            (own[i, j] - own[i, q] - own[p, j] + own[p, q]) ** 2 / 4 for i, j, p, q in permutations(range(len(own)), 4)
        ]))  # fmt: skip

    def between(cross: np.ndarray) -> float:
        n, m = cross.shape
        return float(np.mean([
            (cross[i, s] - cross[i, t] - cross[j, s] + cross[j, t]) ** 2 / 4
            for i, j in permutations(range(n), 2) for s, t in permutations(range(m), 2)
        ]))  # fmt: skip

    n, m = len(x), len(y)
    xx, yy, xy = k(x, x), k(y, y), k(x, y)
    one = 4 * first(xx, xy) / n + 4 * first(yy, xy.T) / m
    two = 2 * within(xx) / (n * (n - 1)) + 2 * within(yy) / (m * (m - 1)) + 4 * between(xy) / (n * m)
    return max(one, 0.0) + max(two, 0.0)


@pytest.mark.parametrize(("seed", "shift"), [(0, 0.0), (1, 0.0), (2, 1.5)])
def test_the_error_is_the_unbiased_one_of_both_orders(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((6, 3)) + shift, rng.standard_normal((5, 3))
    assert kernel_distance(x, y).standard_error ** 2 == pytest.approx(unbiased_variance(x, y), rel=1e-9)


def test_the_error_is_calibrated_where_the_second_order_is_all_there_is() -> None:
    """Two sets of one source, 80 against 80, 300 draws for each of three seeds: the median error over the spread.

    It is 1.05 to 1.14 (six seeds), since estimates of the first order below zero are lifted to it. Half of the cross
    term would give 0.92 to 0.98.
    """
    ratios = []
    for seed in (11, 12, 13):
        values, errors = draws(300, 80, 80, 0.0, seed)
        ratios.append(np.median(errors) / values.std())
    assert 1.02 < np.median(ratios) < 1.18


@pytest.mark.parametrize(("n", "m"), [(6, 40), (40, 6)])
def test_the_interval_is_students_with_the_smaller_set(n: int, m: int) -> None:
    rng = np.random.default_rng(4)
    fake, real = rng.normal(size=(n, 3)).astype(np.float32), rng.normal(size=(m, 3)).astype(np.float32)
    error = kernel_distance(fake, real).standard_error
    extractor = Extractor("mine", "0", "none", lambda images: (images, None))
    value = METRICS["kd"].measure(Fakes(Features(fake), None, 0), MetricInputs(extractor, Features(real)))["kd"]
    assert isinstance(value, Estimate)
    half = stats.t.ppf(0.975, 5) * error
    assert (value.high - value.value, value.value - value.low) == pytest.approx((half, half))
