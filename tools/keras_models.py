"""The networks of the recipes that come from Keras, layer by layer as in their sources: what ganvas must equal.

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
LATENT_DIMS = {"keras-dcgan": 128}
"""Those that differ from LATENT_DIM."""
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
    "mafda-dcgan": (4_520_384, 4_308_609),
    "keras-dcgan": (3_187_075, 398_657),
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
    widths: tuple[int, ...],
    strides: tuple[int, ...],
    channels: int,
    deep: int = 256,
    activation: Callable[[], Any],
    extra: tuple[int, ...] = (),
) -> Any:
    """z [n, 100] -> images [n, h, w, channels] in [-1, 1].

    `base` is the side of the first feature map, `deep` its channels. `extra` adds a 3x3 convolution block of that many
    channels after each hidden transposed convolution. The BatchNorm after Dense is per feature: it precedes
    the reshape.
    """
    layers = [
        keras.layers.Dense(base * base * deep, use_bias=False),
        batch_norm(keras),
        activation(),
        keras.layers.Reshape((base, base, deep)),
    ]
    for i, width in enumerate(widths):
        layers += [conv_transpose(keras, width, strides[i]), batch_norm(keras), activation()]
        if extra:
            layers += [conv(keras, extra[i], 3), batch_norm(keras), activation()]
    layers.append(conv_transpose(keras, channels, strides[-1], "tanh"))
    return keras.Sequential([keras.layers.InputLayer((LATENT_DIM,)), *layers], name="G")


def discriminator(keras: ModuleType, shape: tuple[int, int, int], widths: tuple[int, ...] = (64, 128)) -> Any:
    """images [n, h, w, c] -> logits [n, 1]; the discriminator of the notebooks, except recap's, and of mafda."""
    layers = [keras.layers.InputLayer(shape)]
    for width in widths:
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


def example_generator(keras: ModuleType) -> Any:
    """z [n, 128] -> images [n, 32, 32, 3] in [0, 1]; Keras' example, whose first map is 8 x 8 for its 64 px."""
    layers = [
        keras.layers.InputLayer((LATENT_DIMS["keras-dcgan"],)),
        keras.layers.Dense(4 * 4 * 128),
        keras.layers.Reshape((4, 4, 128)),
    ]
    for width in (128, 256, 512):
        layers += [keras.layers.Conv2DTranspose(width, 4, 2, "same"), leaky_relu(keras, 0.2)]
    layers.append(keras.layers.Conv2D(3, 5, padding="same", activation="sigmoid"))
    return keras.Sequential(layers, name="G")


def example_discriminator(keras: ModuleType) -> Any:
    """images [n, 32, 32, 3] in [0, 1] -> logits [n, 1]; Keras' example without its sigmoid."""
    layers = [keras.layers.InputLayer(CIFAR_SHAPE)]
    for width in (64, 128, 128):
        layers += [conv(keras, width, 4, 2, bias=True), leaky_relu(keras, 0.2)]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
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
        case "mafda-dcgan":
            widths, strides = (256, 128, 64), (2, 2, 2, 2)
            return generator(keras, base=2, widths=widths, strides=strides, channels=3, deep=512, activation=lrelu)
        case "keras-dcgan":
            return example_generator(keras)
    raise ValueError(f"unknown recipe {recipe!r}")


def build_discriminator(recipe: str, keras: ModuleType) -> Any:
    match recipe:
        case "cifar-dcgan-recap":
            return recap_discriminator(keras)
        case "mafda-dcgan":
            return discriminator(keras, IMAGE_SHAPE[recipe], (64, 128, 256, 512))
        case "keras-dcgan":
            return example_discriminator(keras)
    return discriminator(keras, IMAGE_SHAPE[recipe])


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


def without_dropout(keras: ModuleType, d: Any) -> Any:
    """The discriminator with the same weights and no dropout, which no two libraries draw alike."""
    layers = [layer for layer in d.layers if not isinstance(layer, keras.layers.Dropout)]
    return keras.Sequential([keras.layers.InputLayer(d.input_shape[1:]), *layers])


def mafda_update(keras: ModuleType, g: Any, d: Any, images: Any, z: Any, own_z: Any) -> tuple[Any, Any, Any]:
    """Its loop: train_on_batch of D on real images, of D on G's predictions, of G on latents of its own.

    Each network has its own Adam here. In TensorFlow 2.10 one object serves both, so that they share the count of
    steps that corrects the first moments.
    """
    critic = without_dropout(keras, d)
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizers = keras.optimizers.legacy if keras.__name__ == "tf_keras" else keras.optimizers
    critic.compile(optimizers.Adam(3e-4, beta_1=0.5), bce)
    ones = tf.ones((len(images), 1))
    on_real = critic.train_on_batch(images, 0.9 * ones)
    on_fake = critic.train_on_batch(g.predict_on_batch(z), 0 * ones)
    critic.trainable = False
    latents = keras.layers.Input((LATENT_DIM,))
    both = keras.Model(latents, critic(g(latents)))
    both.compile(optimizers.Adam(3e-4, beta_1=0.5), bce)
    return on_real, on_fake, both.train_on_batch(own_z, ones)


def example_update(keras: ModuleType, g: Any, d: Any, images: Any, z: Any, own_z: Any) -> tuple[Any, Any]:
    """The train_step of Keras' example without the noise on its labels; it calls fakes 1 and real images 0.

    The images come in [-1, 1]. The sign of D's logits is turned, so that 1 means real, as in ganvas.
    """
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizers = keras.optimizers.legacy if keras.__name__ == "tf_keras" else keras.optimizers
    n, adams = len(images), (optimizers.Adam(1e-4), optimizers.Adam(1e-4))
    together = tf.concat([g(z), (images + 1) / 2], 0)
    labels = tf.concat([tf.ones((n, 1)), tf.zeros((n, 1))], 0)
    with tf.GradientTape() as tape:
        d_loss = bce(labels, -d(together))
    adams[0].apply_gradients(zip(tape.gradient(d_loss, d.trainable_weights), d.trainable_weights, strict=True))
    with tf.GradientTape() as tape:
        g_loss = bce(tf.zeros((n, 1)), -d(g(own_z)))
    adams[1].apply_gradients(zip(tape.gradient(g_loss, g.trainable_weights), g.trainable_weights, strict=True))
    return d_loss, g_loss


LOOPS = {"mafda-dcgan": mafda_update, "keras-dcgan": example_update}
"""One update of the recipes whose loop is not the course's."""


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
