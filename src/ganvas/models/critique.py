"""What a discriminator returns."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Critique(NamedTuple):
    """D's output for a batch of images."""

    logits: Float[Tensor, "n"]
    """float32, positive = real."""
    features: Float[Tensor, "n f"]
    """The flattened input of D's last layer."""
    classes: Float[Tensor, "n k"] | None = None
    """float32, logits of the classes, where D has a classification loss."""

    def split(self, sizes: list[int]) -> list[Critique]:
        """The critique cut along the batch into parts of these sizes."""
        parts: list[tuple[Tensor, ...]] = [part.split(sizes) for part in self if part is not None]  # type: ignore
        return [Critique(*part) for part in zip(*parts, strict=True)]
