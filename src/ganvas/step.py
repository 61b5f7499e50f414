"""The training step, on one screen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.losses import Critique, Loss
from ganvas.optim import Adam


@dataclass
class Players:
    """The two networks and their optimisers."""

    generator: nn.Module
    discriminator: nn.Module
    g_optim: Adam
    d_optim: Adam


@dataclass(frozen=True)
class Batch:
    """What one update is made from; `progress` in [0, 1] of the run sets the learning rates."""

    real: Float[Tensor, "n c h w"]
    z: Float[Tensor, "n z"]
    labels: Int[Tensor, "n"] | None
    progress: float


@dataclass(frozen=True)
class Outcome:
    """What one update saw: critiques at the weights as they were, per-sample losses, gradient norms."""

    real: Critique
    fake: Critique
    d_loss: Float[Tensor, "n"]
    g_loss: Float[Tensor, "n"]
    d_norm: Float[Tensor, ""]
    g_norm: Float[Tensor, ""]


def simultaneous(players: Players, batch: Batch, loss: Loss, g_weight: float, autocast: torch.autocast) -> Outcome:
    """Both gradients from the weights as they were, then both optimisers step (the course's step)."""
    G, D = players.generator, players.discriminator
    with autocast:
        fake = G(batch.z, batch.labels)
        on_real, on_fake = D(batch.real, batch.labels), D(fake, batch.labels)
        d_loss, g_loss = loss.terms(on_real, on_fake)
    g_grads = torch.autograd.grad(g_weight * g_loss.mean(), tuple(G.parameters()), retain_graph=True)
    d_grads = torch.autograd.grad(d_loss.mean(), tuple(D.parameters()))
    g_norm = players.g_optim.step(g_grads, batch.progress)
    d_norm = players.d_optim.step(d_grads, batch.progress)
    return Outcome(on_real, on_fake, d_loss, g_loss, d_norm, g_norm)


def alternating(players: Players, batch: Batch, loss: Loss, g_weight: float, autocast: torch.autocast) -> Outcome:
    """D steps first; G's gradient then comes from the updated D (Goodfellow et al. 2014, algorithm 1)."""
    G, D = players.generator, players.discriminator
    with autocast:
        fake = G(batch.z, batch.labels)
        on_real, on_fake = D(batch.real, batch.labels), D(fake.detach(), batch.labels)
        d_loss, _ = loss.terms(on_real, on_fake)
    d_grads = torch.autograd.grad(d_loss.mean(), tuple(D.parameters()))
    d_norm = players.d_optim.step(d_grads, batch.progress)
    with autocast:
        _, g_loss = loss.terms(Critique(*(t.detach() for t in on_real)), D(fake, batch.labels))
    g_grads = torch.autograd.grad(g_weight * g_loss.mean(), tuple(G.parameters()))
    g_norm = players.g_optim.step(g_grads, batch.progress)
    return Outcome(on_real, on_fake, d_loss, g_loss, d_norm, g_norm)


UPDATES = {"simultaneous": simultaneous, "alternating": alternating}

STATISTICS = (
    "loss/d", "loss/g", "acc/real", "acc/fake", "acc/real_0.5", "acc/fake_0.5",
    "logit/real", "logit/fake", "grad/d", "grad/g",
)  # fmt: skip


@torch.no_grad()
def statistics(outcome: Outcome, loss: Loss) -> Float[Tensor, "s"]:
    """The STATISTICS of one update, on its device. The `_0.5` pair is the notebooks' own rule: logit against 0.5."""
    real, fake = outcome.real.logits, outcome.fake.logits
    values = [
        outcome.d_loss.mean(), outcome.g_loss.mean(),
        (real > loss.threshold).float().mean(), (fake <= loss.threshold).float().mean(),
        (real > 0.5).float().mean(), (fake < 0.5).float().mean(),
        real.mean(), fake.mean(), outcome.d_norm, outcome.g_norm,
    ]  # fmt: skip
    return torch.stack([value.float() for value in values])
