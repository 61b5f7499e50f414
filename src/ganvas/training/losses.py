"""Losses: logits of real and fake images to a loss of D and of G for each pair; each with its accuracy rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, leaky_relu, relu, softplus

from ganvas.config import LossConfig
from ganvas.errors import UsageError, did_you_mean
from ganvas.models.critique import Critique
from ganvas.ranks import ALONE, World


class Targets(NamedTuple):
    """The targets of D's loss for each image of a pair, in [0, 1]: 1 = real."""

    real: Float[Tensor, "n"]
    fake: Float[Tensor, "n"]


Logits = Float[Tensor, "n"]


@dataclass(frozen=True)
class Loss:
    """What D and G minimise, for each pair of logits, and what the rest of the package needs to know of it."""

    name: str
    d: Callable[[Tensor, Tensor, Targets | None], Tensor]
    """D's loss [n] of (real logits [n], fake logits [n], targets); without targets they are 1 and 0."""
    g: Callable[[Tensor, Tensor], Tensor]
    """G's loss [n] of (real logits [n], fake logits [n])."""
    threshold: float | None
    """A logit above it means that D calls the image real. None: the loss only compares; accuracies are then taken at
    the median of all logits, and `acc/pair`, the share of pairs with D(real) > D(fake), is logged (ideal: 0.5)."""
    compares: bool = False
    """Whether G's loss depends on D(real)."""
    has_targets: bool = False
    """Whether D's loss has a target for each image, which label smoothing, soft and noisy labels change."""
    rises_with_fake: bool = False
    """Whether D's loss rises with D(fake) everywhere: the one-stage update divides by that slope."""
    rising_d: Callable[[Tensor, Tensor, Targets | None], Tensor] | None = None
    """For a loss that does not: one close to `d` that does."""
    formula: tuple[str, str] = ("", "")
    """D's and G's loss as plain text, for the report's diagram, such as "relu(1 - real) + relu(1 + fake)"."""
    reading: Mapping[str, str] = field(default_factory=dict)
    """Language ("en", "ko") -> how to read the loss curves, for the report; without it, the report's general text."""
    log_ratio: Callable[[Tensor], Tensor] | None = None
    """D's logits -> the log of p(real) / p(generated) that the best D of this loss says, up to a constant, which may
    depend on the class. None: it has no such logits, and they only order images."""
    notebook_accuracy: bool = False
    """Whether the accuracies of the course notebooks, which compare logits with 0.5, are logged as well."""

    @property
    def one_stage_d(self) -> Callable[[Tensor, Tensor, Targets | None], Tensor] | None:
        """D's loss in the one-stage update; None: this loss cannot be learned by it."""
        return self.d if self.rises_with_fake else self.rising_d

    def facts(self) -> dict[str, Any]:
        """What the report needs to know of it, recorded in the run's events."""
        formula = {name: text for name, text in zip("dg", self.formula, strict=True) if text}
        return {"threshold": self.threshold, "formula": formula, "text": dict(self.reading)}


LOSSES: dict[str, Loss] = {}


def register_loss(loss: Loss) -> Loss:
    """Make a loss available as `loss.name` of the config. A name that is taken or holds a slash raises ValueError."""
    if loss.name in LOSSES or "/" in loss.name:
        raise ValueError(f"loss name {loss.name!r} is taken or holds a slash")
    LOSSES[loss.name] = loss
    return loss


def get_loss(name: str) -> Loss:
    """The loss called `name`; UsageError with the nearest name otherwise."""
    if name not in LOSSES:
        own = "; a loss of your own needs --plugin FILE" if not did_you_mean(name, LOSSES) else ""
        raise UsageError(f"loss.name = {name}: no such loss{did_you_mean(name, LOSSES)}{own}")
    return LOSSES[name]


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


LEAK = 0.01
"""Slope of the hinge loss at fakes that D tells with a margin, in the one-stage update; 0 in all others."""


def leaky_hinge_d(real: Logits, fake: Logits, targets: Targets | None) -> Logits:
    """The hinge loss, with a slope of LEAK in place of 0 where D(G(z)) < -1: G still learns from such fakes."""
    return relu(1 - real) + leaky_relu(1 + fake, LEAK)


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


def itself(logits: Logits) -> Logits:
    """The best D's logit is the log density ratio (Goodfellow et al. 2014, proposition 1).

    Under the relativistic loss too, but for a constant: softplus(D(y) - D(x)) is the cross-entropy of telling which of
    a real and a generated image is which, and so D(x) - D(y) the log of p(x) q(y) / (q(x) p(y)).
    """
    return logits


