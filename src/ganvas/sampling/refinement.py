"""Langevin steps in latent space: from latents of the prior towards those whose images D takes for real."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from ganvas import rng
from ganvas.sampling.density import BATCH, energy_of, rate

if TYPE_CHECKING:
    from ganvas.generator import Generator
    from ganvas.sampling.discriminator import Discriminator

KEPT = 0.9
"""Share of a latent that a step keeps: 1 would not move it, 0 would draw it again."""


def refine(
    generator: Generator,
    discriminator: Discriminator,
    z: Float32[np.ndarray, "n z"],
    labels: Int64[np.ndarray, "n"] | None,
    steps: int,
    seed: int,
    index: Int64[np.ndarray, "n"],
    kept: float = KEPT,
) -> Float32[np.ndarray, "n z"]:
    """Discriminator driven latent sampling (Che et al. 2020, arXiv 2003.06060): `steps` steps of a chain for each z.

    Its stationary density is p(z) e^d(z), p the prior and d the log density ratio of G(z), so that where D is optimal
    images follow the data. A step proposes a z + (1 - a) grad d(z) + sqrt(1 - a^2) noise, a = `kept`: Langevin dynamics
    whose prior part is exact for any step (for a linear d the whole step is), and accepts it by Metropolis and
    Hastings, so that the density is exact for any a. Latents on a sphere move as directions of normal vectors.
    """
    if not steps:
        return z
    parts = []
    for at in range(0, len(z), BATCH):
        part = slice(at, at + BATCH)
        own = None if labels is None else labels[part]
        parts.append(_refine(generator, discriminator, z[part], own, steps, seed, index[part], kept))
    return np.concatenate(parts)


@torch.inference_mode(False)  # gradients are needed, also where nobody else wants any
def _refine(
    generator: Generator,
    discriminator: Discriminator,
    z: Float32[np.ndarray, "n z"],
    labels: Int64[np.ndarray, "n"] | None,
    steps: int,
    seed: int,
    index: Int64[np.ndarray, "n"],
    a: float,
) -> Float32[np.ndarray, "n z"]:
    device, dimension = generator.engine.device, z.shape[1]
    own = None if labels is None else torch.from_numpy(labels).to(device)
    energy, on_sphere = energy_of(generator), generator.config.generator.latent == "sphere"
    generator.network.eval()

    def place(u: Tensor) -> Tensor:
        return u * (math.sqrt(dimension) / u.norm(dim=1, keepdim=True).clamp_min(1e-6)) if on_sphere else u

    def density(u: Tensor) -> tuple[Tensor, Tensor]:
        """d and its gradient."""
        with torch.enable_grad():
            u = u.detach().requires_grad_()
            d = energy(rate(generator, discriminator, place(u), own))
            (slope,) = torch.autograd.grad(d.sum(), u)
        return d.detach(), slope

    u = torch.from_numpy(z).to(device)
    d, slope = density(u)
    for step in range(steps):
        noise = torch.from_numpy(rng.normal(seed, f"refine/{step}", index, dimension)).to(device)
        new = a * u + (1 - a) * slope + math.sqrt(1 - a**2) * noise
        new_d, new_slope = density(new)
        odds = _log_density(new, new_d) - _log_density(u, d)
        odds += _log_proposal(u, new, new_slope, a) - _log_proposal(new, u, slope, a)
        chance = torch.from_numpy(rng.uniform(seed, f"refine/{step}/accept", index)).to(device)
        taken = chance.log() < odds  # never where D's logit is not finite
        u, slope = (torch.where(taken[:, None], here, there) for here, there in ((new, u), (new_slope, slope)))
        d = torch.where(taken, new_d, d)
    found: Float32[np.ndarray, "n z"] = place(u).cpu().numpy()
    return found


def _log_density(u: Float[Tensor, "n z"], d: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    return d.double() - u.double().square().sum(1) / 2


def _log_proposal(
    to: Float[Tensor, "n z"], start: Float[Tensor, "n z"], slope: Float[Tensor, "n z"], a: float
) -> Float[Tensor, "n"]:
    """log q(to | start), without what is the same for both directions."""
    return -(to - a * start - (1 - a) * slope).double().square().sum(1) / (2 * (1 - a**2))
