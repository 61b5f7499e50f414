"""Classes of images: those a generator was asked for, or the folders that they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets import ImageSet


@dataclass(frozen=True)
class Classes:
    """A class for each of n images, as a number of `names`."""

    numbers: NDArray[np.int64]
    names: tuple[str, ...]

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> Classes:
        return Classes(self.numbers[chosen], self.names)

    @property
    def present(self) -> tuple[str, ...]:
        """Names of the classes that at least one image has."""
        return tuple(self.names[k] for k in np.unique(self.numbers))

    def among(self, known: Sequence[str]) -> NDArray[np.int64] | None:
        """The same classes as numbers of `known`, int64 [n]; None where one of the names is not known."""
        places = {_as_folder(name): k for k, name in enumerate(known)}
        found = [places.get(_as_folder(name)) for name in self.names]
        if None in found:
            return None
        numbers: NDArray[np.int64] = np.array(found, np.int64)[self.numbers]
        return numbers


def classes_of(images: ImageSet, chosen: slice | NDArray[np.int64] = slice(None)) -> Classes | None:
    """The classes of the chosen images; None where the set has none."""
    return None if images.labels is None else Classes(images.labels[chosen], images.class_names)


def classes_in_turn(names: tuple[str, ...], start: int, n: int) -> Classes | None:
    """The classes in turn, from image number `start` on; None without names."""
    return Classes(np.arange(start, start + n) % len(names), names) if names else None


def _as_folder(name: str) -> str:
    """A class's name as that of a folder: T-shirt/top lies in T-shirt-top."""
    return name.replace("/", "-")
