"""What one update is made from, and what it gives. Both can be cut into equal parts, to save memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.ranks import ALONE, World
from ganvas.training.augment import Draws
from ganvas.training.losses import Targets
from ganvas.training.schedules import Number

Gradients = tuple[Tensor, ...]


class DInput(NamedTuple):
    """Images that D gets, how each is augmented, and its class."""

    images: Float[Tensor, "n c h w"]
    draws: Draws
    labels: Int[Tensor, "n"] | None

    def first(self, k: int) -> DInput:
        """The first k of them, detached from the network that made them."""
        labels = None if self.labels is None else self.labels[:k]
        return DInput(self.images[:k].detach(), self.draws[:k], labels)


@dataclass(frozen=True)
class Batch:
    """What one update of D is made from; `progress` in [0, 1] of the run sets the learning rates."""

    real: Float[Tensor, "n c h w"]
    z: Float[Tensor, "n z"]
    labels: Int[Tensor, "n"] | None
    targets: Targets | None
    """Targets of D's loss; None: 1 for real and 0 for fake images."""
    draws: tuple[Draws, Draws]
    """The augmentation of real and of fake images."""
    penalty_scale: Number
    """Factor on the penalties; 0: none in this update. A number of the device is not 0."""
    classify_scale: Number
    """Factor on D's classification loss on real images, as above."""
    progress: Number
    rng: torch.Generator
    g_z: Float[Tensor, "n z"] | None = None
    """Latents of G's own update; None: `z` (step.fresh)."""
    rebuild: Float[Tensor, "n"] | None = None
    """Factor on the distance of each fake from the real image whose code its z holds; 0 where it holds none."""

    @property
    def penalised(self) -> bool:
        """Whether penalties count in this update."""
        return isinstance(self.penalty_scale, Tensor) or self.penalty_scale != 0

    @property
    def classified(self) -> bool:
        """Whether D's classification loss does."""
        return isinstance(self.classify_scale, Tensor) or self.classify_scale != 0

    def inputs(self, fake: Float[Tensor, "n c h w"]) -> tuple[DInput, DInput]:
        """Real and fake images as D gets them."""
        return DInput(self.real, self.draws[0], self.labels), DInput(fake, self.draws[1], self.labels)

    def parts(self, count: int) -> list[Batch]:
        """The batch cut into `count` equal parts."""
        return [self._slice(slice(i * len(self.z) // count, (i + 1) * len(self.z) // count)) for i in range(count)]

    def _slice(self, at: slice) -> Batch:
        return Batch(
            real=self.real[at],
            z=self.z[at],
            labels=None if self.labels is None else self.labels[at],
            targets=None if self.targets is None else Targets(self.targets.real[at], self.targets.fake[at]),
            draws=(self.draws[0][at], self.draws[1][at]),
            penalty_scale=self.penalty_scale,
            classify_scale=self.classify_scale,
            progress=self.progress,
            rng=self.rng,
            g_z=None if self.g_z is None else self.g_z[at],
            rebuild=None if self.rebuild is None else self.rebuild[at],
        )


class BatchResult(NamedTuple):
    """What a batch gave at the weights before the update: logits and losses of each image, gradients."""

    real: Float[Tensor, "n"]
    """D's logits of the real images."""
    fake: Float[Tensor, "n"]
    """D's logits of the fake images."""
    d_loss: Float[Tensor, "n"]
    g_loss: Float[Tensor, "n"]
    penalty: Float[Tensor, ""]
    d_grads: Gradients = ()
    g_grads: Gradients = ()

    def detached(self) -> BatchResult:
        """All but the gradients, detached from the graph."""
        return BatchResult(
            real=self.real.detach(),
            fake=self.fake.detach(),
            d_loss=self.d_loss.detach(),
            g_loss=self.g_loss.detach(),
            penalty=self.penalty.detach(),
        )


def join(parts: Iterable[BatchResult], world: World = ALONE) -> BatchResult:
    """The result of a batch from those of its equal parts and ranks: logits and losses joined, the rest averaged.

    Given an iterator, it keeps no more than one part's gradients beside their sum.
    """
    result = _join_parts(parts)
    if world.size == 1:
        return result
    columns = (result.real, result.fake, result.d_loss, result.g_loss, result.penalty.expand_as(result.real))
    real, fake, d_loss, g_loss, penalty = world.rows(torch.stack(columns, 1)).unbind(1)
    d_grads, g_grads = world.mean_flat(result.d_grads), world.mean_flat(result.g_grads)
    return BatchResult(real, fake, d_loss, g_loss, penalty.mean(), d_grads, g_grads)


def _join_parts(parts: Iterable[BatchResult]) -> BatchResult:
    results: list[BatchResult] = []
    d_grads: Gradients = ()
    g_grads: Gradients = ()
    for part in parts:
        results.append(part.detached())
        d_grads, g_grads = _add(d_grads, part.d_grads), _add(g_grads, part.g_grads)
    if len(results) == 1:
        return results[0]._replace(d_grads=d_grads, g_grads=g_grads)
    share = 1 / len(results)
    return BatchResult(
        real=torch.cat([part.real for part in results]),
        fake=torch.cat([part.fake for part in results]),
        d_loss=torch.cat([part.d_loss for part in results]),
        g_loss=torch.cat([part.g_loss for part in results]),
        penalty=torch.stack([part.penalty for part in results]).mean(),
        d_grads=tuple(g * share for g in d_grads),
        g_grads=tuple(g * share for g in g_grads),
    )


def _add(a: Gradients, b: Gradients) -> Gradients:
    return tuple(x + y for x, y in zip(a, b, strict=True)) if a else b
