"""What is measured of an update: the columns of metrics.jsonl, and how far the update moved the weights."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.config import Config
from ganvas.training.losses import get_loss
from ganvas.training.step import Networks, UpdateResult


def columns(config: Config) -> tuple[str, ...]:
    """The columns of `train_metrics`, in order."""
    loss, p = get_loss(config.loss.name), config.penalty
    notebook = ("acc/real_0.5", "acc/fake_0.5") if loss.notebook_accuracy else ()
    pairs = ("acc/pair",) if loss.threshold is None else ()
    penalty = ("penalty",) if p.r1 or p.r2 or p.gp else ()
    return (
        "loss/d", "loss/g", "acc/real", "acc/fake", *notebook, "logit/real", "logit/fake", "grad/d", "grad/g",
        *pairs, *penalty,
    )  # fmt: skip


@torch.no_grad()
def train_metrics(result: UpdateResult, config: Config) -> Float[Tensor, "s"]:
    """The values of the columns for one update, on its device.

    The accuracies follow the loss's rule (losses.Loss); `_0.5` are the course notebooks': logit against 0.5. `penalty`
    is the weighted sum, averaged over all updates, lazy penalties at full strength.
    """
    batch, threshold = result.batch, get_loss(config.loss.name).threshold
    real, fake = batch.real, batch.fake
    limit = balanced_threshold(real, fake) if threshold is None else threshold
    values = {
        "loss/d": batch.d_loss.mean(), "loss/g": batch.g_loss.mean(),
        "acc/real": (real > limit).float().mean(), "acc/fake": (fake <= limit).float().mean(),
        "acc/real_0.5": (real > 0.5).float().mean(), "acc/fake_0.5": (fake < 0.5).float().mean(),
        "acc/pair": (real > fake).float().mean(),
        "logit/real": real.mean(), "logit/fake": fake.mean(), "grad/d": result.d_norm, "grad/g": result.g_norm,
        "penalty": batch.penalty,
    }  # fmt: skip
    return torch.stack([values[name].float() for name in columns(config)])


def balanced_threshold(real: Float[Tensor, "n"], fake: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """The threshold at which as many real images lie above as fakes lie at or below: the median of all logits."""
    middle = torch.cat([real, fake]).sort().values[len(real) - 1 : len(real) + 1]
    return middle.mean()


def copy_weights(networks: Networks) -> dict[str, list[Tensor]]:
    """Copies of both networks' weights, by "g" and "d"."""
    both = {"g": networks.generator, "d": networks.discriminator}
    return {name: [p.detach().clone() for p in network.parameters()] for name, network in both.items()}


@torch.no_grad()
def update_ratio(networks: Networks, before: dict[str, list[Tensor]], result: UpdateResult) -> dict[str, float]:
    """`update_ratio/g`: norm of the change that an update made to the weights, over the norm of the weights;
    `grad/g/BLOCK`: gradient norms. The same for d."""
    found: dict[str, Tensor] = {}
    for name, network, grads in (
        ("g", networks.generator, result.batch.g_grads),
        ("d", networks.discriminator, result.batch.d_grads),
    ):
        change = [p - old for p, old in zip(network.parameters(), before[name], strict=True)]
        norm = torch.nn.utils.get_total_norm
        found[f"update_ratio/{name}"] = norm(change) / norm(before[name]).clamp(min=1e-12)
        for block, members in _blocks(network).items():
            found[f"grad/{name}/{block}"] = norm([grads[i] for i in members])
    return dict(zip(found, torch.stack(list(found.values())).tolist(), strict=True))  # read in one go


def _blocks(network: nn.Module) -> dict[str, list[int]]:
    """The indices of each block's parameters in `network.parameters()`."""
    found: dict[str, list[int]] = {}
    for i, (name, _) in enumerate(network.named_parameters()):
        words = name.split(".")
        found.setdefault(".".join(words[: 2 if words[1].isdecimal() else 1]), []).append(i)
    return found
