"""What D may do with the latents that images are drawn from, and its name in every number that used it."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Int64

from ganvas.errors import UsageError, option, shown
from ganvas.training import latents

if TYPE_CHECKING:
    from ganvas.generator import Generator
    from ganvas.sampling.discriminator import Discriminator

MOST = {"best_of": 1000, "refine": 10_000}


@dataclass(frozen=True)
class Guidance:
    """Off in every field. UsageError for values that mean nothing, or that exclude each other."""

    best_of: int = 1
    """Candidates per image, of which the one with D's highest logit is kept."""
    refine: int = 0
    """Langevin steps of each latent towards what D takes for real."""
    rejection: bool = False
    """Whether candidates are drawn until D's density ratio accepts one."""

    def __post_init__(self) -> None:
        for name, least in (("best_of", 1), ("refine", 0)):
            value: Any = getattr(self, name)
            try:
                number = None if isinstance(value, bool) else operator.index(value)
            except TypeError:
                number = None
            if number is None or not least <= number <= MOST[name]:
                most = MOST[name]
                raise UsageError(f"{name} = {shown(value)}: it must be a whole number from {least} to {most:,}")
        if not isinstance(self.rejection, bool):
            raise UsageError(f"rejection = {shown(self.rejection)}: it must be True or False")
        if self.rejection and self.best_of > 1:
            raise UsageError(f"{option('--rejection')} and {option('--best-of')} both choose candidates: leave one out")

    def __bool__(self) -> bool:
        return self != PLAIN

    @property
    def text(self) -> str:
        """Its name beside a number or a picture, such as "best of 4 by D"; "" for plain sampling."""
        parts = [f"best of {self.best_of} by D"] if self.best_of > 1 else []
        parts += ["rejection by D"] if self.rejection else []
        parts += [f"refined by D in {self.refine} step{'s' * (self.refine > 1)}"] if self.refine else []
        return ", ".join(parts)


PLAIN = Guidance()


def guided(
    generator: Generator,
    discriminator: Discriminator,
    guidance: Guidance,
    seed: int,
    index: Int64[np.ndarray, "n"],
    labels: Int64[np.ndarray, "n"] | None,
) -> Float32[np.ndarray, "n z"]:
    """The latents of images number `index`, each a function of (seed, number, class) alone.

    Candidates first, then refinement. Raises UsageError for `rejection` where D's logit is no density ratio.
    """
    from ganvas.sampling import candidates, refinement

    if guidance.best_of > 1:
        z = candidates.best_of(generator, discriminator, guidance.best_of, seed, index, labels)
    elif guidance.rejection:
        z = candidates.accepted(generator, discriminator, seed, index, labels)
    else:
        z = latents.draw_z(generator.config.generator, seed, "sample", index)
    return refinement.refine(generator, discriminator, z, labels, guidance.refine, seed, index)
