"""Keras models as torch modules: the same numbers (golden arrays of Keras 3.15.1), trainable, unknown parts named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ganvas
from ganvas.errors import UsageError
from ganvas.notebook.from_keras import FromKeras, from_keras
from ganvas.notebook.keras_layers import Initializer
from notebook.test_gan import QUICK

GOLDEN = Path(__file__).parents[1] / "golden" / "from_keras.npz"


class Layer:
    """What `from_keras` reads of a Keras layer."""

    def __init__(self, config: dict[str, Any], weights: list[np.ndarray]) -> None:
        self.config, self.weights, self.name = config, weights, config.get("name", "")

    def get_config(self) -> dict[str, Any]:
        return self.config

    def get_weights(self) -> list[np.ndarray]:
        return self.weights


def layer(kind: str, config: dict[str, Any], *weights: np.ndarray) -> Any:
    return type(kind, (Layer,), {})(config, list(weights))


class Sequential:
    """A Keras model as far as `from_keras` looks."""

    def __init__(self, layers: list[Any]) -> None:
        self.layers, self.name = layers, "sequential"


def model(name: str) -> Sequential:
    with np.load(GOLDEN) as golden:
        rows = json.loads(str(golden[f"{name}/layers"]))
        weights = [
            [golden[key] for key in sorted(k for k in golden.files if k.startswith(f"{name}/{i}/"))]
            for i in range(len(rows))
        ]
    return Sequential([layer(kind, config, *own) for (kind, config), own in zip(rows, weights, strict=True)])


def golden(key: str) -> np.ndarray:
    with np.load(GOLDEN) as arrays:
        return arrays[key]


@pytest.mark.parametrize("name", ["generator", "discriminator", "others"])
def test_outputs_are_those_of_keras(name):
    network = from_keras(model(name)).eval()
    with torch.no_grad():
        y = network(torch.from_numpy(golden(f"{name}/x")))
    assert y.shape == golden(f"{name}/y").shape
    np.testing.assert_allclose(y.numpy(), golden(f"{name}/y"), atol=1e-5)
    assert golden(f"{name}/y").std() > 1e-3  # the comparison would see another network


def test_training_mode_and_moving_statistics_are_those_of_keras():
    network = from_keras(model("generator")).train()
    y = network(torch.from_numpy(golden("generator/x")))
    np.testing.assert_allclose(y.detach().numpy(), golden("generator/trained"), atol=1e-4)
    means = [b.numpy() for name, b in network.named_buffers() if name.endswith("running_mean")]
    for mean, at in zip(means, (3, 7, 12), strict=True):  # among all weights of the model, in Keras' order
        np.testing.assert_allclose(mean, golden(f"generator/after/{at}"), atol=1e-5)
    assert not np.allclose(means[0], golden("generator/1/2"))  # they moved


def untrained(name: str) -> Sequential:
    found = model(name)
    for each in found.layers:
        if type(each).__name__ == "BatchNormalization":
            each.weights[-2] = np.zeros_like(each.weights[-2])
    return found


def test_it_trains_in_a_gan(shapes, tmp_path):
    gan = ganvas.GAN(from_keras(untrained("generator")), from_keras(untrained("discriminator")))
    run = gan.fit(shapes, out=tmp_path / "run", **{**QUICK, "kimg": 0.032})
    assert run.finished and run.networks["generator"][0].kind.startswith("Dense")
    assert run.samples().content


def test_several_seeds_draw_fresh_weights():
    network = from_keras(untrained("generator"))
    from ganvas.notebook.fresh import FreshNetwork

    source = FreshNetwork(network, "G")
    assert source.many
    one, two = (source.make(seed).state_dict()["0.weight"] for seed in (0, 1))
    bound = (6 / (10 + 128)) ** 0.5  # Glorot's
    assert not torch.equal(one, two) and 0.9 * bound < float(one.abs().max()) <= bound


def test_a_trained_model_is_noticed():
    with pytest.raises(UsageError, match="already trained"):
        ganvas.GAN(from_keras(model("generator")), from_keras(model("discriminator")))


@pytest.mark.parametrize(
    ("name", "variance"), [("GlorotNormal", 2 / (3 * 900)), ("HeUniform", 2 / 900), ("RandomNormal", 0.05**2)]
)
def test_initialisers_have_the_variance_of_keras(name, variance):
    torch.manual_seed(0)
    weight = torch.empty(200, 100, 3, 3)
    Initializer({"class_name": name, "config": {}}, (3, 3, 100, 200))(weight)
    assert float(weight.var()) == pytest.approx(variance, rel=0.03)


def test_layers_of_keras_2_and_nested_models():
    inner = Sequential([layer("LeakyReLU", {"name": "a", "alpha": 0.25}), layer("Flatten", {"name": "f"})])
    network = from_keras(Sequential([layer("InputLayer", {"name": "i"}), inner]))
    y = network(-torch.ones(2, 2, 2, 1))
    assert y.shape == (2, 4) and float(y[0, 0]) == -0.25


KERNEL = np.zeros((3, 3, 2, 4), np.float32)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (layer("Attention", {"name": "att_1"}), r"does not know the layer Attention \(att_1\)"),
        (layer("Dense", {"name": "d", "activation": "mish"}, np.zeros((2, 3))), r"activation 'mish' .* Dense \(d\)"),
        (layer("Conv2D", {"name": "c", "data_format": "channels_first"}), r"Conv2D \(c\) has its channels first"),
        (layer("Dense", {"name": "d"}), r"Dense \(d\): it has no weights yet"),
        (layer("MaxPooling2D", {"name": "m", "padding": "same"}), r"MaxPooling2D \(m\): padding='same'"),
        (
            layer("Conv2DTranspose", {"name": "t", "output_padding": 1}, KERNEL),
            r"Conv2DTranspose \(t\): output_padding",
        ),
    ],
)
def test_what_is_not_known_is_named(wrong, message):
    with pytest.raises(UsageError, match=message):
        from_keras(Sequential([wrong]))


@pytest.mark.parametrize("wrong", [None, 7, torch.nn.Linear(1, 1), "model.keras", Sequential])
def test_what_is_no_model_is_refused(wrong):
    with pytest.raises(UsageError, match="takes a Keras Sequential"):
        from_keras(wrong)
    assert FromKeras.__doc__
