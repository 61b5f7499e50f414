"""Counter-based randomness: pinned words, moments, independence, slices."""

import numpy as np
import pytest

from ganvas import rng

N = 200_000
PINNED = ["44b6c2acc5d75739", "94b16df38d50fc79", "c67fa4b9e232df65"]


def test_bits_are_pinned():
    words = rng.bits(0, "pinned", np.arange(3))
    assert words.dtype == np.uint64
    assert [f"{int(word):016x}" for word in words] == PINNED
    assert int(rng.bits(0, "pinned", 2)) == int(words[2])


@pytest.mark.parametrize("pick", [slice(0, 1), slice(500, 700), slice(None, None, -7)])
def test_slices_equal_the_whole(pick):
    index = np.arange(1000)
    np.testing.assert_array_equal(rng.bits(1, "s", index)[pick], rng.bits(1, "s", index[pick]))
    np.testing.assert_array_equal(rng.uniform(1, "s", index)[pick], rng.uniform(1, "s", index[pick]))
    np.testing.assert_array_equal(rng.normal(1, "s", index, 5)[pick], rng.normal(1, "s", index[pick], 5))


def test_shape_follows_the_index_and_negative_indices_wrap():
    assert rng.bits(0, "s", np.arange(6).reshape(2, 3)).shape == (2, 3)
    assert rng.bits(0, "s", -1) == rng.bits(0, "s", np.uint64(2**64 - 1))


def test_every_bit_is_fair():
    words = rng.bits(7, "fair", np.arange(N))
    share = np.array([(words >> np.uint64(bit) & np.uint64(1)).mean() for bit in range(64)])
    assert abs(share - 0.5).max() < 5 * 0.5 / np.sqrt(N)
    assert len(np.unique(words)) == N


def test_uniform_moments_and_range():
    values = rng.uniform(3, "u", np.arange(N))
    assert 0 <= values.min() < 1e-4
    assert 1 - 1e-4 < values.max() < 1
    assert abs(values.mean() - 0.5) < 5 / np.sqrt(12 * N)
    assert abs(np.histogram(values, 100)[0] - N / 100).max() < 6 * np.sqrt(N / 100)


def test_normal_moments():
    z = rng.normal(0, "z", np.arange(N // 4), 4).astype(np.float64)
    assert z.shape == (N // 4, 4)
    flat = z.reshape(-1)
    assert abs(flat.mean()) < 5 / np.sqrt(N)
    assert abs(flat.var() - 1) < 5 * np.sqrt(2 / N)
    assert abs((flat**3).mean()) < 5 * np.sqrt(15 / N)
    assert abs((flat**4).mean() - 3) < 5 * np.sqrt(96 / N)
    assert abs(np.corrcoef(z.T) - np.eye(4)).max() < 5 / np.sqrt(N // 4)


def test_normal_is_float32_and_wider_rows_begin_alike():
    wide, narrow = rng.normal(0, "z", np.arange(10), 7), rng.normal(0, "z", np.arange(10), 3)
    assert wide.dtype == np.float32
    np.testing.assert_array_equal(wide[:, :3], narrow)
    assert rng.normal(0, "z", np.arange(0), 3).shape == (0, 3)


@pytest.mark.parametrize("other", [(1, "a"), (0, "b"), (-1, "a")])
def test_streams_and_seeds_are_independent(other):
    index = np.arange(N)
    one, two = rng.uniform(0, "a", index), rng.uniform(*other, index)
    assert abs(np.corrcoef(one, two)[0, 1]) < 5 / np.sqrt(N)
    assert abs(np.corrcoef(one[1:], two[:-1])[0, 1]) < 5 / np.sqrt(N)
    assert not np.intersect1d(rng.bits(0, "a", index), rng.bits(*other, index)).size
