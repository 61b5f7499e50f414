"""The Fréchet distance against closed forms, scipy's square root, and others' formulas; what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics import frechet
from ganvas.metrics.frechet import Moments, comparable, frechet_distance, frechet_infinity, moments


def gaussian(mean: np.ndarray, covariance: np.ndarray) -> Moments:
    return Moments(np.asarray(mean, float), np.asarray(covariance, float), 1000)


def rotation(d: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


def activations(n: int, d: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Correlated, never negative, and far from zero-mean: like those of a network's last pooling."""
    mixing = np.random.default_rng(0).standard_normal((8, d))
    rng = np.random.default_rng(seed)
    raw = rng.standard_normal((n, 8)) @ mixing / 3 + 0.5 * rng.standard_normal((n, d)) + 0.4 + shift
    return np.maximum(raw, 0).astype(np.float32)


def test_one_dimension() -> None:
    """(3 - 1)^2 + (2 - 5)^2."""
    assert frechet_distance(gaussian([3], [[4]]), gaussian([1], [[25]])) == pytest.approx(13, rel=1e-11)


def test_diagonal_covariances() -> None:
    rng = np.random.default_rng(0)
    m, n, s, t = rng.uniform(0.1, 3, (4, 30))
    expected = np.sum((m - n) ** 2) + np.sum((s - t) ** 2)
    assert frechet_distance(gaussian(m, np.diag(s**2)), gaussian(n, np.diag(t**2))) == pytest.approx(
        expected, rel=1e-11
    )


def test_covariances_that_commute() -> None:
    """One basis, other variances, over eight orders of magnitude."""
    U, s, t = rotation(40, 1), np.logspace(-4, 4, 40), np.logspace(3, -4, 40)
    found = frechet_distance(gaussian(np.zeros(40), U * s @ U.T), gaussian(np.zeros(40), U * t @ U.T))
    assert found == pytest.approx(np.sum((np.sqrt(s) - np.sqrt(t)) ** 2), rel=1e-9)


def test_one_covariance_leaves_the_means() -> None:
    C = np.cov(activations(200, 20, 1).T)
    assert frechet_distance(gaussian(np.zeros(20), C), gaussian(np.full(20, 0.1), C)) == pytest.approx(0.2, rel=1e-10)


def test_two_dimensions() -> None:
    """tr (AB)^(1/2) of 2 x 2 matrices is sqrt(tr AB + 2 sqrt(det AB))."""
    A, B = np.array([[2.0, 0.7], [0.7, 1.0]]), np.array([[1.5, -0.9], [-0.9, 3.0]])
    root = np.sqrt(np.trace(A @ B) + 2 * np.sqrt(np.linalg.det(A @ B)))
    found = frechet_distance(gaussian([0, 0], A), gaussian([0, 0], B))
    assert found == pytest.approx(np.trace(A) + np.trace(B) - 2 * root, rel=1e-11)


@pytest.mark.parametrize("rank", [1, 7, 23])
def test_singular_covariances(rank: int) -> None:
    """Variances of zero in a basis where no number is zero; the eigenvalues' rounding must not come back as a root."""
    U = rotation(24, 2)
    s, t = np.linspace(1, 2, 24), np.linspace(3, 1, 24)
    s[rank:] = 0
    a, b = gaussian(np.zeros(24), U * s @ U.T), gaussian(np.zeros(24), U * t @ U.T)
    expected = np.sum((np.sqrt(s) - np.sqrt(t)) ** 2)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-11)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-11)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12)


def test_dead_features_and_one_shared_by_all() -> None:
    x, y = activations(300, 12, 1), activations(300, 12, 2, shift=0.2)
    expected = frechet_distance(moments(x), moments(y))
    x, y = (np.concatenate([v, np.zeros_like(v[:, :3]), np.full_like(v[:, :1], 5)], axis=1) for v in (x, y))
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(expected, rel=1e-10)


