"""What an update minimises: the losses of each pair of images, the classification loss and the penalties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.config import Config
from ganvas.models import family_of
from ganvas.models.critique import Critique
from ganvas.ranks import ALONE, World
from ganvas.training.augment import Augment, Draws
from ganvas.training.batch import Batch, DInput
from ganvas.training.engine.compiled import eager
from ganvas.training.losses import (
    Targets,
    classification_loss,
    feature_matching,
    get_loss,
    thumbnail_distance,
    within_class_variety,
)
from ganvas.training.penalties import add_noise, finite_difference, gradient_penalty, penalised, squared_gradient


@dataclass(frozen=True)
class DOutput:
    """D's critiques of real and fake images, its loss for each pair, and the weighted sum of the penalties."""

    real: Critique
    fake: Critique
    d_loss: Float[Tensor, "n"]
    penalty: Float[Tensor, ""]


def one_pass_tells_both(config: Config) -> bool:
    """Whether D's backward pass tells G's gradient too, as `one-stage` asks; else that update is `simultaneous`.

    A fake image must count for both losses through its own logit alone (and for G as what it rebuilds), and D's loss
    must rise with that logit.
    """
    own, d = config.loss, config.discriminator
    beside = own.feature_matching or own.g_classify or family_of(d).discriminator_uses_batch(d)
    falls = own.soft or own.flip or config.penalty.centring
    return get_loss(own.name).one_stage_d is not None and not (beside or falls)


