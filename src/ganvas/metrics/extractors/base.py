"""What turns images into feature vectors: a name, the hash of its weights, and how images reach it.

A number is worth what its features are worth, so each carries the extractor's name, weights and resizing along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from ganvas.errors import GanvasError
from ganvas.process import keep_freed_memory

BATCH = 250


@dataclass(frozen=True)
class Features:
    """What an extractor saw in n images."""

    vectors: Float32[np.ndarray, "n d"]
    probabilities: Float32[np.ndarray, "n k"] | None = None
    """Of the extractor's classes; None where it does not classify."""

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, chosen: slice | np.ndarray) -> Features:
        probabilities = None if self.probabilities is None else self.probabilities[chosen]
        return Features(self.vectors[chosen], probabilities)


@dataclass(frozen=True)
class Extractor:
    """A frozen network that describes images."""

    name: str
    """What `--features` calls it; numbers made with it carry this name."""
    weights_hash: str
    """SHA-256, in hex, of the file that holds the weights."""
    resize: str
    """How images reach the network, in a few words: 'native 32x32', 'bilinear to 299x299 inside'."""
    network: Callable[[Tensor], tuple[Tensor, Tensor | None]]
    """uint8 [n, c, h, w] -> (vectors [n, d], probabilities [n, k] or None)."""
    class_names: tuple[str, ...] = ()
    """Of the probabilities' columns; empty where there are none, or no names are known."""
    version: int = 1
    """Raised whenever the same weights give other features: scores of different versions are not compared."""

    @torch.inference_mode()
    def extract(self, batches: Iterable[UInt8[np.ndarray, "_ _ _ _"]]) -> Features:
        """The features of all images, in their order.

        Raises GanvasError where there are no images, where the network refuses them (with its reason), and where it
        gives something that is not one finite vector for each image.
        """
        keep_freed_memory()  # a batch asks for the same blocks as the one before
        vectors, probabilities = [], []
        for images in batches:
            try:
                found, classes = self.network(torch.from_numpy(np.require(images, requirements=["C", "W"])))
            except (RuntimeError, ValueError, TypeError) as error:
                why = str(error).strip().splitlines()[-1]
                raise GanvasError(f"features {self.name}: images of {images.shape[1:]} are refused ({why})") from error
            if found.ndim != 2 or len(found) != len(images):
                raise GanvasError(
                    f"features {self.name}: {len(images)} images gave {tuple(found.shape)}; one vector each is needed"
                )
            vectors.append(found.float().cpu().numpy())
            if classes is not None:
                probabilities.append(classes.float().cpu().numpy())
        if not vectors:
            raise GanvasError(f"features {self.name}: there are no images to look at")
        every = np.concatenate(vectors)
        if not np.isfinite(every).all():
            bad = int((~np.isfinite(every).all(axis=1)).sum())
            raise GanvasError(f"features {self.name}: {bad} of {len(every)} vectors hold NaN or infinity")
        return Features(every, np.concatenate(probabilities) if probabilities else None)


def in_batches(images: np.ndarray, size: int = BATCH) -> Iterator[np.ndarray]:
    """The images [n, ...], `size` at a time."""
    for start in range(0, len(images), size):
        yield images[start : start + size]