def test_a_generator_that_makes_one_image() -> None:
    """No variance at all: what is left is the distance of the means and the reals' whole variance."""
    real = moments(activations(50, 6, 1))
    same = moments(np.ones((50, 6), np.float32))
    expected = np.sum((1 - real.mean) ** 2) + np.trace(real.covariance)
    assert frechet_distance(same, real) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(same, same) == 0


def test_against_the_matrix_square_root() -> None:
    """The formula of pytorch-fid and torch-fidelity: the square root of the product, its trace's real part."""
    x, y = activations(500, 64, 1), activations(700, 64, 2, shift=0.05)
    C, D = np.cov(x.T.astype(float)), np.cov(y.T.astype(float))
    apart = x.mean(axis=0, dtype=float) - y.mean(axis=0, dtype=float)
    expected = apart @ apart + np.trace(C) + np.trace(D) - 2 * np.trace(scipy.linalg.sqrtm(C @ D)).real
    assert frechet_distance(moments(x), moments(y)) == pytest.approx(expected, rel=1e-9)


def test_against_the_eigenvalues_of_the_product() -> None:
    """The newer formula of both: square roots of the eigenvalues of the product, no matrix root at all."""
    x, y = activations(500, 64, 3), activations(500, 64, 4, shift=0.01)
    a, b = moments(x), moments(y)
    roots = np.sqrt(np.linalg.eigvals(a.covariance @ b.covariance).astype(complex)).real.sum()
    expected = np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance) + np.trace(b.covariance) - 2 * roots
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    d=st.integers(1, 9), n=st.integers(2, 14), m=st.integers(2, 14), seed=st.integers(0, 999), scale=st.integers(-4, 4)
)
def test_a_distance_whatever_the_images(d: int, n: int, m: int, seed: int, scale: int) -> None:
    """Real, not negative, symmetric, blind to order, and squared units: also with fewer images than dimensions."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, d)), rng.standard_normal((m, d)) * 10.0**scale
    a, b = moments(x, singular_ok=True), moments(y, singular_ok=True)
    found = frechet_distance(a, b)
    size = found + np.trace(a.covariance) + np.trace(b.covariance)
    assert found >= 0
    assert frechet_distance(b, a) == pytest.approx(found, abs=1e-9 * size)
    shuffled = moments(rng.permutation(x), singular_ok=True)
    assert frechet_distance(shuffled, b) == pytest.approx(found, abs=1e-9 * size)
    assert frechet_distance(a, shuffled) == pytest.approx(0, abs=1e-9 * size)
    ten = frechet_distance(moments(10 * x, singular_ok=True), moments(10 * y, singular_ok=True))
    assert ten == pytest.approx(100 * found, abs=1e-7 * size)


def test_moments_are_exact_far_from_zero_and_over_blocks() -> None:
    """9,000 float32 numbers around 1,000 with a spread of 1: a one-pass sum of squares would lose six digits."""
    x = (1000 + np.random.default_rng(0).standard_normal((9000, 5))).astype(np.float32)
    found = moments(x)
    np.testing.assert_allclose(found.mean, x.astype(np.longdouble).mean(axis=0).astype(float), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(x.T.astype(float)), rtol=1e-10, atol=1e-12)
    assert found.n == 9000
    assert found.covariance.dtype == np.float64


def test_extrapolation_takes_the_bias_away() -> None:
    """24 draws of 400 in 16 dimensions: the plain distance is far too large, the line is right on average."""
    covariance = np.diag(np.linspace(0.2, 2, 16))
    reference = gaussian(np.full(16, 0.05), covariance)
    plain, extrapolated = [], []
    for seed in range(24):
        x = np.random.default_rng(seed).standard_normal((400, 16)) * np.sqrt(np.diag(covariance))
        plain.append(frechet_distance(moments(x), reference))
        extrapolated.append(frechet_infinity(x, reference, points=7, seed=seed).value)
    error = np.std(extrapolated, ddof=1) / np.sqrt(24)
    assert np.mean(plain) > 0.04 + 10 * error
    assert np.mean(extrapolated) == pytest.approx(0.04, abs=3 * error)


def test_extrapolation_is_a_line_over_one_in_n() -> None:
    x, reference = activations(900, 10, 1), moments(activations(2000, 10, 2))
    found = frechet_infinity(x, reference, seed=3)
    assert found.sizes[0] == 90
    assert found.sizes[-1] == 900
    assert len(found.sizes) == len(found.values) == 15
    fit, covariance = np.polyfit(1 / found.sizes, found.values, 1, cov=True)
    assert found.value == pytest.approx(fit[1])
    assert found.standard_error == pytest.approx(np.sqrt(covariance[1, 1]))
    assert found.values[-1] == pytest.approx(frechet_distance(moments(x), reference), rel=1e-9)
    assert frechet_infinity(x, reference, seed=3).value == found.value
    assert frechet_infinity(x, reference, seed=4).value != found.value


def test_sizes_stay_away_from_the_dimensions() -> None:
    reference = moments(activations(100, 10, 2))
    assert frechet_infinity(activations(300, 10, 1), reference, points=3, seed=0).sizes.tolist() == [40, 170, 300]
    assert frechet_infinity(activations(40, 10, 1), reference, points=3, seed=0).sizes.tolist() == [20, 30, 40]


def test_too_few_images() -> None:
    few = activations(20, 20, 1)
    with pytest.raises(UsageError, match="n = 20 images for 20-d features: at least 21"):
        moments(few)
    assert moments(few, singular_ok=True).n == 20
    with pytest.raises(UsageError, match="at least 2 "):
        moments(few[:1], singular_ok=True)
    with pytest.raises(UsageError, match="extrapolating needs at least 80"):
        frechet_infinity(few, moments(activations(30, 20, 2)), seed=0)
    with pytest.raises(UsageError, match="points = 2"):
        frechet_infinity(activations(90, 20, 1), moments(activations(30, 20, 2)), points=2, seed=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_a_number(bad: float) -> None:
    x = activations(50, 4, 1)
    x[7, 2], x[8, 2] = bad, -bad
    good = gaussian(np.zeros(2), np.eye(2))
    with pytest.raises(GanvasError, match="NaN or infinity"):
        moments(x)
    with pytest.raises(GanvasError, match="NaN or infinity"):
        frechet_distance(good, gaussian(np.array([0, bad]), np.eye(2)))
    with pytest.raises(GanvasError, match="NaN or infinity"):
        frechet_distance(gaussian(np.zeros(2), np.diag([1, bad])), good)


def test_what_does_not_fit() -> None:
    with pytest.raises(GanvasError, match="of 2 and of 3 dimensions"):
        frechet_distance(gaussian(np.zeros(2), np.eye(2)), gaussian(np.zeros(3), np.eye(3)))
    with pytest.raises(GanvasError, match="not symmetric"):
        frechet_distance(gaussian(np.zeros(2), [[1, 0.5], [0, 1]]), gaussian(np.zeros(2), np.eye(2)))
    with pytest.raises(GanvasError, match="negative eigenvalue"):
        frechet_distance(gaussian(np.zeros(2), np.eye(2)), gaussian(np.zeros(2), np.diag([1, -1])))
    with pytest.raises(GanvasError, match=r"fake features of shape \(0, 3\)"):
        comparable(np.zeros((0, 3)), np.zeros((2, 3)))


@pytest.mark.parametrize("size", [30, 60, 99, 119, 120])
def test_moments_of_most_rows_are_those_of_all_less_the_others(size: int) -> None:
    rng = np.random.default_rng(0)
    vectors = (100 + rng.normal(size=(120, 5)) * [1, 2, 3, 4, 1e-3]).astype(np.float32)
    rows = np.sort(rng.permutation(120)[:size])
    found, expected = frechet._moments_of_subsets(vectors)(rows), frechet.moments(vectors[rows])
    assert found.n == expected.n
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-13)
    scale = np.sqrt(np.outer(np.diag(expected.covariance), np.diag(expected.covariance)))
    assert (np.abs(found.covariance - expected.covariance) / scale).max() < 1e-10
