"""Keras 3 models of the torch backend as G and D: slow, as importing Keras takes seconds."""

from __future__ import annotations

import os

import pytest
import torch

from ganvas.notebook.gan import GAN
from ganvas.notebook.own_networks import KerasNetwork, OwnDiscriminator
from notebook.test_gan import QUICK

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    os.environ["KERAS_BACKEND"], os.environ["KERAS_HOME"] = "torch", str(tmp_path_factory.mktemp("keras"))
    import keras

    return keras


def discriminator(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((16, 16, 3)), layers.Conv2D(8, 5, 2, padding="same"), layers.LeakyReLU(0.3), layers.Dropout(0.3),
        layers.Flatten(), layers.Dense(1),
    ])  # fmt: skip


def generator(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((10,)), layers.Dense(8 * 4 * 4, use_bias=False), layers.BatchNormalization(),
        layers.LeakyReLU(0.3), layers.Reshape((4, 4, 8)),
        layers.Conv2DTranspose(8, 5, 2, padding="same"), layers.LeakyReLU(0.3),
        layers.Conv2DTranspose(3, 5, 2, padding="same", activation="tanh"),
    ])  # fmt: skip


def nested(keras):
    """The convolutions as a model within the model."""
    layers = keras.layers
    inner = keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(8, 5, 2, padding="same"), layers.LeakyReLU(0.3)])
    x = keras.Input((16, 16, 3))
    return keras.Model(x, layers.Dense(1)(layers.Flatten()(inner(x))))


@pytest.mark.parametrize("make", [discriminator, nested])
def test_features_are_the_inputs_of_the_last_dense_layer(keras, make):
    model = make(keras)
    D = OwnDiscriminator(KerasNetwork(model).eval(), "nhwc", False, False)
    x = torch.randn(4, 3, 16, 16)
    found = D(x)
    assert found.features.shape == (4, 8 * 8 * 8)
    weight, bias = (v.value for v in model.layers[-1].variables)
    torch.testing.assert_close((found.features @ weight + bias)[:, 0], found.logits)


def test_they_train_with_feature_matching(keras, shapes, in_tmp):
    gan = GAN(lambda: generator(keras), lambda: discriminator(keras))
    plain = gan.fit(shapes, out="plain", **QUICK)
    matched = gan.fit(shapes, out="matched", tricks=["feature-matching"], **QUICK)
    assert plain.finished and matched.finished
    a, b = (run.generator.network.state_dict() for run in (plain, matched))
    assert a.keys() == b.keys() and not all(torch.equal(a[name], b[name]) for name in a)
