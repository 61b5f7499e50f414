"""Scores of probabilities against closed forms and brute force, modes against images whose modes are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ganvas.datasets.builtin import shapes
from ganvas.errors import GanvasError, UsageError
from ganvas.metrics.recognition import (
    class_histogram,
    confidence,
    entropy,
    gan_test,
    inception_score,
    kl,
    modes_covered,
    modes_of,
    total_variation,
    total_variation_floor,
)
from ganvas.stats.intervals import binomial_interval


def probabilities(seed: int, n: int, k: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.3), n).astype(np.float32)


def one_hot(classes: np.ndarray, k: int) -> np.ndarray:
    return np.eye(k, dtype=np.float32)[classes]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_the_inception_score_is_its_definition_and_lies_between_1_and_k(n: int, k: int, seed: int) -> None:
    p = probabilities(seed, n, k)
    marginal = p.mean(axis=0, dtype=np.float64)
    by_image = [stats.entropy(row.astype(np.float64), marginal) for row in p]
    score = inception_score(p)
    assert score == pytest.approx(math.exp(np.mean(by_image)), rel=1e-6)
    assert 1 - 1e-6 <= score <= k + 1e-6
    assert inception_score(p[::-1]) == pytest.approx(score, rel=1e-12)


def test_the_inception_score_of_known_sets() -> None:
    sure = one_hot(np.arange(100) % 10, 10)
    assert inception_score(sure) == pytest.approx(10, rel=1e-12)
    assert inception_score(sure[:50][np.arange(50) % 10 < 5]) == pytest.approx(5, rel=1e-12)
    assert inception_score(np.full((20, 10), 0.1, np.float32)) == pytest.approx(1, rel=1e-9)
    assert inception_score(np.repeat(probabilities(0, 1, 10), 30, axis=0)) == pytest.approx(1, rel=1e-6)


def test_gan_test_counts_the_intended_classes() -> None:
    p, intended = probabilities(3, 500, 10), np.arange(500) % 10
    hits = sum(int(np.argmax(row)) == label for row, label in zip(p, intended.tolist(), strict=True))
    assert gan_test(p, intended) == binomial_interval(hits, 500)
    assert gan_test(one_hot(intended, 10), intended)[::2] == (1.0, 1.0)
    assert gan_test(one_hot((intended + 1) % 10, 10), intended)[:2] == (0.0, 0.0)
    chance = gan_test(p, np.random.default_rng(0).integers(0, 10, 500))
    assert chance.low < 0.1 < chance.high


def test_confidence_and_entropy_at_their_ends_and_against_scipy() -> None:
    sure, lost = one_hot(np.arange(10), 10), np.full((10, 10), 0.1, np.float32)
    assert confidence(sure) == (1, 1, 1) and confidence(lost).value == pytest.approx(0.1)
    assert entropy(sure) == (0, 0, 0) and entropy(lost).value == pytest.approx(math.log(10))
    p = probabilities(5, 200, 7)
    by_image = stats.entropy(p.astype(np.float64), axis=1)
    assert entropy(p).value == pytest.approx(by_image.mean(), rel=1e-6)
    assert entropy(p).high - entropy(p).value == pytest.approx(stats.sem(by_image) * stats.t.ppf(0.975, 199), rel=1e-5)
    assert confidence(p).value == pytest.approx(p.max(axis=1).mean(), rel=1e-6)


def test_the_histogram_and_its_distances() -> None:
    shares = class_histogram(one_hot(np.array([0, 0, 0, 2]), 4))
    assert shares.tolist() == [0.75, 0, 0.25, 0]
    assert total_variation(shares) == pytest.approx(0.5)
    assert kl(shares) == pytest.approx(stats.entropy(shares, np.full(4, 0.25)))
    other = np.array([0.5, 0.0, 0.25, 0.25])
    assert total_variation(shares, other) == total_variation(other, shares) == pytest.approx(0.25)
    assert kl(shares, other) == pytest.approx(0.75 * math.log(1.5))
    assert kl(other, shares) == math.inf
    assert kl(shares, shares) == total_variation(shares, shares) == 0


@pytest.mark.parametrize("n", [1, 7, 50])
@pytest.mark.parametrize("shares", [[0.25] * 4, [0.7, 0.2, 0.1, 0.0], [1.0, 0.0]])
def test_the_floor_of_the_total_variation_is_its_expectation(shares: list[float], n: int) -> None:
    counts = np.arange(n + 1)
    exact = sum((stats.binom.pmf(counts, n, q) * abs(counts / n - q)).sum() for q in shares) / 2
    assert total_variation_floor(np.array(shares), n) == pytest.approx(exact, rel=1e-9, abs=1e-15)


def test_the_floor_is_what_perfect_draws_give() -> None:
    rng, uniform = np.random.default_rng(0), np.full(10, 0.1)
    drawn = [total_variation(rng.multinomial(1000, uniform) / 1000) for _ in range(500)]
    assert np.mean(drawn) == pytest.approx(total_variation_floor(uniform, 1000), abs=4 * np.std(drawn) / 500**0.5)


def test_modes_are_counted_beside_what_perfect_draws_would_hit() -> None:
    found = modes_covered(np.array([0, 3, 3, 5]), 6)
    assert (found.hit, found.known, found.n, found.missing) == (3, 6, 4, (1, 2, 4))
    assert found.expected == pytest.approx(6 * (1 - (5 / 6) ** 4))
    rng, shares = np.random.default_rng(1), np.array([0.6, 0.3, 0.09, 0.01])
    hits = [modes_covered(rng.choice(4, 20, p=shares), 4, shares).hit for _ in range(600)]
    expected = modes_covered(np.zeros(20, np.int64), 4, shares).expected
    assert np.mean(hits) == pytest.approx(expected, abs=4 * np.std(hits) / 600**0.5)
    assert modes_covered(np.arange(80), 80).hit == 80


def test_more_than_one_image_may_be_asked_of_a_mode() -> None:
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    found = modes_covered(np.repeat(np.arange(4), [9, 3, 2, 0]), 4, shares, least=3)
    assert (found.hit, found.missing) == (2, (2, 3))
    assert found.expected == pytest.approx(stats.binom.sf(2, 14, shares).sum(), rel=1e-9)
    assert modes_covered(np.array([0, 0]), 4, least=3).expected == 0


def test_the_shapes_modes_are_found_by_their_nearest_real_neighbours() -> None:
    """Known modes (shape x colour) of images that the search has not seen; then a generator that has lost the stars."""
    index = np.arange(3600)
    drawn = shapes.parameters(index)
    modes = drawn.colour * len(shapes.CLASSES) + drawn.label
    pixels = shapes.render(index, 16).reshape(len(index), -1).astype(np.float32)
    real, fresh = index < 2000, index >= 2000
    found = modes_of(pixels[fresh], pixels[real], modes[real])
    assert (found == modes[fresh]).mean() > 0.65  # raw pixels, 25 real images of a mode
    assert modes_covered(found, 80).hit == 80
    star = shapes.CLASSES.index("star")
    without = found[drawn.label[fresh] != star]
    assert modes_covered(without, 80).hit > 75  # a few misread images hide the loss
    lost = modes_covered(without, 80, least=6)
    assert lost.missing == tuple(range(star, 80, 10)) and lost.expected > 79.9


def test_wrong_input_gets_one_clear_line() -> None:
    p, labels = probabilities(0, 8, 4), np.arange(8) % 4
    broken = p.copy()
    broken[2, 1] = np.nan
    for score in (inception_score, confidence, entropy, class_histogram):
        with pytest.raises(GanvasError, match=r"^class probabilities: 1 of 8 rows are not >= 0 with sum 1$"):
            score(broken)
        with pytest.raises(GanvasError, match=r"^class probabilities: 8 of 8 rows"):
            score(p * 2)
        with pytest.raises(UsageError, match=r"^class probabilities: found \[0, 4\]; at least one image [^\n]+$"):
            score(p[:0])
    with pytest.raises(UsageError, match=r"^GAN-test: 8 images, but 7 intended classes$"):
        gan_test(p, labels[:7])
    with pytest.raises(UsageError, match=r"^intended classes: 0 to 3 are known, found 1 to 4$"):
        gan_test(p, labels + 1)
    with pytest.raises(UsageError, match=r"^an interval needs at least 5 values, found 4"):
        confidence(p[:4])
    with pytest.raises(UsageError, match=r"^histograms: 4 classes against 3$"):
        total_variation(np.full(4, 0.25), np.full(3, 1 / 3))
    with pytest.raises(GanvasError, match=r"^histograms: shares have to be >= 0 with sum 1$"):
        kl(np.array([3.0, 1.0]))
    with pytest.raises(UsageError, match=r"^modes: 0 to 2 are known, found 0 to 3$"):
        modes_covered(labels, 3)
    with pytest.raises(UsageError, match=r"^modes: at least one known mode and one image for a hit, found 4 and 0$"):
        modes_covered(labels, 4, least=0)
    with pytest.raises(UsageError, match=r"^modes: there are no images to count$"):
        modes_covered(labels[:0], 3)
    with pytest.raises(UsageError, match=r"^modes: 8 real images, but 7 modes$"):
        modes_of(p, p, labels[:7])
    with pytest.raises(UsageError, match=r"^a histogram needs at least one image, found n = 0$"):
        total_variation_floor(np.full(4, 0.25), 0)
