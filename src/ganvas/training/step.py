"""The training step, on one screen. What D is shown and what its losses are: look.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import grad

from ganvas.training.batch import Batch, Found, whole
from ganvas.training.objective import Rules
from ganvas.training.optim import Optimiser


@dataclass
class Players:
    """The two networks and their optimisers."""

    generator: nn.Module
    discriminator: nn.Module
    g_optim: Optimiser
    d_optim: Optimiser


@dataclass(frozen=True)
class Outcome:
    """What one update saw, and the norms of its gradients."""

    found: Found
    d_norm: Float[Tensor, ""]
    g_norm: Float[Tensor, ""]


def simultaneous(players: Players, batches: Sequence[Batch], rules: Rules) -> Outcome:
    """Both gradients from the weights as they were, then both optimisers step (the course's step)."""
    G, D = players.generator, players.discriminator
    (batch,) = batches

    def both(part: Batch) -> Found:
        with rules.autocast:
            fake = G(part.z, part.labels)
            view = rules.look(D, *part.shown(fake), part.targets, part.due, part.named, part.rng)
            g_loss = rules.g_loss(view.real, view.fake, part.labels)
        g_grads = grad(rules.g_weight * g_loss.mean(), tuple(G.parameters()), retain_graph=True)
        d_grads = grad(view.d_loss.mean() + view.penalty, tuple(D.parameters()))
        return Found(view.real.logits, view.fake.logits, view.d_loss, g_loss, view.penalty, d_grads, g_grads)

    return _stepped(players, whole(both(part) for part in batch.parts(rules.parts)), batch.progress)


def one_stage(players: Players, batches: Sequence[Batch], rules: Rules) -> Outcome:
    """As `simultaneous`, with one backward pass through D (Shen et al. 2021, "OSGAN", arXiv 2103.00430).

    Both losses reach a fake image x only through its logit f, where D looks at each image alone. So dL_G/dx is
    dL_D/dx times (dL_G/df) / (dL_D/df), a number for each image.
    """
    G, D = players.generator, players.discriminator
    (batch,) = batches

    def both(part: Batch) -> Found:
        with rules.autocast:
            fake = G(part.z, part.labels)
            seen = fake.detach().requires_grad_()
            view = rules.look(D, *part.shown(seen), part.targets, part.due, part.named, part.rng)
        g_loss, ratio = rules.g_from_d(view, part.targets)
        *d_grads, at_fake = grad(view.d_loss.mean() + view.penalty, (*D.parameters(), seen))
        g_grads = grad(fake, tuple(G.parameters()), at_fake * (rules.g_weight * ratio)[:, None, None, None])
        return Found(view.real.logits, view.fake.logits, view.d_loss, g_loss, view.penalty, tuple(d_grads), g_grads)

    return _stepped(players, whole(both(part) for part in batch.parts(rules.parts)), batch.progress)


def alternating(players: Players, batches: Sequence[Batch], rules: Rules) -> Outcome:
    """D steps first, once for each batch; G's gradient then comes from the updated D.

    Goodfellow et al. 2014 (arXiv 1406.2661), algorithm 1; but G learns from the latents that D has just met.
    """
    G, D = players.generator, players.discriminator

    def for_d(part: Batch, fake: Tensor) -> Found:
        with rules.autocast:
            view = rules.look(D, *part.shown(fake.detach()), part.targets, part.due, part.named, part.rng)
        d_grads = grad(view.d_loss.mean() + view.penalty, tuple(D.parameters()))
        return Found(view.real.logits, view.fake.logits, view.d_loss, view.d_loss, view.penalty, d_grads)

    def for_g(part: Batch, fake: Tensor) -> Found:
        with rules.autocast:
            real, fooled = rules.look_again(D, *part.shown(fake))
            g_loss = rules.g_loss(real, fooled, part.labels)
        g_grads = grad(rules.g_weight * g_loss.mean(), tuple(G.parameters()))
        return Found(real.logits, fooled.logits, g_loss, g_loss, g_loss.new_zeros(()), (), g_grads)

    for batch in batches:
        parts = batch.parts(rules.parts)
        with rules.autocast, torch.set_grad_enabled(batch is batches[-1]):
            fakes = [G(part.z, part.labels) for part in parts]
        found = whole(for_d(part, fake) for part, fake in zip(parts, fakes, strict=True))
        d_norm = players.d_optim.step(found.d_grads, batch.progress)
    on_g = whole(for_g(part, fake) for part, fake in zip(parts, fakes, strict=True))
    g_norm = players.g_optim.step(on_g.g_grads, batches[-1].progress)
    return Outcome(found._replace(g_loss=on_g.g_loss, g_grads=on_g.g_grads), d_norm, g_norm)


def _stepped(players: Players, found: Found, progress: float) -> Outcome:
    g_norm = players.g_optim.step(found.g_grads, progress)
    d_norm = players.d_optim.step(found.d_grads, progress)
    return Outcome(found, d_norm, g_norm)


UPDATES = {"simultaneous": simultaneous, "one-stage": one_stage, "alternating": alternating}
