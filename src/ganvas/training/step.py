"""The training step, on one screen. What is minimised: objective.py; where a batch comes from: trainer.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import grad

from ganvas.training.batch import Batch, BatchResult, join
from ganvas.training.objective import Objective
from ganvas.training.optim import Optimiser
from ganvas.training.schedules import Number


@dataclass
class Networks:
    """G and D, each with its optimiser."""

    generator: nn.Module
    discriminator: nn.Module
    g_optim: Optimiser
    d_optim: Optimiser


@dataclass(frozen=True)
class UpdateResult:
    """What one update saw at the weights before it, and the norms of its gradients."""

    batch: BatchResult
    d_norm: Float[Tensor, ""]
    g_norm: Float[Tensor, ""]


def simultaneous(networks: Networks, batches: Sequence[Batch], objective: Objective) -> UpdateResult:
    """Both gradients at the weights before the update, then both optimisers step (the course's step)."""
    G, D = networks.generator, networks.discriminator
    (batch,) = batches

    def gradients(part: Batch) -> BatchResult:
        with objective.autocast:
            fake = G(part.z, part.labels)
            out = objective.for_d(D, part, fake)
            g_loss = objective.g_loss(out.real, out.fake, part, fake)
        g_grads = grad(objective.g_weight * g_loss.mean(), tuple(G.parameters()), retain_graph=True)
        d_grads = grad(out.d_loss.mean() + out.penalty, tuple(D.parameters()))
        return BatchResult(out.real.logits, out.fake.logits, out.d_loss, g_loss, out.penalty, d_grads, g_grads)

    return _step_both(
        networks, join((gradients(part) for part in batch.parts(objective.parts)), objective.world), batch.progress
    )


def one_stage(networks: Networks, batches: Sequence[Batch], objective: Objective) -> UpdateResult:
    """As `simultaneous`, with one backward pass through D (Shen et al. 2021, "OSGAN", arXiv 2103.00430).

    Both losses reach a fake image x only through its logit f, as long as D's answer to an image does not depend on the
    others. So dL_G/dx is dL_D/dx times (dL_G/df) / (dL_D/df), a number for each image. Where that is not so
    (`one_pass_tells_both`), it is `simultaneous`.
    """
    if not objective.one_pass:
        return simultaneous(networks, batches, objective)
    G, D = networks.generator, networks.discriminator
    (batch,) = batches

    def gradients(part: Batch) -> BatchResult:
        with objective.autocast:
            fake = G(part.z, part.labels)
            leaf = fake.detach().requires_grad_()
            out = objective.for_d(D, part, leaf)
        g_loss, ratio = objective.g_slope_over_d_slope(out, part.targets)
        *d_grads, at_fake = grad(out.d_loss.mean() + out.penalty, (*D.parameters(), leaf))
        rebuild = objective.rebuild_loss(part, fake)
        along = (fake * at_fake * ratio[:, None, None, None]).sum() + rebuild.mean()
        g_grads = grad(objective.g_weight * along, tuple(G.parameters()))
        g_loss = g_loss + rebuild
        return BatchResult(out.real.logits, out.fake.logits, out.d_loss, g_loss, out.penalty, tuple(d_grads), g_grads)

    return _step_both(
        networks, join((gradients(part) for part in batch.parts(objective.parts)), objective.world), batch.progress
    )


def alternating(networks: Networks, batches: Sequence[Batch], objective: Objective) -> UpdateResult:
    """D steps first, once for each batch; G's gradient then comes from the updated D.

    Goodfellow et al. 2014 (arXiv 1406.2661), algorithm 1; but G learns from the latents of D's last batch, unless it is
    given latents of its own (step.fresh).
    """
    G, D = networks.generator, networks.discriminator

    def d_gradients(part: Batch, fake: Tensor) -> BatchResult:
        with objective.autocast:
            out = objective.for_d(D, part, fake.detach())
        d_grads = grad(out.d_loss.mean() + out.penalty, tuple(D.parameters()))
        return BatchResult(out.real.logits, out.fake.logits, out.d_loss, out.d_loss, out.penalty, d_grads)

    for batch in batches:
        parts = batch.parts(objective.parts)
        with objective.autocast, torch.set_grad_enabled(batch is batches[-1] and batch.g_z is None):
            fakes = [G(part.z, part.labels) for part in parts]
        result = join(map(d_gradients, parts, fakes), objective.world)
        d_norm = networks.d_optim.step(result.d_grads, batch.progress)
    return _then_g(networks, parts, fakes, objective, result, d_norm)


def separate(networks: Networks, batches: Sequence[Batch], objective: Objective) -> UpdateResult:
    """D steps on real images alone, then on fakes alone, which G makes as for samples; then G, as in `alternating`.

    The loop of many Keras notebooks: train_on_batch of D with real images, of D with G's `predict`, of both in a row.
    """
    G, D = networks.generator, networks.discriminator
    (batch,) = batches
    parts = batch.parts(objective.parts)

    def d_gradients(part: Batch, fake: Tensor | None) -> BatchResult:
        with objective.autocast:
            logits, d_loss = objective.for_d_alone(D, part, fake)
        return BatchResult(logits, logits, d_loss, d_loss, logits.new_zeros(()), grad(d_loss.mean(), [*D.parameters()]))

    of_real = join((d_gradients(part, None) for part in parts), objective.world)
    networks.d_optim.step(of_real.d_grads, batch.progress)
    with objective.autocast, torch.no_grad():
        fakes = [G.eval()(part.z, part.labels) for part in parts]
    of_fake = join(map(d_gradients, parts, fakes), objective.world)
    d_norm = networks.d_optim.step(of_fake.d_grads, batch.progress)
    result = of_real._replace(fake=of_fake.fake, d_loss=of_real.d_loss + of_fake.d_loss, d_grads=of_fake.d_grads)
    with objective.autocast:
        fakes = [G.train()(part.z, part.labels) for part in parts] if batch.g_z is None else []
    return _then_g(networks, parts, fakes, objective, result, d_norm)


def _then_g(
    networks: Networks,
    parts: Sequence[Batch],
    fakes: Sequence[Tensor],
    objective: Objective,
    result: BatchResult,
    d_norm: Float[Tensor, ""],
) -> UpdateResult:
    """G's step after D's: on these fakes, or on those of latents of its own."""
    G, D = networks.generator.train(), networks.discriminator

    def g_gradients(part: Batch, fake: Tensor) -> BatchResult:
        with objective.autocast:
            on_real, on_fake = objective.for_g(D, part, fake)
            g_loss = objective.g_loss(on_real, on_fake, part, fake)
        g_grads = grad(objective.g_weight * g_loss.mean(), tuple(G.parameters()))
        return BatchResult(on_real.logits, on_fake.logits, g_loss, g_loss, g_loss.new_zeros(()), (), g_grads)

    if parts[0].g_z is not None:
        with objective.autocast:
            fakes = [G(part.g_z, part.labels) for part in parts]
    for_g = join(map(g_gradients, parts, fakes), objective.world)
    g_norm = networks.g_optim.step(for_g.g_grads, parts[0].progress)
    return UpdateResult(result._replace(g_loss=for_g.g_loss, g_grads=for_g.g_grads), d_norm, g_norm)


def _step_both(networks: Networks, result: BatchResult, progress: Number) -> UpdateResult:
    g_norm = networks.g_optim.step(result.g_grads, progress)
    d_norm = networks.d_optim.step(result.d_grads, progress)
    return UpdateResult(result, d_norm, g_norm)


UPDATES = {
    "simultaneous": simultaneous,
    "one-stage": one_stage,
    "alternating": alternating,
    "separate": separate,
}
