"""The six recipes' networks in Keras, layer by layer as in the notebooks: what ganvas must equal.

Needs TensorFlow, which ganvas does not: run it in a throw-away environment,

    python -m venv keras-venv
    keras-venv/bin/pip install tensorflow-cpu==2.21.0
    keras-venv/bin/pip install --no-deps tf_keras==2.21.0
    keras-venv/bin/python tools/keras_models.py

The builders take the Keras to build with: `keras` (Keras 3) or `tf_keras` (Keras 2, the code line of the
notebooks' TensorFlow 2.6). Both give the same networks; they differ in one place, BatchNorm's moving variance
(see `make_keras_golden.py`). Every default that the two could disagree on is spelled out below.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import tensorflow as tf

LATENT_DIM = 100
CIFAR_SHAPE = (32, 32, 3)  # height, width, channels, as everywhere in Keras
FASHION_SHAPE = (28, 28, 1)

# Parameters of G and D as Keras counts them, the BatchNorm running statistics included.
PARAMETERS = {
    "fashion-dcgan": (2_330_944, 212_865),
    "cifar-dcgan": (1_455_552, 217_985),
    "cifar-dcgan-8x8": (2_733_504, 217_985),
    "cifar-dcgan-slow-d": (2_733_504, 217_985),
    "cifar-dcgan-deep": (2_897_632, 217_985),
    "cifar-dcgan-recap": (2_894_720, 218_497),
}
IMAGE_SHAPE = {recipe: FASHION_SHAPE if recipe == "fashion-dcgan" else CIFAR_SHAPE for recipe in PARAMETERS}


def leaky_relu(keras: ModuleType, slope: float = 0.3) -> Any:
    """The first argument is `alpha` in Keras 2, `negative_slope` in Keras 3; the default of both is 0.3."""
    return keras.layers.LeakyReLU(slope)


def batch_norm(keras: ModuleType) -> Any:
    return keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3)


def conv(keras: ModuleType, channels: int, kernel: int, stride: int = 1, bias: bool = False) -> Any:
    return keras.layers.Conv2D(channels, kernel, stride, "same", use_bias=bias)


def conv_transpose(keras: ModuleType, channels: int, stride: int, activation: str | None = None) -> Any:
    return keras.layers.Conv2DTranspose(channels, 5, stride, "same", use_bias=False, activation=activation)


def generator(
    keras: ModuleType,
    *,
    base: int,
    widths: tuple[int, int],
    strides: tuple[int, int, int],
    channels: int,
    activation: Callable[[], Any],
    extra: tuple[int, ...] = (),
) -> Any:
    """z [n, 100] -> images [n, h, w, channels] in [-1, 1].

    `base` is the side of the first feature map, 256 deep. `extra` adds a 3x3 convolution block of that many
    channels after each hidden transposed convolution. The BatchNorm after Dense is per feature: it precedes
    the reshape.
    """
    layers = [
        keras.layers.Dense(base * base * 256, use_bias=False),
        batch_norm(keras),
        activation(),
        keras.layers.Reshape((base, base, 256)),
    ]
    for i, width in enumerate(widths):
        layers += [conv_transpose(keras, width, strides[i]), batch_norm(keras), activation()]
        if extra:
            layers += [conv(keras, extra[i], 3), batch_norm(keras), activation()]
    layers.append(conv_transpose(keras, channels, strides[-1], "tanh"))
    return keras.Sequential([keras.layers.InputLayer((LATENT_DIM,)), *layers], name="G")


def discriminator(keras: ModuleType, shape: tuple[int, int, int]) -> Any:
    """images [n, h, w, c] -> logits [n, 1]; the discriminator of every recipe but recap."""
    layers = [keras.layers.InputLayer(shape)]
    for width in (64, 128):
        layers += [conv(keras, width, 5, 2, bias=True), leaky_relu(keras), keras.layers.Dropout(0.3)]
    return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(1)], name="D")


def recap_discriminator(keras: ModuleType) -> Any:
    """images [n, 32, 32, 3] -> logits [n, 1]; BatchNorm after the biased second convolution, no dropout."""
    layers = [
        keras.layers.InputLayer(CIFAR_SHAPE),
        conv(keras, 64, 5, 2, bias=True),
        leaky_relu(keras, 0.2),
        conv(keras, 128, 5, 2, bias=True),
        batch_norm(keras),
        leaky_relu(keras, 0.2),
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    ]
    return keras.Sequential(layers, name="D")


def build_generator(recipe: str, keras: ModuleType) -> Any:
    lrelu = partial(leaky_relu, keras)
    cifar_8x8 = partial(generator, keras, base=8, widths=(128, 64), strides=(1, 2, 2), channels=3, activation=lrelu)
    match recipe:
        case "fashion-dcgan":
            return generator(keras, base=7, widths=(128, 64), strides=(1, 2, 2), channels=1, activation=lrelu)
        case "cifar-dcgan":
            return generator(keras, base=4, widths=(128, 64), strides=(2, 2, 2), channels=3, activation=lrelu)
        case "cifar-dcgan-8x8" | "cifar-dcgan-slow-d":
            return cifar_8x8()
        case "cifar-dcgan-deep":
            return cifar_8x8(extra=(128, 32))
        case "cifar-dcgan-recap":
            return generator(
                keras, base=4, widths=(256, 128), strides=(2, 2, 2), channels=3, activation=keras.layers.ReLU
            )
    raise ValueError(f"unknown recipe {recipe!r}")


def build_discriminator(recipe: str, keras: ModuleType) -> Any:
    return recap_discriminator(keras) if recipe == "cifar-dcgan-recap" else discriminator(keras, IMAGE_SHAPE[recipe])


def build(recipe: str, keras: ModuleType) -> tuple[Any, Any]:
    """Generator and discriminator of `recipe`; AssertionError unless Keras counts `PARAMETERS`."""
    networks = build_generator(recipe, keras), build_discriminator(recipe, keras)
    counted = tuple(network.count_params() for network in networks)
    assert counted == PARAMETERS[recipe], f"{recipe}: {counted} parameters, expected {PARAMETERS[recipe]}"
    assert networks[0].output_shape[1:] == networks[1].input_shape[1:] == IMAGE_SHAPE[recipe]
    return networks


def adam(keras: ModuleType) -> Any:
    """The optimiser of recap. Keras 2's legacy Adam is that of TensorFlow 2.6; Keras 3's computes the same.

    Its epsilon is the "epsilon hat" of Kingma & Ba (2015), end of section 2: it joins the root of the
    *uncorrected* second moment. At step t torch's Adam does the same with eps = epsilon / sqrt(1 - beta2^t).
    """
    optimizers = keras.optimizers.legacy if keras.__name__ == "tf_keras" else keras.optimizers
    return optimizers.Adam(learning_rate=2e-4, beta_1=0.5, beta_2=0.999, epsilon=1e-7)


def simultaneous_step(g: Any, d: Any, g_optimizer: Any, d_optimizer: Any, z: Any, images: Any) -> dict[str, Any]:
    """Both gradients at the weights as they were, then both updates; D sees real before fake images.

    z [n, 100] and images [n, h, w, c] in, losses, logits [n, 1] and gradients out.
    """
    bce = tf.nn.sigmoid_cross_entropy_with_logits
    with tf.GradientTape(persistent=True) as tape:
        real_logits = tf.cast(d(images, training=True), tf.float32)
        fake_logits = tf.cast(d(g(z, training=True), training=True), tf.float32)
        real_loss = tf.reduce_mean(bce(tf.ones_like(real_logits), real_logits))
        fake_loss = tf.reduce_mean(bce(tf.zeros_like(fake_logits), fake_logits))
        d_loss = real_loss + fake_loss
        g_loss = tf.reduce_mean(bce(tf.ones_like(fake_logits), fake_logits))
    g_gradients = tape.gradient(g_loss, g.trainable_variables)
    d_gradients = tape.gradient(d_loss, d.trainable_variables)
    g_optimizer.apply_gradients(zip(g_gradients, g.trainable_variables, strict=True))
    d_optimizer.apply_gradients(zip(d_gradients, d.trainable_variables, strict=True))
    return {
        "d_loss": d_loss,
        "g_loss": g_loss,
        "real_logits": real_logits,
        "fake_logits": fake_logits,
        "G_gradients": g_gradients,
        "D_gradients": d_gradients,
    }


def main() -> None:
    import keras
    import tf_keras

    for module in (keras, tf_keras):
        for recipe in PARAMETERS:
            g, d = build(recipe, module)
            counts = f"{g.count_params():>9,} {d.count_params():>9,}"
            print(f"{module.__name__:8} {module.__version__}  {recipe:20} {counts}")


if __name__ == "__main__":
    main()
