"""The search against brute force; the copying test against scipy, on null draws, on copies, and far from the data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganvas import media
from ganvas.errors import GanvasError, UsageError
from ganvas.metrics.neighbours import GAP, CopyingTest, copying_test, nearest, nearest_few, picture


def gaussian(seed: int, n: int, d: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (n, d)).astype(np.float32)


def pictures(n: int, shape: tuple[int, int, int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def brute_force(queries: np.ndarray, among: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    difference = queries[:, None].astype(np.float64) - among[None].astype(np.float64)
    squared = (difference**2).sum(axis=2)
    index = np.argsort(squared, axis=1, kind="stable")[:, :count]
    return index, np.sqrt(np.take_along_axis(squared, index, axis=1))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 20), st.integers(1, 30), st.integers(1, 6), st.integers(1, 9), st.integers(1, 4),
    st.sampled_from([1e-12, 1.0, 1e12]), st.sampled_from([0.0, 1.0, 1e4]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_search_is_exact_at_every_scale_offset_and_block(
    n: int, m: int, d: int, block: int, count: int, scale: float, shift: float, seed: int
) -> None:
    queries, among = (
        gaussian(seed, n, d, shift) * np.float32(scale),
        gaussian(seed + 1, m, d, shift) * np.float32(scale),
    )
    among[m // 2] = among[0]  # a tie
    count = min(count, m)
    index, distance = nearest_few(queries, among, count, block)
    expected_index, expected = brute_force(queries, among, count)
    np.testing.assert_allclose(distance, expected, rtol=1e-12, atol=0)
    assert np.array_equal(index, expected_index)


def test_float32_rounding_decides_nothing() -> None:
    """Far from the origin, |a|^2 - 2 a.b + |b|^2 in float32 is off by more than neighbours differ."""
    rng = np.random.default_rng(0)
    among = (1000 + rng.normal(0, 0.01, (300, 64))).astype(np.float32)
    among[-1] = -3000  # keeps centring from helping
    queries = among[:299] + rng.normal(0, 0.008, (299, 64)).astype(np.float32)
    naive = ((among**2).sum(1) - 2 * queries @ among.T).argmin(axis=1)
    index, distance = nearest(queries, among, block=100)
    expected_index, expected = brute_force(queries, among, 1)
    assert not np.array_equal(naive, expected_index[:, 0])
    assert np.array_equal(index, expected_index[:, 0])
    np.testing.assert_allclose(distance, expected[:, 0], rtol=1e-12)


def test_order_and_identical_points() -> None:
    queries, among = gaussian(0, 50, 8), gaussian(1, 200, 8)
    order = np.random.default_rng(2).permutation(200)
    index, distance = nearest(queries, among)
    shuffled_index, shuffled = nearest(queries, among[order], block=33)
    assert np.array_equal(order[shuffled_index], index)
    np.testing.assert_allclose(shuffled, distance, rtol=1e-12)
    assert nearest(among, among)[0].tolist() == list(range(200))
    assert not nearest(among, among)[1].any()
    same = np.zeros((5, 3), np.float32)
    assert nearest_few(same, same, 3)[0].tolist() == [[0, 1, 2]] * 5


def test_the_test_is_scipys_with_and_without_ties() -> None:
    rng = np.random.default_rng(0)
    for decimals, shift in ((12, 0.0), (1, 0.0), (0, 0.3), (1, -0.4)):
        fake, heldout = rng.gamma(4, 1, 150).round(decimals) + shift, rng.gamma(4, 1, 90).round(decimals)
        expected = stats.mannwhitneyu(fake, heldout, alternative="less", use_continuity=False, method="asymptotic")
        found = copying_test(fake, heldout)
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.p_value == pytest.approx(stats.norm.cdf(found.z), rel=1e-9)
        pairs = np.sign(heldout[None] - fake[:, None])
        assert found.nearer == pytest.approx((pairs.mean() + 1) / 2)
        assert (found.n, found.n_heldout) == (150, 90)
        order = rng.permutation(150)
        assert copying_test(fake[order], heldout[::-1].copy()) == found


def test_the_few_nearest_are_counted_and_their_chance_is_exact() -> None:
    """Against every arrangement's probability: of 12 fakes among 20 held-out, how many come before the second."""
    fake, heldout = np.arange(12) * 10.0 + 1, np.arange(20) * 15.0 + 12
    found = copying_test(fake, heldout, quantile=0.1)
    assert found.near_copies == (fake < 27).sum() == 3
    assert found.near_copies_expected == pytest.approx(12 * 2 / 21)
    assert found.near_copies_p_value == pytest.approx(stats.nhypergeom.sf(2, 32, 12, 2), rel=1e-9)
    rng, counts = np.random.default_rng(0), []
    for _ in range(4000):
        order = rng.permutation(32)
        counts.append((order[:12] < np.sort(order[12:])[1]).sum())
    assert np.mean(counts) == pytest.approx(found.near_copies_expected, abs=0.06)
    assert np.mean(np.array(counts) >= 3) == pytest.approx(found.near_copies_p_value, abs=0.03)


