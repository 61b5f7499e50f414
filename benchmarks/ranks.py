"""What two processes exchange in one update of each recipe on CIFAR-10's size: exact counts, nothing is timed.

    python benchmarks/ranks.py

One process computes the part of rank 0; its sums over ranks are counted, and return what they are given.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganvas import models
from ganvas.config import recipes
from ganvas.datasets import as_images
from ganvas.ranks import World
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import fresh_state
from ganvas.training.setup import configure, settle_labels
from ganvas.training.trainer import Trainer

ENGINE = {"engine.device": "cpu", "engine.dtype": "float32", "engine.layout": "channels_last", "engine.conv": "direct"}


class Counted(World):
    """Rank 0 of two, without the other."""

    def _add(self, x: Tensor, patiently: bool = False, told: bool = False) -> Tensor:
        self.calls, self.bytes = self.calls + 1, self.bytes + x.nbytes
        return x


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    images = as_images(rng.integers(0, 256, (2048, 32, 32, 3), np.uint8), np.arange(2048) % 10, progress=False)
    print("| recipe | batch | sums | MB | of that gradients, MB |\n|---|---|---|---|---|")
    for name in recipes.RECIPES:
        config = settle_labels(configure(name, overrides=ENGINE), images)
        classes, world = models.num_classes(config, images.class_names), Counted(0, 2)
        state = fresh_state(config, (3, 32, 32), Engine(config.engine), classes, world)
        Trainer(config, images, Engine(config.engine), world)(state, 0.0)
        G, D = state.networks.generator, state.networks.discriminator
        g, d = (sum(p.numel() for p in network.parameters()) for network in (G, D))
        size, gradients = world.bytes / 1e6, 4 * (g + d * config.step.d_steps) / 1e6
        print(f"| {name} | {config.step.batch} | {world.calls} | {size:.2f} | {gradients:.2f} |", flush=True)


if __name__ == "__main__":
    main()
