"""What D's logit says of a latent: z -> image -> logit -> log of p(real) / p(generated), up to a constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, Int64
from torch import Tensor

from ganvas.errors import GanvasError, UsageError, option
from ganvas.training.losses import get_loss

if TYPE_CHECKING:
    from ganvas.generator import Generator
    from ganvas.sampling.discriminator import Discriminator

BATCH = 256


def rate(
    generator: Generator, discriminator: Discriminator, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None
) -> Float[Tensor, "n"]:
    """D's logits of the images of z, float32; gradients pass through. Images are bounded as they are when saved."""
    with generator.engine.autocast:
        images = generator.network(z, labels)
    return discriminator.logits(generator, images.float().clamp(-1, 1), labels)


@torch.no_grad()
def logits(
    generator: Generator,
    discriminator: Discriminator,
    z: Float32[np.ndarray, "n z"],
    labels: Int64[np.ndarray, "n"] | None,
) -> Float32[np.ndarray, "n"]:
    """The same for arrays, a batch at a time, without gradients."""
    generator.network.eval()
    parts = []
    for at in range(0, len(z), BATCH):
        part = torch.from_numpy(z[at : at + BATCH]).to(generator.engine.device)
        own = None if labels is None else torch.from_numpy(labels[at : at + BATCH]).to(generator.engine.device)
        parts.append(rate(generator, discriminator, part, own).cpu().numpy())
    return np.concatenate(parts)


def ratio_of(generator: Generator) -> Callable[[Tensor], Tensor]:
    """The loss's way from D's logit to the log density ratio; UsageError where it has none."""
    loss = generator.config.loss.name
    found = _log_ratio(loss)
    if found is None:
        raise UsageError(
            f"{option('--rejection')} needs a density ratio, and D's logit is none under the loss {loss}: "
            f"use {option('--best-of')}"
        )
    return found


def energy_of(generator: Generator) -> Callable[[Tensor], Tensor]:
    """The same; where the loss has none, the logit itself, as Che et al. 2020 (section 3.3) take a Wasserstein D's."""
    return _log_ratio(generator.config.loss.name) or (lambda logits: logits)


def _log_ratio(loss: str) -> Callable[[Tensor], Tensor] | None:
    try:
        return get_loss(loss).log_ratio
    except GanvasError:  # a loss of a plugin that is not here
        return None