def log_odds(logits: Logits) -> Logits:
    """log(D / (1 - D)): with targets 1 and 0, the best D is p / (p + q) (Mao et al. 2017, eq. 4); D within 0.001 of
    them is bounded."""
    inside = logits.clamp(1e-3, 1 - 1e-3)
    return inside.log() - (-inside).log1p()


register_loss(
    Loss("bce", bce_d, bce_g, 0.0, has_targets=True, rises_with_fake=True, log_ratio=itself, notebook_accuracy=True)
)
register_loss(Loss("least-squares", least_squares_d, least_squares_g, 0.5, has_targets=True, log_ratio=log_odds))
register_loss(Loss("hinge", hinge_d, raise_fake, 0.0, rising_d=leaky_hinge_d))
register_loss(Loss("wasserstein", wasserstein_d, raise_fake, None, rises_with_fake=True))
register_loss(
    Loss("relativistic", relativistic_d, relativistic_g, None, compares=True, rises_with_fake=True, log_ratio=itself)
)


def feature_matching(real: Float[Tensor, "n f"], fake: Float[Tensor, "n f"], world: World = ALONE) -> Float[Tensor, ""]:
    """|E f(x) - E f(G(z))|^2 over D's last features (Salimans et al. 2016, section 3.1)."""
    return world.mean(real.float().mean(0) - fake.float().mean(0)).square().sum()


THUMBNAIL = 16
"""Side in pixels of the thumbnails that `thumbnail_distance` compares."""


def thumbnail_distance(images: Float[Tensor, "n c h w"], others: Float[Tensor, "n c h w"]) -> Float[Tensor, "n"]:
    """The mean absolute difference of each pair's thumbnails, their largest halving of at most 16 px, in [0, 2]."""
    side = images.shape[-1]
    while side > THUMBNAIL:
        side = -(-side // 2)
    difference = adaptive_avg_pool2d(images.float() - others.float(), side)
    return difference.abs().mean((1, 2, 3))


def classification_loss(
    critique: Critique, labels: Int[Tensor, "n"] | None, margin: float = 0.0
) -> Float[Tensor, "n"] | float:
    """The loss of D's class logits for each image; 0 where D has none.

    Cross-entropy, -log p(label), in nats: Odena et al. 2017 (arXiv 1610.09585), eq. 2; here D learns it from real
    images (there from fakes as well), G from fakes. With a margin m it counts only for images whose right logit does
    not exceed all others by m: one that is classified well costs nothing, so the loss stops pulling D's logits there
    (the margin is that of Crammer & Singer 2001, JMLR 2, section 3; their hinge max(0, m - c_y + max c_k) pulls at one
    wrong class alone, and D, which begins with logits near 0, learned from it far more slowly).
    """
    if critique.classes is None or labels is None:
        return 0.0
    loss = cross_entropy(critique.classes, labels, reduction="none")
    if not margin:
        return loss
    right = critique.classes.gather(1, labels[:, None]).squeeze(1)
    others = critique.classes.scatter(1, labels[:, None], -torch.inf).amax(1)
    return loss * (right - others < margin)


@torch.no_grad()
def within_class_variety(
    real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"]
) -> Float[Tensor, ""]:
    """RMS distance of fakes from the mean of their class in the batch, over that of the real images.

    1 where no class occurs twice. For two batches of 32 real images in ten classes it is 1.0 +- 0.08.
    """
    with torch.autocast(real.device.type, enabled=False):
        same = (labels[:, None] == labels).float()
        mean = same / same.sum(1, keepdim=True)
        of_real, of_fake = ((x - mean @ x).square().sum() for x in (real.float().flatten(1), fake.float().flatten(1)))
        return torch.where(of_real > 0, of_fake / of_real, 1.0).sqrt()


def draw_targets(config: LossConfig, n: int, rng: torch.Generator, device: torch.device) -> Targets | None:
    """Smoothed, soft and flipped targets of n pairs; None where the config has plain ones."""
    if not (config.smooth or config.soft or config.flip):
        return None
    softness, chance = torch.rand(2, 2, n, generator=rng, device=device)
    real = 1 - config.smooth - config.soft * softness[0]
    fake = (-config.soft if config.soft_below else config.soft) * softness[1]
    return Targets(torch.where(chance[0] < config.flip, 0.0, real), torch.where(chance[1] < config.flip, 1.0, fake))
