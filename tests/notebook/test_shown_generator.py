"""What a trained generator shows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.errors import UsageError
from ganvas.training.latents import great_circle


@pytest.fixture(scope="module")
def shipped():
    return ganvas.load("fashion-mnist")


def test_show_is_the_sample(shipped):
    shown = shipped.show(6, "Bag")
    np.testing.assert_array_equal(np.asarray(shown), shipped.sample(6, labels="Bag"))
    assert shown.labels == ("Bag",) * 6 and "28 x 28" in repr(shown)


def test_interpolation_begins_and_ends_at_the_images_it_names(shipped):
    row = np.asarray(shipped.interpolate(5, 3, 7, label="Sneaker"))
    np.testing.assert_array_equal(row[0], shipped.sample(1, start=3, labels="Sneaker")[0])
    np.testing.assert_array_equal(row[-1], shipped.sample(1, start=7, labels="Sneaker")[0])
    assert len(row) == 5
    with pytest.raises(UsageError, match="steps = 1"):
        shipped.interpolate(1)


def test_a_walk_comes_back(shipped):
    walk = shipped.walk(stops=2, steps=3, label="Dress")
    with Image.open(io.BytesIO(walk.content)) as animation:
        assert animation.n_frames == 6 and animation.size == (140, 140)


def test_the_great_circle_keeps_the_length_and_halves_the_angle():
    a, b = np.array([2, 0, 0], np.float32), np.array([0, 2, 0], np.float32)
    way = great_circle(a, b, np.linspace(0, 1, 3))
    np.testing.assert_allclose(way, [[2, 0, 0], [2**0.5, 2**0.5, 0], [0, 2, 0]], atol=1e-6)
    same = great_circle(a, a, np.linspace(0, 1, 2))
    np.testing.assert_allclose(same, [a, a])


def test_a_generator_shows_itself(shipped):
    assert shipped._repr_html_().count("<img") == 1 and "28x28" in repr(shipped)
