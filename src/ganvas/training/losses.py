"""Losses: (real, fake) critiques to per-sample losses of D and of G, and the accuracy rule of each loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, relu, softplus

from ganvas.config import LossConfig
from ganvas.models.critique import Critique


class Targets(NamedTuple):
    """What D should answer to each image of a pair, in [0, 1]: 1 = real."""

    real: Float[Tensor, "n"]
    fake: Float[Tensor, "n"]


Logits = Float[Tensor, "n"]


@dataclass(frozen=True)
class Loss:
    """`d(real, fake, targets)` [n] and `g(real, fake)` [n] of logits [n]; without targets they are 1 and 0.

    A logit above `threshold` is D calling an image real. Losses that only compare have none: there the accuracies are
    those at the threshold where both are equal, the median of all logits, and a third number is of use, the share of
    pairs in which D(real) > D(fake), ideally 0.5.
    """

    d: Callable[[Tensor, Tensor, Targets | None], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]
    threshold: float | None
    compares: bool = False
    """Whether G's loss depends on D(real)."""


def bce_d(real: Logits, fake: Logits, targets: Targets | None) -> Logits:
    """Cross-entropy on logits: -t log sigmoid(D) - (1 - t) log(1 - sigmoid(D)), for real and for fake images.

    Goodfellow et al. 2014 (arXiv 1406.2661), eq. 1; soft targets as in Salimans et al. 2016 (arXiv 1606.03498).
    """
    if targets is None:
        return softplus(-real) + softplus(fake)
    return softplus(real) - targets.real * real + softplus(fake) - targets.fake * fake


def bce_g(real: Logits, fake: Logits) -> Logits:
    """The non-saturating loss -log sigmoid(D(G(z))) (Goodfellow et al. 2014, section 3)."""
    return softplus(-fake)


def least_squares_d(real: Logits, fake: Logits, targets: Targets | None) -> Logits:
    """(D(x) - 1)^2 / 2 + D(G(z))^2 / 2 (Mao et al. 2017, arXiv 1611.04076, with a = 0, b = c = 1)."""
    t_real, t_fake = (1.0, 0.0) if targets is None else targets
    return ((real - t_real).square() + (fake - t_fake).square()) / 2


def least_squares_g(real: Logits, fake: Logits) -> Logits:
    """(D(G(z)) - 1)^2 / 2."""
    return (fake - 1).square() / 2


def hinge_d(real: Logits, fake: Logits, targets: Targets | None) -> Logits:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))) (Lim & Ye 2017, arXiv 1705.02894; Miyato et al. 2018)."""
    return relu(1 - real) + relu(1 + fake)


def wasserstein_d(real: Logits, fake: Logits, targets: Targets | None) -> Logits:
    """D(G(z)) - D(x) (Arjovsky et al. 2017, arXiv 1701.07875); D must be kept smooth by a penalty."""
    return fake - real


def raise_fake(real: Logits, fake: Logits) -> Logits:
    """-D(G(z)): G's side of the hinge and of the Wasserstein loss."""
    return -fake


def relativistic_d(real: Logits, fake: Logits, targets: Targets | None) -> Logits:
    """softplus(D(G(z)) - D(x)), each fake against one real image (Jolicoeur-Martineau 2018, arXiv 1807.00734;
    as paired by Huang et al. 2024, "R3GAN", arXiv 2501.05441)."""
    return softplus(fake - real)


def relativistic_g(real: Logits, fake: Logits) -> Logits:
    """softplus(D(x) - D(G(z)))."""
    return softplus(real - fake)


LOSSES = {
    "bce": Loss(bce_d, bce_g, threshold=0.0),
    "least-squares": Loss(least_squares_d, least_squares_g, threshold=0.5),
    "hinge": Loss(hinge_d, raise_fake, threshold=0.0),
    "wasserstein": Loss(wasserstein_d, raise_fake, threshold=None),
    "relativistic": Loss(relativistic_d, relativistic_g, threshold=None, compares=True),
}


def feature_matching(real: Float[Tensor, "n f"], fake: Float[Tensor, "n f"]) -> Float[Tensor, ""]:
    """|E f(x) - E f(G(z))|^2 over D's last features (Salimans et al. 2016, section 3.1)."""
    return (real.float().mean(0) - fake.float().mean(0)).square().sum()


def naming(critique: Critique, labels: Int[Tensor, "n"] | None, margin: float = 0.0) -> Float[Tensor, "n"] | float:
    """What D's naming of each image costs; 0 where D names no class.

    Cross-entropy, -log p(label), in nats: Odena et al. 2017 (arXiv 1610.09585), eq. 2; D learns it from real images
    (there from fakes as well), G from fakes. With a margin m: by how much the logit of the class falls short of all
    others' by it, max(0, m - c_y + max c_k) (Crammer & Singer 2001, JMLR 2, section 3): an image that D names well
    costs nothing, and what D's logits say of it is left to the game.
    """
    if critique.classes is None or labels is None:
        return 0.0
    if not margin:
        return cross_entropy(critique.classes, labels, reduction="none")
    right = critique.classes.gather(1, labels[:, None]).squeeze(1)
    others = critique.classes.scatter(1, labels[:, None], -torch.inf)
    return relu(margin - right + others.amax(1))


@torch.no_grad()
def variety(
    real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]
) -> Float[Tensor, ""]:
    """How far fakes lie from the mean of their class in the batch, by root mean square: over what real images do.

    1 where no class is there twice. Of two batches of 32 real images in ten classes it is 1.0 +- 0.08.
    """
    with torch.autocast(real.device.type, enabled=False):
        same = (labels[:, None] == labels).float()
        mean = same / same.sum(1, keepdim=True)
        of_real, of_fake = ((x - mean @ x).square().sum() for x in (real.float().flatten(1), fake.float().flatten(1)))
        return torch.where(of_real > 0, of_fake / of_real, 1.0).sqrt()


def draw_targets(config: LossConfig, n: int, rng: torch.Generator, device: torch.device) -> Targets | None:
    """Smoothed, soft and flipped targets of n pairs; None where the config asks for plain ones."""
    if not (config.smooth or config.soft or config.flip):
        return None
    softness, chance = torch.rand(2, 2, n, generator=rng, device=device)
    real = 1 - config.smooth - config.soft * softness[0]
    fake = config.soft * softness[1]
    return Targets(torch.where(chance[0] < config.flip, 0.0, real), torch.where(chance[1] < config.flip, 1.0, fake))
