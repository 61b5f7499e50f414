"""What one update is made from and what it gives; both can be had in parts, to save memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.training.augment import Draws
from ganvas.training.losses import Targets
from ganvas.training.objective import Shown

Gradients = tuple[Tensor, ...]


@dataclass(frozen=True)
class Batch:
    """What one update of D is made from; `progress` in [0, 1] of the run sets the learning rates."""

    real: Float[Tensor, "n c h w"]
    z: Float[Tensor, "n z"]
    labels: Int[Tensor, "n"] | None
    targets: Targets | None
    """What D should answer; None: 1 and 0."""
    draws: tuple[Draws, Draws]
    """The augmentation of real and of fake images."""
    due: float
    """Factor on the penalties; 0: none is due."""
    named: float
    """Factor on D's naming of real images."""
    progress: float
    rng: torch.Generator

    def shown(self, fake: Float[Tensor, "n c h w"]) -> tuple[Shown, Shown]:
        """Real and fake images as D is shown them."""
        return Shown(self.real, self.draws[0], self.labels), Shown(fake, self.draws[1], self.labels)

    def parts(self, count: int) -> list[Batch]:
        """The batch cut into `count` equal parts."""
        return [self._at(slice(i * len(self.z) // count, (i + 1) * len(self.z) // count)) for i in range(count)]

    def _at(self, at: slice) -> Batch:
        labels = None if self.labels is None else self.labels[at]
        targets = None if self.targets is None else Targets(self.targets.real[at], self.targets.fake[at])
        draws = self.draws[0][at], self.draws[1][at]
        return Batch(self.real[at], self.z[at], labels, targets, draws, self.due, self.named, self.progress, self.rng)


class Found(NamedTuple):
    """What a batch gave at the weights as they were: logits and losses of each image, gradients."""

    real: Float[Tensor, "n"]
    fake: Float[Tensor, "n"]
    d_loss: Float[Tensor, "n"]
    g_loss: Float[Tensor, "n"]
    penalty: Float[Tensor, ""]
    d_grads: Gradients = ()
    g_grads: Gradients = ()

    def numbers(self) -> Found:
        """All but the gradients, cut off from what they were computed by."""
        return Found(
            real=self.real.detach(),
            fake=self.fake.detach(),
            d_loss=self.d_loss.detach(),
            g_loss=self.g_loss.detach(),
            penalty=self.penalty.detach(),
        )


def whole(parts: Iterable[Found]) -> Found:
    """Equal parts as the batch that they are parts of: logits and losses joined, penalties and gradients averaged.

    Of an iterator no more than one part's gradients are kept beside their sum.
    """
    seen: list[Found] = []
    d_grads: Gradients = ()
    g_grads: Gradients = ()
    for part in parts:
        seen.append(part.numbers())
        d_grads, g_grads = _added(d_grads, part.d_grads), _added(g_grads, part.g_grads)
    if len(seen) == 1:
        return seen[0]._replace(d_grads=d_grads, g_grads=g_grads)
    share = 1 / len(seen)
    return Found(
        real=torch.cat([part.real for part in seen]),
        fake=torch.cat([part.fake for part in seen]),
        d_loss=torch.cat([part.d_loss for part in seen]),
        g_loss=torch.cat([part.g_loss for part in seen]),
        penalty=torch.stack([part.penalty for part in seen]).mean(),
        d_grads=tuple(g * share for g in d_grads),
        g_grads=tuple(g * share for g in g_grads),
    )


def _added(a: Gradients, b: Gradients) -> Gradients:
    return tuple(x + y for x, y in zip(a, b, strict=True)) if a else b
