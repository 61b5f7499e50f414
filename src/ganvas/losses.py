"""Losses: (real, fake) critiques to per-sample losses of D and of G, and the accuracy rule of each loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


class Critique(NamedTuple):
    """What D says of a batch."""

    logits: Float[Tensor, "n"]
    """float32, positive = real."""
    features: Float[Tensor, "n f"]
    """The flattened input of D's last layer."""


@dataclass(frozen=True)
class Loss:
    """`terms(real, fake)` gives (d_loss [n], g_loss [n]); a logit above `threshold` is D calling an image real."""

    terms: Callable[[Critique, Critique], tuple[Float[Tensor, "n"], Float[Tensor, "n"]]]
    threshold: float


def bce(real: Critique, fake: Critique) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
    """Cross-entropy on logits with the non-saturating G loss (Goodfellow et al. 2014, arXiv 1406.2661, section 3).

    d = -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z)))), g = -log sigmoid(D(G(z))).
    """
    return softplus(-real.logits) + softplus(fake.logits), softplus(-fake.logits)


LOSSES = {"bce": Loss(bce, threshold=0.0)}
