"""The sample grids of a run: latents that stay the same, one class a row, real images beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ganvas import datasets, media, models
from ganvas.config import Config
from ganvas.datasets import ImageSet
from ganvas.runs.run import Run, stem
from ganvas.training import latents


def fixed_latents(config: Config, class_names: Sequence[str]) -> tuple[Tensor, Tensor | None]:
    """The latents [log.samples, latent_dim] behind every sample grid of a run, and a class for each row of it."""
    index = np.arange(config.log.samples)
    z = torch.from_numpy(latents.draw_z(config.generator, config.seed, "samples", index))
    classes = models.num_classes(config, class_names)
    return z, torch.from_numpy(latents.grid_labels(len(index), classes)) if classes else None


def write_samples(run: Run, nimg: int, images: Tensor) -> None:
    """Write uint8 images [n, c, h, w] as the run's sample grid at `nimg` images."""
    run.write_bytes(f"samples/{stem(nimg)}.png", media.encode(media.grid(images.numpy(), latents.ROW)))


def write_real(run: Run, images: ImageSet, config: Config) -> None:
    """As many real images as a sample grid has, of the same classes row by row where classes are used."""
    n = len(images.images)
    chosen = datasets.order(config.seed, 0, n, n)
    if classes := models.num_classes(config, images.class_names):
        assert images.labels is not None
        wanted = latents.grid_labels(config.log.samples, classes)
        queues = {k: iter(chosen[images.labels[chosen] == k]) for k in range(classes)}
        chosen = np.array([at for k in wanted if (at := next(queues[int(k)], None)) is not None])
    run.write_bytes("samples/real.png", media.encode(media.grid(images.images[chosen[: config.log.samples]])))
