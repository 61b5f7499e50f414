"""Which images and classes stand at places of the stream of samples: from the host's memory, or from the device's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from ganvas import datasets
from ganvas.config import Config
from ganvas.datasets import ImageSet
from ganvas.training.backend import Engine

Places = tuple[UInt8[Tensor, "n c h w"], Int64[Tensor, "n"] | None]


Source = Callable[[int, slice], Places]
"""From `nimg`, the sample that a batch begins with, and the rows wanted of it, to their images and classes."""


def source(config: Config, images: ImageSet, indices: Int64[np.ndarray, "m"], engine: Engine) -> Source:
    """Those of the images with these indices, as `engine.data` says."""
    kind = OnDevice if engine.config.data == "device" else OnHost
    return kind(config, images, indices, engine)


class OnHost:
    """Each batch is picked, and mirrored, in the host's memory, and then sent."""

    def __init__(self, config: Config, images: ImageSet, indices: Int64[np.ndarray, "m"], engine: Engine) -> None:
        self.config, self.images, self.indices, self.engine = config, images.images, indices, engine
        self.labels = images.labels if config.data.labels == "use" else None

    def __call__(self, nimg: int, own: slice) -> Places:
        seed, count = self.config.seed, self.config.step.batch
        chosen = self.indices[datasets.order(seed, nimg, count, len(self.indices))[own]]
        real = self.images[chosen]
        if self.config.data.flip:
            flipped = datasets.flips(seed, nimg, count)[own]
            real[flipped] = real[flipped][..., ::-1]
        labels = None if self.labels is None else self.engine.send(torch.from_numpy(self.labels[chosen]))
        return self.engine.send(torch.from_numpy(real)), labels


class OnDevice:
    """The set lies on the device; the order of a pass, and who is mirrored in it, are sent once a pass."""

    def __init__(self, config: Config, images: ImageSet, indices: Int64[np.ndarray, "m"], engine: Engine) -> None:
        self.config, self.engine, self.n = config, engine, len(indices)
        use = images.labels if config.data.labels == "use" else None
        self.images = torch.from_numpy(images.images[indices]).to(engine.device)
        self.labels = None if use is None else torch.from_numpy(use[indices]).to(engine.device)
        self._passes = lru_cache(2)(self._pass)

    def __call__(self, nimg: int, own: slice) -> Places:
        end, n = nimg + self.config.step.batch, self.n
        parts = [(self._passes(p), max(nimg - p * n, 0), end - p * n) for p in range(nimg // n, (end - 1) // n + 1)]
        order, flipped = (torch.cat([both[i][first:last] for both, first, last in parts])[own] for i in (0, 1))
        real = self.images.index_select(0, order)
        if self.config.data.flip:
            real = torch.where(flipped[:, None, None, None], real.flip(3), real)
        return real, None if self.labels is None else self.labels.index_select(0, order)

    def _pass(self, number: int) -> tuple[Tensor, Tensor]:
        """Which image stands at each place of a pass, and whether it is mirrored."""
        first, seed = number * self.n, self.config.seed
        order, flips = datasets.order(seed, first, self.n, self.n), datasets.flips(seed, first, self.n)
        return self.engine.send(torch.from_numpy(order.copy())), self.engine.send(torch.from_numpy(flips))