def distances(seed: int, fakes: np.ndarray | None = None) -> CopyingTest:
    """The whole way: fresh training and held-out points in 6 dimensions; fakes None = as fresh as the held-out."""
    train, heldout = gaussian(seed, 150, 6), gaussian(seed + 10_000, 100, 6)
    fakes = gaussian(seed + 20_000, 100, 6) if fakes is None else fakes
    return copying_test(nearest(fakes, train)[1], nearest(heldout, train)[1], quantile=0.05)


def test_perfect_generators_are_accused_as_often_as_alpha_says() -> None:
    found = [distances(seed) for seed in range(400)]
    for alpha in (0.05, 0.2):
        accused = sum(test.p_value < alpha for test in found)
        assert stats.binomtest(accused, 400, alpha).pvalue > 0.01
        near = sum(test.near_copies_p_value < alpha for test in found)
        assert stats.binomtest(near, 400, alpha, alternative="greater").pvalue > 0.01  # discrete: never too often
    assert np.mean([test.nearer for test in found]) == pytest.approx(0.5, abs=0.01)
    near_copies, expected = zip(*((test.near_copies, test.near_copies_expected) for test in found), strict=True)
    assert np.mean(near_copies) == pytest.approx(np.mean(expected), rel=0.1)


def test_a_generator_that_copies_is_caught_every_time() -> None:
    for seed in range(20):
        train = gaussian(seed, 150, 6)
        found = distances(seed, train[:100] + 0.2 * gaussian(seed + 1, 100, 6))
        assert found.p_value < 1e-9 and found.nearer > 0.9 and found.near_copies > 50


def test_a_few_copies_among_originals_are_caught_where_the_mean_hides_them() -> None:
    for seed in range(20):
        fakes = gaussian(seed + 20_000, 100, 6, shift=0.5)
        fakes[:20] = gaussian(seed, 150, 6)[:20]
        found = distances(seed, fakes)
        assert found.p_value > 1e-4 and found.near_copies >= 20 and found.near_copies_p_value < 1e-3


def test_a_generator_far_from_the_data_is_not_accused() -> None:
    for seed in range(20):
        found = distances(seed, gaussian(seed + 5, 100, 6, shift=3.0))
        assert found.p_value > 0.999 and found.nearer < 0.05 and found.z > 5
        assert found.near_copies == 0 and found.near_copies_p_value == pytest.approx(1)


def test_cells_clear_a_generator_that_draws_only_plain_images_and_still_convict_a_copier() -> None:
    rng = np.random.default_rng(0)
    plain, rich = 1.0, 3.0
    cells = np.repeat([0, 1], 300)
    accused = 0
    for _ in range(200):
        heldout = np.concatenate([rng.gamma(9, plain, 300), rng.gamma(9, rich, 300)])
        dropped, kept = rng.gamma(9, plain, 180), rng.gamma(9, rich, 20)
        fakes, fake_cells = np.concatenate([dropped, kept]), np.repeat([0, 1], [180, 20])
        assert copying_test(fakes, heldout).p_value < 1e-6
        accused += copying_test(fakes, heldout, fake_cells, cells).p_value < 0.1
    assert stats.binomtest(accused, 200, 0.1).pvalue > 0.01
    found = copying_test(fakes * 0.6, heldout, fake_cells, cells)
    assert found.p_value < 1e-9 and found.nearer > 0.8 and found.n == 200
    weights = [1 / (n + 300 + 1) for n in (180, 20)]
    shifts = [stats.mannwhitneyu(fakes[fake_cells == c], heldout[cells == c]).statistic for c in (0, 1)]
    top = sum(w * (u - n * 150) for w, u, n in zip(weights, shifts, (180, 20), strict=True))
    bottom = math.sqrt(sum(w**2 * n * 300 * (n + 301) / 12 for w, n in zip(weights, (180, 20), strict=True)))
    assert copying_test(fakes, heldout, fake_cells, cells).z == pytest.approx(top / bottom)


