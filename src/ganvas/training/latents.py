"""What G is given: z and classes, as functions of (seed, stream, index)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Int64

from ganvas import rng
from ganvas.config import GeneratorConfig

ROW = 8
"""Images in a row of a sample grid; each row shows one class."""


def draw_z(
    config: GeneratorConfig, seed: int, stream: str, index: Int64[np.ndarray, "n"]
) -> Float32[np.ndarray, "n z"]:
    """z ~ N(0, 1), or the same on the sphere of radius sqrt(latent_dim) (White 2016, arXiv 1609.04468)."""
    z = rng.normal(seed, stream, index, config.latent_dim)
    if config.latent == "sphere":
        z *= np.sqrt(config.latent_dim) / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-6)
    return z


def great_circle(
    a: Float32[np.ndarray, "z"], b: Float32[np.ndarray, "z"], at: Float[np.ndarray, "n"]
) -> Float32[np.ndarray, "n z"]:
    """Latents on the way from a (at 0) to b (at 1): spherical interpolation (Shoemake 1985), lengths in proportion."""
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    cosine = float(np.clip(a @ b / np.maximum(lengths[0] * lengths[1], 1e-12), -1, 1))
    angle, at = np.arccos(cosine), at[:, None]
    if np.sin(angle) < 1e-6:  # the same direction, or none between opposite ones
        way = a * (1 - at) + b * at
    else:
        way = (np.sin((1 - at) * angle) * a + np.sin(at * angle) * b) / np.sin(angle)
    return np.asarray(way, np.float32)


def grid_labels(count: int, classes: int) -> Int64[np.ndarray, "n"]:
    """One class a row, from the first class on and round again."""
    return np.arange(count) // ROW % classes


def draw_labels(frequencies: Sequence[int], seed: int, index: Int64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    """A class for each index, as often as in the training images."""
    edges = np.cumsum(frequencies) / np.sum(frequencies)
    return np.searchsorted(edges, rng.uniform(seed, "class", index), side="right").clip(max=len(edges) - 1)
