"""The data set that checks examine, and measurements of its images that several checks need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from ganvas.config import Config
from ganvas.datasets import ImageSet

Images = UInt8[np.ndarray, "n c h w"]

FLAT = 4.0
"""Standard deviation in levels below which an image shows almost nothing: the flattest of CIFAR-10 has 7.7."""


@dataclass(frozen=True)
class DataSet:
    """A data set, and the recipe that will train on it."""

    name: str
    """Its name or path, as the user gave it."""
    loaded: ImageSet
    config: Config

    @property
    def images(self) -> Images:
        return self.loaded.images

    @property
    def conditional(self) -> bool:
        """Whether the recipe would use the labels."""
        return self.loaded.labels is not None and self.config.data.labels != "ignore"


def deviations(images: Images) -> Float64[np.ndarray, "n"]:
    """The standard deviation of each image's values about the means of its channels, in levels."""
    each = [part.var(axis=(2, 3), dtype=np.float32).mean(axis=1) for part in in_parts(images)]
    return np.sqrt(np.concatenate([np.empty(0), *each]))  # type: ignore[no-any-return]


def in_parts(images: Images) -> Iterator[Images]:
    """1,024 images at a time, to save memory."""
    return (images[at : at + 1024] for at in range(0, len(images), 1024))


def percent(share: float) -> str:
    """0.123 -> "12.3"."""
    return f"{100 * share:.1f}"
