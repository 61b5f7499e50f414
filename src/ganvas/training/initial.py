"""What a training starts from beside its seed: a trained generator, or eigenimages of the training images.

A trained generator is loaded once, from its settings to its first update.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

from ganvas import generator
from ganvas.config import Config
from ganvas.datasets import ImageSet
from ganvas.generator import Generator
from ganvas.models.layers.eigenimages import Eigenimages
from ganvas.training.checkpoint import TrainState
from ganvas.training.trainer import split_held_out


def trained_generator(init_from: str | os.PathLike[str]) -> Generator:
    """The generator of a model, run or snapshot, on the CPU; kept until `forget`. Raises as `generator.load`."""
    path = generator.find(init_from)
    return _load(os.fspath(path), path.stat().st_mtime_ns)


def forget() -> None:
    """Free it: training has its weights."""
    _load.cache_clear()


@lru_cache(maxsize=1)
def _load(path: str, changed_ns: int) -> Generator:
    return generator.load(path, "cpu")


def fit_eigenimages(state: TrainState, config: Config, images: ImageSet) -> None:
    """Give a fresh G, and its moving average, eigenimages of the images to train on, where it has any.

    The time that it takes is training time of the state.
    """
    parts = [module for module in state.networks.generator.modules() if isinstance(module, Eigenimages)]
    wall, cpu = time.perf_counter(), time.process_time()
    for part in parts:
        labels = images.labels if config.data.labels == "use" else None
        part.fit(images.images, labels, among=split_held_out(config, len(images.images))[0])
    if parts:
        if state.ema is not None:
            state.ema.load_state_dict(state.networks.generator.state_dict())
        state.sec += time.perf_counter() - wall
        state.cpu_sec += time.process_time() - cpu
