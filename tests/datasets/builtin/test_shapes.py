"""The procedural set: the same bytes everywhere, known modes, inside the picture."""

import hashlib

import numpy as np
import pytest

from ganvas.datasets.builtin import shapes
from ganvas.datasets.pixels import luma

PINNED = {
    (32, 3): "6ee15ac464b9cf0f04f552e7b1739e99969957b9f1ffd39750af57e671242c67",
    (28, 1): "6c8090bd850cd02f2a06a3bb3f6266bea073b1dc3e44fd16b7055bb661ec0a43",
    (8, 3): "e52114cea805a39916204ffb624827e5896907d0f0885ebb533826a6d50cac90",
}


@pytest.mark.parametrize(("size", "channels"), PINNED)
def test_first_hundred_images_are_pinned(size, channels):
    images = shapes.render(np.arange(100), size, channels)
    assert images.shape == (100, channels, size, size)
    assert images.dtype == np.uint8
    assert hashlib.sha256(images.tobytes()).hexdigest() == PINNED[size, channels]


def test_modes_are_shape_times_colour_in_equal_shares():
    shown = shapes.parameters(np.arange(8000))
    modes, counts = np.unique(np.stack([shown.label, shown.colour]), axis=1, return_counts=True)
    assert modes.shape == (2, 80)
    assert set(counts) == {100}


def test_parameters_are_a_pure_function_of_the_index():
    whole, part = shapes.parameters(np.arange(300)), shapes.parameters([7, 250])
    for all_values, some in zip(whole, part, strict=True):
        np.testing.assert_array_equal(all_values[[7, 250]], some)


@pytest.mark.parametrize("size", [8, 13, 32, 64])
def test_one_image_is_the_same_alone_and_in_a_batch(size):
    np.testing.assert_array_equal(shapes.render([37], size)[0], shapes.render(np.arange(40), size)[37])


def test_shapes_lie_wholly_inside():
    shown = shapes.parameters(np.arange(20_000))
    for centre in (shown.x, shown.y):
        assert (centre - shown.radius).min() >= 0
        assert (centre + shown.radius).max() <= shapes.UNIT


@pytest.mark.parametrize("label", range(len(shapes.CLASSES)))
def test_every_shape_looks_like_no_other(label):
    """At equal place, size and colour, any two shapes differ in a fair share of the pixels."""
    masks = [shapes._coverage(k, 384, 32, 0, 0).astype(int) for k in range(len(shapes.CLASSES))]
    area = (masks[label] > 8).sum()
    assert area > 100
    for other in range(len(shapes.CLASSES)):
        if other != label:
            assert ((masks[label] > 8) != (masks[other] > 8)).sum() > 0.15 * area, shapes.CLASSES[other]


def test_mirror_symmetry():
    for k in range(len(shapes.CLASSES)):
        mask = shapes._samples(k, 384, 32)
        np.testing.assert_array_equal(mask, mask[:, ::-1], err_msg=shapes.CLASSES[k])


def test_colours_are_true_and_lumas_apart():
    image = shapes.render([0], 32)[0]
    assert set(map(tuple, image.reshape(3, -1).T.tolist())) >= {(0, 0, 0), shapes.COLOURS["blue"]}
    palette = np.array(list(shapes.COLOURS.values()), np.uint8)[:, :, None, None]
    assert np.diff(np.sort(luma(palette).reshape(-1).astype(int))).min() >= 20


def test_splits_are_disjoint_and_limits_are_prefixes():
    train, labels = shapes.draw("train", 200, 16, 3)
    more, _ = shapes.draw("train", 300, 16, 3)
    test, _ = shapes.draw("test", 200, 16, 3)
    np.testing.assert_array_equal(train, more[:200])
    assert np.bincount(labels).tolist() == [20] * 10
    assert not (train == test).all(axis=(1, 2, 3)).any()
    assert shapes.draw("test", None, 8, 1)[0].shape == (2000, 1, 8, 8)
