"""Which of several latents an image is drawn from: the best by D's logit, or the first that D's density accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64

from ganvas import rng
from ganvas.sampling.density import logits, ratio_of
from ganvas.training import latents

if TYPE_CHECKING:
    from ganvas.generator import Generator
    from ganvas.sampling.discriminator import Discriminator

BURN_IN = 256
"""Images of each class by which rejection finds the largest density ratio."""
PERCENTILE = 80.0
"""Of the burn-in's acceptance logits: those above it are accepted with a probability of more than one half."""
TRIES = 64
"""Candidates after which rejection keeps the best of them."""


def candidate(generator: Generator, seed: int, k: int, index: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n z"]:
    """Latents of candidate number k of each image; number 0 is the image that plain sampling draws."""
    stream = "sample" if k == 0 else f"sample/{k}"
    return latents.draw_z(generator.config.generator, seed, stream, index)


def best_of(
    generator: Generator,
    discriminator: Discriminator,
    count: int,
    seed: int,
    index: Int64[np.ndarray, "n"],
    labels: Int64[np.ndarray, "n"] | None,
) -> Float32[np.ndarray, "n z"]:
    """Of `count` candidates of each image, all of its class, that with D's highest logit; of equal ones the first."""
    z = candidate(generator, seed, 0, index)
    best = logits(generator, discriminator, z, labels)
    for k in range(1, count):
        other = candidate(generator, seed, k, index)
        rated = logits(generator, discriminator, other, labels)
        better = rated > best
        z[better], best[better] = other[better], rated[better]
    return z


def accepted(
    generator: Generator,
    discriminator: Discriminator,
    seed: int,
    index: Int64[np.ndarray, "n"],
    labels: Int64[np.ndarray, "n"] | None,
    percentile: float | None = PERCENTILE,
) -> Float32[np.ndarray, "n z"]:
    """Discriminator rejection sampling (Azadi et al. 2018, arXiv 1810.06758, section 3.3).

    A candidate with log density ratio d is accepted with probability sigmoid(F - gamma), where
    F = d - M - log(1 - e^(d - M)), M is the largest d of BURN_IN images of its class, and gamma a percentile of their
    F. Without a percentile, gamma = 0 and the probability is e^(d - M), exact where M is the maximum. After TRIES
    candidates the one with the largest d stays. Raises UsageError where D's logit is no density ratio.
    """
    ratio = ratio_of(generator)
    kinds = np.zeros(len(index), np.int64) if labels is None else labels
    limits = {}
    for kind in np.unique(kinds):
        own = None if labels is None else np.full(BURN_IN, kind)
        z = latents.draw_z(generator.config.generator, seed, "burn-in", np.arange(BURN_IN))
        d = ratio(torch.from_numpy(logits(generator, discriminator, z, own))).numpy().astype(np.float64)
        gamma = 0.0 if percentile is None else float(np.percentile(_acceptance(d, d.max()), percentile))
        limits[int(kind)] = float(d.max()), gamma
    most, gamma_of = (np.array([limits[int(kind)][part] for kind in kinds]) for part in (0, 1))

    found = np.empty((len(index), generator.config.generator.latent_dim), np.float32)
    best = np.full(len(index), -np.inf)
    left = np.arange(len(index))
    for k in range(TRIES):
        if not len(left):
            break
        z = candidate(generator, seed, k, index[left])
        own = None if labels is None else labels[left]
        d = ratio(torch.from_numpy(logits(generator, discriminator, z, own))).numpy().astype(np.float64)
        better = d > best[left]
        found[left[better]], best[left[better]] = z[better], d[better]
        chance = 1 / (1 + np.exp(gamma_of[left] - _acceptance(d, most[left])))
        taken = rng.uniform(seed, f"accept/{k}", index[left]) < chance
        found[left[taken]] = z[taken]
        left = left[~taken]
    return found


def _acceptance(d: Float[np.ndarray, "n"], most: float | Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """F without gamma: the logit of e^(d - M), which is bounded by that of 1 - 1e-8."""
    below = np.minimum(d - most, -1e-8)
    found: Float[np.ndarray, "n"] = below - np.log(-np.expm1(below))
    return found