class Objective:
    """The config's losses, augmentation and penalties, put together. It has no state that changes in training."""

    def __init__(self, config: Config, augment: Augment, autocast: torch.autocast, world: World = ALONE) -> None:
        self.config, self.augment, self.autocast, self.world = config, augment, autocast, world
        self.loss = get_loss(config.loss.name)
        self.one_pass = config.step.update == "one-stage" and one_pass_tells_both(config)
        self.pair_loss = (self.loss.one_stage_d if self.one_pass else None) or self.loss.d

    @property
    def g_weight(self) -> float:
        """Factor on G's loss."""
        return self.config.loss.g_weight

    @property
    def parts(self) -> int:
        """Number of parts in which a batch is computed."""
        return self.config.step.accumulate

    # -- scales of one update ----------------------------------------------------------------------------------

    def penalty_scale(self, update: int, strength: float) -> float:
        """Factor on D's penalties in the update of this number.

        Lazy penalties count in one update of `every`, times `every` (Karras et al. 2020, arXiv 1912.04958); adaptive
        ones at their `strength`.
        """
        p = self.config.penalty
        return (0 if update % p.every else p.every) * (strength if p.adapt else 1.0)

    def classify_scale(self, strength: float) -> float:
        """Factor on D's classification loss: it falls as adaptive penalties grow because D leads.

        The loss rewards G for typical images of a class; where D leads, modes are at risk.
        """
        return self.config.discriminator.classify * (1 - strength if self.config.penalty.adapt else 1.0)

    # -- losses ------------------------------------------------------------------------------------------------

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets | None) -> Float[Tensor, "n"]:
        """D's loss for each pair of logits, with the centring term that pins what a relativistic loss leaves free."""
        loss, weight = self.pair_loss(real, fake, targets), self.config.penalty.centring
        return loss + weight * (real + fake).square() if weight else loss

    def g_loss(
        self, real: Critique, fake: Critique, batch: Batch, images: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n"]:
        """G's loss for each pair: of the logits, feature matching, the classification and the rebuilding of fakes."""
        loss, own = self.loss.g(real.logits.detach(), fake.logits), self.config.loss
        if batch.rebuild is not None:
            loss = loss + self.rebuild_loss(batch, images)
        if own.feature_matching:
            loss = loss + own.feature_matching * feature_matching(real.features.detach(), fake.features, self.world)
        return loss + own.g_classify * classification_loss(fake, batch.labels) if own.g_classify else loss

    def rebuild_loss(self, batch: Batch, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n"]:
        """The part of G's loss that D has no part in: how far fakes are from the images that they are to rebuild."""
        if batch.rebuild is None:
            return images.new_zeros(len(images))
        return batch.rebuild * thumbnail_distance(images, batch.real)

    def g_slope_over_d_slope(
        self, out: DOutput, targets: Targets | None
    ) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
        """G's loss of the logits for each pair, and its slope in D(fake) over the slope of D's loss."""
        real, fake = out.real.logits.detach(), out.fake.logits.detach().requires_grad_()
        g_loss = self.loss.g(real, fake)
        (of_g,) = torch.autograd.grad(g_loss.sum(), fake)
        (of_d,) = torch.autograd.grad(self.d_loss(real, fake, targets).sum(), fake)
        return g_loss.detach(), (of_g / of_d.clamp(min=1e-12)).detach()

    # -- D's passes --------------------------------------------------------------------------------------------

    def for_d(self, D: nn.Module, batch: Batch, fake: Float[Tensor, "n c h w"]) -> DOutput:
        """D's critiques, loss and penalties of a batch and its fakes. The gradient of the penalties ends at D."""
        real_input, fake_input = batch.inputs(fake)
        p, inputs = self.config.penalty, [real_input, fake_input]
        k = penalised(p, len(batch.real) * self.world.size) // self.world.size if batch.penalised else 0
        r, f = real_input.first(k), fake_input.first(k)
        if k and p.form == "finite":  # D at noisy copies as well, in the same call
            inputs += [r._replace(images=add_noise(r.images, p.sigma, batch.rng, self.world))] if p.r1 else []
            inputs += [f._replace(images=add_noise(f.images, p.sigma, batch.rng, self.world))] if p.r2 else []
            inputs += [f] if p.r2 and self.one_pass else []
        on_real, on_fake, *noisy = self.critiques(D, inputs)
        d_loss = self.d_loss(on_real.logits, on_fake.logits, batch.targets)
        if batch.classified:
            d_loss = d_loss + batch.classify_scale * self._classification_loss(on_real, real_input, fake_input)
        penalty = d_loss.new_zeros(())
        if k and p.form == "finite":
            here = (noisy.pop() if p.r2 and self.one_pass else on_fake).logits[:k]
            penalty = batch.penalty_scale * self._finite(on_real.logits[:k], here, [c.logits for c in noisy])
        elif k:
            penalty = batch.penalty_scale * self.exact(D, r, f, batch.rng)
        return DOutput(on_real, on_fake, d_loss, penalty)

    def for_d_alone(
        self, D: nn.Module, batch: Batch, fake: Float[Tensor, "n c h w"] | None
    ) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
        """D's logits of the fakes alone, or of the real images for None, and their part of its loss.

        Both parts together are the loss of the pairs, as long as that is a term of D(real) plus one of D(fake).
        """
        real_input, fake_input = batch.inputs(batch.real if fake is None else fake)
        (critique,) = self.critiques(D, [real_input if fake is None else fake_input])
        logits, nothing = critique.logits, torch.zeros_like(critique.logits)
        if fake is None:
            return logits, self.d_loss(logits, nothing, batch.targets)
        return logits, self.d_loss(nothing, logits, batch.targets) - self.d_loss(nothing, nothing, batch.targets)

    def for_g(self, D: nn.Module, batch: Batch, fake: Float[Tensor, "n c h w"]) -> tuple[Critique, Critique]:
        """Critiques for G's loss alone; those of the real images are computed only where that loss needs them."""
        real_input, fake_input = batch.inputs(fake)
        (on_fake,) = self.critiques(D, [fake_input])
        if not (self.loss.compares or self.config.loss.feature_matching):
            return on_fake, on_fake
        with torch.no_grad():
            (on_real,) = self.critiques(D, [real_input])
        return on_real, on_fake

    def critiques(self, D: nn.Module, inputs: Sequence[DInput]) -> list[Critique]:
        """D's critiques of several sets of images, from one call (step.joint) or from a call for each."""
        images = [self.augment(x.images, x.draws) for x in inputs]
        labels = [x.labels for x in inputs]
        if not self.config.step.joint:
            return [D(x, y) for x, y in zip(images, labels, strict=True)]
        together = None if labels[0] is None else torch.cat([y for y in labels if y is not None])
        critique: Critique = D(torch.cat(images), together)
        return critique.split([len(x) for x in images])

    def _classification_loss(self, on_real: Critique, real: DInput, fake: DInput) -> Float[Tensor, "n"] | float:
        """D's classification loss on real images: 0 while the fakes of a class are too much alike."""
        d, labels = self.config.discriminator, real.labels
        loss = classification_loss(on_real, labels, d.classify_margin)
        if labels is None or not d.classify_variety:
            return loss
        everyone = (self.world.rows(x.detach()) for x in (real.images, fake.images, labels))
        return loss * (within_class_variety(*everyone) >= d.classify_variety)

    # -- penalties ---------------------------------------------------------------------------------------------

    def _finite(self, real: Tensor, fake: Tensor, noisy: list[Tensor]) -> Float[Tensor, ""]:
        """From logits of real and fake images, and of their noisy copies: [real, if R1], [fake, if R2]."""
        p, total = self.config.penalty, real.new_zeros(())
        if p.r1:
            total = total + p.r1 / 2 * finite_difference(real, noisy[0], p.sigma).mean()
        if p.r2:
            total = total + p.r2 / 2 * finite_difference(fake, noisy[-1], p.sigma).mean()
        return total

    def exact(self, D: nn.Module, real: DInput, fake: DInput, rng: torch.Generator) -> Float[Tensor, ""]:
        """The penalties through a second backward pass."""
        p, total, D = self.config.penalty, real.images.new_zeros(()), eager(D)

        def augmented(draws: Draws) -> Callable[[Tensor, Tensor | None], Critique]:
            return lambda images, labels: D(self.augment(images, draws), labels)

        if p.r1:
            total = total + p.r1 / 2 * squared_gradient(augmented(real.draws), real.images, real.labels).mean()
        if p.r2:
            total = total + p.r2 / 2 * squared_gradient(augmented(fake.draws), fake.images, fake.labels).mean()
        if p.gp:
            mixed = gradient_penalty(augmented(real.draws), real.images, fake.images, real.labels, rng, self.world)
            total = total + p.gp * mixed.mean()
        return total
