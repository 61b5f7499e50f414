"""Weights, latents and images as pure functions of names, so that golden outputs need no stored inputs.

Shared by `tools/make_keras_golden.py`, which runs them through Keras, and the parity tests, which run them
through ganvas. All is in Keras layout: convolution kernels [kh, kw, in, out], transposed ones
[kh, kw, out, in], dense [in, out], images [n, h, w, c]. `numpy.random.RandomState` is used because its stream
is frozen for ever.
"""

import math
import zlib

import numpy as np
from numpy.typing import NDArray

UNIFORM_RANGES = {
    "bias": (-0.1, 0.1),
    "gamma": (0.5, 1.5),
    "beta": (-0.2, 0.2),
    "moving_mean": (-0.2, 0.2),
    "moving_variance": (0.5, 1.5),
}
KERNELS = ("dense_kernel", "conv_kernel", "conv_transpose_kernel")


def random_state(*key: str | int) -> np.random.RandomState:
    """A generator of its own for every key."""
    return np.random.RandomState(zlib.crc32("/".join(map(str, key)).encode()))


def golden_weight(recipe: str, network: str, index: int, kind: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """One weight array of `recipe`'s network "G" or "D", in Keras layout.

    `index` is its place in that network's list in `layers.json`: layers in order; in a layer kernel, bias, or
    gamma, beta, moving_mean, moving_variance. `kind` is one of `KERNELS` (drawn from the glorot-uniform
    range) or of `UNIFORM_RANGES`. Raises KeyError for another kind.
    """
    if kind in KERNELS:
        limit = math.sqrt(6.0 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))
        low, high = -limit, limit
    else:
        low, high = UNIFORM_RANGES[kind]
    return random_state(recipe, network, index, kind).uniform(low, high, shape).astype(np.float32)


def golden_z(recipe: str, use: str, n: int, latent_dim: int = 100) -> NDArray[np.float32]:
    """Latents [n, latent_dim] ~ N(0, 1); `use` is "inference", "training", or "step0" to "step3"."""
    return random_state(recipe, "z", use).standard_normal((n, latent_dim)).astype(np.float32)


def golden_images(recipe: str, use: str, n: int, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Images [n, h, w, c], uniform in [-1, 1]; `shape` is (h, w, c)."""
    return random_state(recipe, "images", use).uniform(-1.0, 1.0, (n, *shape)).astype(np.float32)


def golden_entries(recipe: str, network: str, index: int, size: int, n: int = 64) -> NDArray[np.int64]:
    """`n` flat positions, with repeats, at which a weight of `size` values (Keras layout) is compared."""
    return random_state(recipe, network, index, "entries").randint(0, size, n, dtype=np.int64)
