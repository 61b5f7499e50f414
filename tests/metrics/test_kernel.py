"""The kernel distance is unbiased, its error is the spread of fresh draws, and the usual subsets are the usual ones."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics import kernel
from ganvas.metrics.kernel import kernel_distance, kernel_distances_of_subsets

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
    x, y = rng.standard_normal((7, 3)).astype(np.float32), rng.standard_normal((11, 3)).astype(np.float32) + 1
    found, turned = kernel_distance(x, y), kernel_distance(y, x)
    assert found.value == pytest.approx(brute_force(x.astype(float), y.astype(float)), rel=1e-10)
    assert turned.value == pytest.approx(found.value, rel=1e-10)
    assert turned.standard_error == pytest.approx(found.standard_error, rel=1e-10)
    assert (found.n, found.n_ref) == (7, 11)


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