def test_fakes_of_a_cell_without_held_out_images_are_left_out() -> None:
    rng = np.random.default_rng(0)
    fake, heldout, cells = rng.random(40), rng.random(30), np.repeat([0, 1], [30, 10])
    assert copying_test(fake, heldout, cells, np.zeros(30, np.int64)) == copying_test(fake[:30], heldout)


def test_equal_distances_are_no_evidence() -> None:
    found = copying_test(np.ones(20), np.ones(20))
    assert (found.z, found.p_value, found.nearer, found.near_copies) == (0.0, 0.5, 0.5, 0)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 7, 9)])
def test_the_picture_shows_each_fake_beside_its_neighbours(shape: tuple[int, int, int]) -> None:
    c, h, w = shape
    fakes = pictures(4, shape, seed=0)
    neighbours = pictures(4 * 3, shape, seed=1).reshape(4, 3, *shape)
    shown = picture(fakes, neighbours)
    assert shown.mode == ("L" if c == 1 else "RGB")
    assert shown.size == (4 * w + GAP, 4 * h)
    assert np.array_equal(media.tiles(shown.crop((0, 0, w, 4 * h)), shape), fakes)
    right = media.tiles(shown.crop((w + GAP, 0, 4 * w + GAP, 4 * h)), shape)
    assert np.array_equal(right.reshape(neighbours.shape), neighbours)
    assert np.asarray(shown)[:, w : w + GAP].min() == 255


def test_wrong_input_gets_one_clear_line() -> None:
    good, far = gaussian(0, 20, 3), np.arange(20.0)
    broken = good.copy()
    broken[[3, 5], 1] = np.nan, np.inf
    with pytest.raises(GanvasError, match=r"^rows to search: 2 of 20 vectors hold NaN or infinity$"):
        nearest(good, broken)
    with pytest.raises(
        UsageError, match=r"^queries: found features \[0, 3\]; needed are vectors \[n, d\] with n >= 1$"
    ):
        nearest(good[:0], good)
    with pytest.raises(UsageError, match=r"^rows to search: found features \[20, 3\]; [^\n]+ n >= 21$"):
        nearest_few(good, good, 21)
    with pytest.raises(UsageError, match=r"^neighbours: 3 features against 2; use one extractor for both$"):
        nearest(good, good[:, :2])
    with pytest.raises(GanvasError, match=r"^copying test: 1 of 20 distances of fakes are NaN or infinite$"):
        copying_test(np.where(far == 3, np.nan, far), far)
    with pytest.raises(UsageError, match=r"^copying test: 9 fakes and 20 held-out images [^\n]+ at least 10 each$"):
        copying_test(far[:9], far)
    with pytest.raises(UsageError, match=r"^copying test: 20 distances of held-out images, but 19 cells$"):
        copying_test(far, far, np.zeros(20, np.int64), np.zeros(19, np.int64))
    with pytest.raises(UsageError, match=r"^copying test: cells are needed for both [^\n]+ or for neither$"):
        copying_test(far, far, np.zeros(20, np.int64))
    with pytest.raises(UsageError, match=r"^copying test: the quantile lies between 0 and 1[^\n]+ found 1.0$"):
        copying_test(far, far, quantile=1.0)
    fakes = pictures(2, (3, 8, 8), seed=0)
    with pytest.raises(UsageError, match=r"^neighbours' picture: images \[2, 3, 8, 8\] do not go with [^\n]+\]$"):
        picture(fakes, fakes[:1, None])
