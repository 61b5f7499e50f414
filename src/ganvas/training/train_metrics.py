"""What a row of metrics.jsonl says of the updates since the last one."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.config import Config
from ganvas.training.losses import get_loss
from ganvas.training.step import Outcome


def names(config: Config) -> tuple[str, ...]:
    """The columns, in the order of `statistics`."""
    loss, p = get_loss(config.loss.name), config.penalty
    notebooks = ("acc/real_0.5", "acc/fake_0.5") if loss.notebook_accuracy else ()
    pairs = ("acc/pair",) if loss.threshold is None else ()
    penalty = ("penalty",) if p.r1 or p.r2 or p.gp else ()
    return (
        "loss/d", "loss/g", "acc/real", "acc/fake", *notebooks, "logit/real", "logit/fake", "grad/d", "grad/g",
        *pairs, *penalty,
    )  # fmt: skip


@torch.no_grad()
def statistics(outcome: Outcome, config: Config) -> Float[Tensor, "s"]:
    """The columns' values for one update, on its device.

    The accuracies follow the loss's rule (losses.Loss); `_0.5` is the notebooks' own: logit against 0.5. `penalty` is
    the weighted sum, averaged over all updates, lazy ones at full strength.
    """
    found, threshold = outcome.found, get_loss(config.loss.name).threshold
    real, fake = found.real, found.fake
    limit = balanced(real, fake) if threshold is None else threshold
    values = {
        "loss/d": found.d_loss.mean(), "loss/g": found.g_loss.mean(),
        "acc/real": (real > limit).float().mean(), "acc/fake": (fake <= limit).float().mean(),
        "acc/real_0.5": (real > 0.5).float().mean(), "acc/fake_0.5": (fake < 0.5).float().mean(),
        "acc/pair": (real > fake).float().mean(),
        "logit/real": real.mean(), "logit/fake": fake.mean(), "grad/d": outcome.d_norm, "grad/g": outcome.g_norm,
        "penalty": found.penalty,
    }  # fmt: skip
    return torch.stack([values[name].float() for name in names(config)])


def balanced(real: Float[Tensor, "n"], fake: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """The threshold at which as many real images lie above as fakes lie at or below: the median of all logits."""
    middle = torch.cat([real, fake]).sort().values[len(real) - 1 : len(real) + 1]
    return middle.mean()
