"""What D is shown in an update, and what is made of its answers: losses for each pair, and penalties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import Config
from ganvas.models.critique import Critique
from ganvas.training.augment import Augment, Draws
from ganvas.training.losses import Targets, feature_matching, get_loss, naming, variety
from ganvas.training.penalties import finite_difference, gradient_penalty, near, squared_gradient


class Shown(NamedTuple):
    """Images for D, how each is augmented, and its class."""

    images: Float[Tensor, "n c h w"]
    draws: Draws
    labels: Int[Tensor, "n"] | None

    def first(self, k: int) -> Shown:
        """The first k of them, cut off from whatever made them."""
        labels = None if self.labels is None else self.labels[:k]
        return Shown(self.images[:k].detach(), self.draws[:k], labels)


@dataclass(frozen=True)
class View:
    """What D said of real and fake images, its loss for each pair, and the penalties' weighted sum."""

    real: Critique
    fake: Critique
    d_loss: Float[Tensor, "n"]
    penalty: Float[Tensor, ""]


class Rules:
    """The config's loss, augmentation and penalties, put together; nothing in it changes while training."""

    def __init__(self, config: Config, augment: Augment, autocast: torch.autocast) -> None:
        self.config, self.augment, self.autocast = config, augment, autocast
        self.loss = get_loss(config.loss.name)
        # The one-stage update reads G's gradient off D's loss at the fakes: the penalty must not reach them.
        self.apart = config.step.update == "one-stage"

    @property
    def g_weight(self) -> float:
        """Factor on G's loss."""
        return self.config.loss.g_weight

    @property
    def parts(self) -> int:
        """In how many parts a batch is worked through."""
        return self.config.step.accumulate

    def due(self, update: int, strength: float) -> float:
        """How often D's penalties count at its update of this number: lazy ones seldom, and as much more then."""
        p = self.config.penalty
        return (0 if update % p.every else p.every) * (strength if p.adapt else 1.0)

    def named(self, strength: float) -> float:
        """Factor on D's naming of real images: where the penalties grow because D leads, it gives way to them.

        What D can name G is paid to draw plainly, and where D leads, modes are what is at stake.
        """
        return self.config.discriminator.classify * (1 - strength if self.config.penalty.adapt else 1.0)

    def d_loss(self, real: Tensor, fake: Tensor, targets: Targets | None) -> Float[Tensor, "n"]:
        """D's loss for each pair of logits, with the centring term that pins what a relativistic loss leaves free."""
        loss, weight = self.loss.d(real, fake, targets), self.config.penalty.centring
        return loss + weight * (real + fake).square() if weight else loss

    def g_loss(self, real: Critique, fake: Critique, labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n"]:
        """G's loss for each pair, feature matching and the naming of fakes included."""
        loss, own = self.loss.g(real.logits.detach(), fake.logits), self.config.loss
        if own.feature_matching:
            loss = loss + own.feature_matching * feature_matching(real.features.detach(), fake.features)
        return loss + own.g_classify * naming(fake, labels) if own.g_classify else loss

    def g_from_d(self, view: View, targets: Targets | None) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
        """G's loss for each pair, and its slope by D(fake) over the slope of D's loss."""
        real, fake = view.real.logits.detach(), view.fake.logits.detach().requires_grad_()
        g_loss = self.loss.g(real, fake)
        (on_g,) = torch.autograd.grad(g_loss.sum(), fake)
        (on_d,) = torch.autograd.grad(self.d_loss(real, fake, targets).sum(), fake)
        return g_loss.detach(), (on_g / on_d.clamp(min=1e-12)).detach()

    def look_again(self, D: nn.Module, real: Shown, fake: Shown) -> tuple[Critique, Critique]:
        """Critiques for G's loss alone; of the real images only where that loss compares."""
        (on_fake,) = self.show(D, [fake])
        if not (self.loss.compares or self.config.loss.feature_matching):
            return on_fake, on_fake
        with torch.no_grad():
            (on_real,) = self.show(D, [real])
        return on_real, on_fake

    def show(self, D: nn.Module, shown: Sequence[Shown]) -> list[Critique]:
        """D's critiques of several sets of images, from one call (step.joint) or from a call for each."""
        images = [self.augment(s.images, s.draws) for s in shown]
        labels = [s.labels for s in shown]
        if not self.config.step.joint:
            return [D(x, y) for x, y in zip(images, labels, strict=True)]
        together = None if labels[0] is None else torch.cat([y for y in labels if y is not None])
        every: Critique = D(torch.cat(images), together)
        return every.split([len(x) for x in images])

    def look(
        self, D: nn.Module, real: Shown, fake: Shown, targets: Targets | None,
        due: float, named: float, rng: torch.Generator,
    ) -> View:  # fmt: skip
        """Show D both sets and what its penalties ask for; these count `due` times, and their gradient ends at D.

        `named` is the factor on D's naming of the real images.
        """
        p, shown = self.config.penalty, [real, fake]
        k = max(round(p.share * len(real.images)), 1) if due and (p.r1 or p.r2 or p.gp) else 0
        r, f = real.first(k), fake.first(k)
        if k and p.form == "finite":
            shown += [r._replace(images=near(r.images, p.sigma, rng))] if p.r1 else []
            shown += [f._replace(images=near(f.images, p.sigma, rng))] if p.r2 else []
            shown += [f] if p.r2 and self.apart else []
        on_real, on_fake, *beside = self.show(D, shown)
        d_loss = self.d_loss(on_real.logits, on_fake.logits, targets)
        if named:
            d_loss = d_loss + named * self._naming(on_real, real, fake)
        penalty = d_loss.new_zeros(())
        if k and p.form == "finite":
            here = (beside.pop() if p.r2 and self.apart else on_fake).logits[:k]
            penalty = due * self._finite(on_real.logits[:k], here, [c.logits for c in beside])
        elif k:
            penalty = due * self._exact(D, r, f, rng)
        return View(on_real, on_fake, d_loss, penalty)

    def _naming(self, on_real: Critique, real: Shown, fake: Shown) -> Float[Tensor, "n"] | float:
        """What D's naming of the real images costs: nothing where the fakes beside them are too much alike."""
        d, labels = self.config.discriminator, real.labels
        cost = naming(on_real, labels, d.classify_margin)
        if labels is None or not d.classify_variety:
            return cost
        return cost * (variety(real.images, fake.images, labels) >= d.classify_variety)

    def _finite(self, real: Tensor, fake: Tensor, moved: list[Tensor]) -> Float[Tensor, ""]:
        """Of logits of real and fake images, and of the same moved: [real, if R1], [fake, if R2]."""
        p, found = self.config.penalty, real.new_zeros(())
        if p.r1:
            found = found + p.r1 / 2 * finite_difference(real, moved[0], p.sigma).mean()
        if p.r2:
            found = found + p.r2 / 2 * finite_difference(fake, moved[-1], p.sigma).mean()
        return found

    def _exact(self, D: nn.Module, real: Shown, fake: Shown, rng: torch.Generator) -> Float[Tensor, ""]:
        p, found = self.config.penalty, real.images.new_zeros(())

        def seen(draws: Draws) -> Callable[[Tensor, Tensor | None], Critique]:
            return lambda images, labels: D(self.augment(images, draws), labels)

        if p.r1:
            found = found + p.r1 / 2 * squared_gradient(seen(real.draws), real.images, real.labels).mean()
        if p.r2:
            found = found + p.r2 / 2 * squared_gradient(seen(fake.draws), fake.images, fake.labels).mean()
        if p.gp:
            mixed = gradient_penalty(seen(real.draws), real.images, fake.images, real.labels, rng)
            found = found + p.gp * mixed.mean()
        return found
