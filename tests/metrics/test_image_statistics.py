"""How images look beside real ones: exact where it can be, seen to move where it should."""

from __future__ import annotations

import numpy as np
import pytest

from ganvas.metrics.image_statistics import Pictures, away, beside, depth, distances, spectrum, thumbnails


def noise(n: int, side: int = 16, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth random images: noise at a quarter of the side, enlarged."""
    coarse = np.random.default_rng(seed).integers(40, 200, (n, channels, side // 4, side // 4), np.uint8)
    return coarse.repeat(4, 2).repeat(4, 3)


def test_pictures_beside_themselves_are_alike() -> None:
    labels = np.arange(40) % 4
    found = beside(Pictures(noise(40), labels), Pictures(noise(40), labels))
    ratios = ("spread", "nearest", "within", "texture")
    assert {key: round(found[key], 9) for key in ratios} == dict.fromkeys(ratios, 1.0)
    assert found["distance"] == 0 and found["grid/fake"] == found["grid/real"]


def test_one_picture_over_and_over_has_no_spread() -> None:
    found = beside(Pictures(noise(1).repeat(30, 0)), Pictures(noise(30, seed=1)))
    assert found["spread"] == found["nearest"] == pytest.approx(0, abs=1e-6) and found["distance"] > 0.5


def test_one_picture_for_each_class_has_no_spread_within() -> None:
    labels = np.arange(32) % 4
    found = beside(Pictures(noise(4)[labels], labels), Pictures(noise(32, seed=1), labels))
    assert found["within"] == pytest.approx(0, abs=1e-6) and found["spread"] > 0.6


def test_the_distances_are_those_of_the_definition() -> None:
    x = noise(7, side=8)
    labels = np.array([0, 0, 1, 1, 1, 2, 0])
    thumbnails = x.reshape(7, -1).astype(np.float64)
    pairs = {
        (i, j): np.sqrt(((thumbnails[i] - thumbnails[j]) ** 2).mean()) for i in range(7) for j in range(7) if i != j
    }
    found = Pictures(x, labels, at_a_time=3)
    assert found.spread == pytest.approx(np.mean(list(pairs.values())))
    assert found.within == pytest.approx(np.mean([v for (i, j), v in pairs.items() if labels[i] == labels[j]]))
    nearest = [min(pairs[i, j] for j in group if j != i) for group in ((0, 1, 2), (3, 4, 5)) for i in group]
    assert found.nearest == pytest.approx(np.mean(nearest))  # the seventh makes no group of three


def test_saturation_counts_both_ends() -> None:
    x = np.full((2, 1, 16, 16), 100, np.uint8)
    x[0, 0, 0, :4] = 0, 1, 254, 255
    x[0, 0, 1, :2] = 2, 253
    assert Pictures(x).saturated == 4 / 512


@pytest.mark.parametrize("side", [16, 28, 30, 32, 33])
@pytest.mark.parametrize("period", [2, 4])
def test_a_grid_of_strides_is_seen_where_the_side_has_that_frequency(side: int, period: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(60, 190, (64, 1, side, side)).astype(np.float64)
    pattern = np.zeros((side, side))
    pattern[::period, ::period] = 60
    plain, marked = (Pictures(np.clip(images, 0, 255).astype(np.uint8)).grid for images in (x, x + pattern))
    assert plain < 2
    if side % 4 == 0 or (side % 2 == 0 and period == 2):
        assert marked > 3


def test_smooth_and_speckled_pictures_differ_in_texture() -> None:
    speckled = np.random.default_rng(0).integers(0, 255, (30, 3, 16, 16), np.uint8)
    assert beside(Pictures(speckled), Pictures(noise(30)))["texture"] > 3


def test_one_picture_alone_says_less() -> None:
    found = beside(Pictures(noise(1)), Pictures(noise(20)))
    assert "spread" not in found and "nearest" not in found and found["brightness/fake"] > 0


@pytest.mark.parametrize("side", [8, 16, 32])
def test_thumbnails_are_means_of_blocks(side: int) -> None:
    x = noise(3, side)
    k = side // 8
    assert np.allclose(thumbnails(x), x.reshape(3, 3, 8, k, 8, k).mean((3, 5)).reshape(3, -1))


def test_thumbnails_of_sides_that_do_not_divide_keep_the_mean() -> None:
    x = np.random.default_rng(0).integers(0, 255, (2, 1, 28, 30), np.uint8)
    assert np.allclose(thumbnails(x).mean(1), x.mean((1, 2, 3)))


def test_nearest_is_the_distance_to_the_nearest() -> None:
    x, among = thumbnails(noise(5)), thumbnails(noise(7, seed=1))
    brute = [min(np.sqrt(((a - b) ** 2).mean()) for b in among) for a in x]
    assert np.allclose(distances(x, among).min(1), brute) and np.allclose(np.diag(distances(x, x)), 0, atol=1e-5)


def test_the_depth_is_the_root_mean_square_of_the_pattern() -> None:
    rng = np.random.default_rng(0)
    plain = np.full((64, 3, 32, 32), 128.0) + 30 * rng.standard_normal((64, 1, 1, 1))
    board = 9.0 * (-1.0) ** (np.arange(32)[:, None] + np.arange(32))
    images = np.clip(np.rint(plain + board), 0, 255).astype(np.uint8)
    assert depth(spectrum(images)) == pytest.approx(9, rel=0.02)
    assert depth(spectrum(np.rint(plain).astype(np.uint8))) < 0.1


def test_how_far_away_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(1)
    real, fake = (rng.integers(0, high, (50, 3, 16, 16), dtype=np.uint8) for high in (256, 128))
    x, y = thumbnails(fake), thumbnails(real)
    expected = np.mean((x.mean(0) - y.mean(0)) ** 2 + (x.std(0) - y.std(0)) ** 2) / np.mean(y.var(0))
    assert away(x, Pictures(real)) == pytest.approx(expected) == beside(Pictures(fake), Pictures(real))["distance"]
