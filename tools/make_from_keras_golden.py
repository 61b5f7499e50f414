"""Writes tests/golden/from_keras.npz: Keras models layer by layer, with what Keras computes.

    python -m venv keras-venv
    keras-venv/bin/pip install keras==3.15.1        # and a backend: KERAS_BACKEND=torch needs torch
    KERAS_BACKEND=torch keras-venv/bin/python tools/make_from_keras_golden.py

The file holds, for each model of `MODELS`: {name}/layers, JSON of [kind, config] a layer; {name}/{layer}/{i}, its
weights; {name}/x and {name}/y, input and output in inference; {name}/trained, the output in training mode of models
without dropout, and {name}/after/{i}, the model's weights after it (moving statistics).
"""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers as L

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden" / "from_keras.npz"

MODELS = {
    "generator": [
        keras.Input((10,)),
        L.Dense(4 * 4 * 8, use_bias=False), L.BatchNormalization(), L.LeakyReLU(), L.Reshape((4, 4, 8)),
        L.Conv2DTranspose(8, 5, strides=1, padding="same", use_bias=False), L.BatchNormalization(scale=False),
        L.ReLU(), L.Conv2DTranspose(4, (4, 4), strides=2, padding="same"), L.BatchNormalization(center=False),
        L.LeakyReLU(0.2), L.Conv2DTranspose(3, 5, strides=2, padding="same", use_bias=False, activation="tanh"),
    ],
    "discriminator": [
        keras.Input((14, 14, 3)),
        L.Conv2D(4, 5, strides=2, padding="same"), L.LeakyReLU(), L.Dropout(0.3),
        L.Conv2D(8, 5, strides=2, padding="same", activation="leaky_relu"), L.Dropout(0.3),
        L.Conv2D(6, 4, strides=1, padding="same", activation=L.ReLU(max_value=6)),
        L.Flatten(), L.Dense(1, activation="sigmoid"),
    ],
    "others": [
        keras.Input((9, 9, 4)),
        L.Rescaling(0.5, 0.1), L.ZeroPadding2D(((1, 0), (2, 1))), L.Conv2D(6, 3, dilation_rate=2, groups=2),
        L.PReLU(shared_axes=[1, 2]), L.Conv2DTranspose(4, 2, strides=3), L.Activation("gelu"),
        L.Conv2DTranspose(4, 2, strides=3, padding="same"), L.ELU(0.7), L.Cropping2D(((1, 2), (0, 1))),
        L.MaxPooling2D(3), L.LayerNormalization(), L.UpSampling2D(2), L.AveragePooling2D((2, 3), strides=1),
        L.SpatialDropout2D(0.2), L.UpSampling2D((2, 3), interpolation="bilinear"), L.Activation("swish"),
        L.Conv2DTranspose(3, 5, strides=2, activation="selu"), L.GaussianNoise(0.1), L.ReLU(negative_slope=0.1),
        L.GlobalAveragePooling2D(), L.Dense(5, activation="softmax"),
    ],
}  # fmt: skip
"""Between them every layer that `ganvas.from_keras` knows, but for global max pooling."""


def main() -> None:
    """Draw weights and inputs, and write what Keras makes of them."""
    rng, found = np.random.default_rng(0), {}
    for name, parts in MODELS.items():
        model = keras.Sequential(parts)
        shapes = [weight.shape for weight in model.get_weights()]
        drawn = [rng.normal(0, 1 / np.sqrt(max(np.prod(s[:-1]), 1)), s).astype(np.float32) for s in shapes]
        weights = iter(drawn)
        rows = []
        for i, layer in enumerate(model.layers):
            own = [next(weights) for _ in layer.weights]
            if isinstance(layer, L.BatchNormalization):
                own[-1] = np.abs(own[-1]) + 0.5  # a variance
            layer.set_weights(own)
            found |= {f"{name}/{i}/{k}": weight for k, weight in enumerate(own)}
            rows.append([type(layer).__name__, layer.get_config()])
        x = rng.normal(0, 1, (6, *model.input_shape[1:])).astype(np.float32)
        found[f"{name}/x"] = x
        found[f"{name}/y"] = np.asarray(keras.ops.convert_to_numpy(model(x, training=False)))
        if name == "generator":
            found[f"{name}/trained"] = np.asarray(keras.ops.convert_to_numpy(model(x, training=True)))
            found |= {f"{name}/after/{i}": weight for i, weight in enumerate(model.get_weights())}
        found[f"{name}/layers"] = np.array(json.dumps(rows))
    np.savez_compressed(GOLDEN, **found)
    print(f"{GOLDEN}: {GOLDEN.stat().st_size:,} bytes, keras {keras.__version__}, backend {keras.config.backend()}")


if __name__ == "__main__":
    main()
