"""The frames of an animation: a training through time, ways between latents, ways between classes."""

from __future__ import annotations

import copy

import numpy as np
import torch
from PIL import Image
from torch import nn

from ganvas import media
from ganvas.errors import UsageError
from ganvas.generator import Generator
from ganvas.runs.run import Run
from ganvas.training import latents

TILES = 16
COLUMNS = 4
STOPS = 4
"""Latents that each tile of a walk passes."""
SHOWN = 96
"""Pixels of the screen that each tile gets at least."""

Frames = tuple[list[Image.Image], str]


def training(run: Run, most: int) -> Frames:
    """At most `most` sample grids of a run, the first and the last among them; damaged ones are passed over."""
    side = int(run.data["shape"][1])
    found = [(at, picture) for at, path in run.sample_grids() if (picture := run.picture(path)) is not None]
    if not found:
        raise UsageError(f"{run.path} has no sample grid yet: train it first")
    size = found[-1][1].size
    found = media.evenly_spaced([(at, picture) for at, picture in found if picture.size == size], most)
    frames = [media.enlarge(picture, side) for _, picture in found]
    return frames, f"the same latents from image {found[0][0]:,} to image {found[-1][0]:,} of the training"


def latent_walk(generator: Generator, count: int, seed: int) -> Frames:
    """Sixteen images, each on its way through four latents and back: `count` frames of one closed loop.

    Between two latents along the great circle (latents.great_circle). Each keeps its class.
    """
    ways = [generator.loop(STOPS, count, seed, tile * STOPS) for tile in range(TILES)]
    own = generator.labels(TILES, seed)
    images = [generator.draw(np.stack([way[i] for way in ways]), None if own is None else own) for i in range(count)]
    return _grids(generator, images), f"{TILES} images, each through {STOPS} latents and back, seed {seed}"


def class_morph(generator: Generator, count: int, seed: int) -> Frames:
    """Sixteen latents through all classes in turn and back to the first: `count` frames of one closed loop.

    Between two classes what G knows of a class (its embeddings) goes along a straight line. Raises UsageError where G
    has fewer than two classes.
    """
    classes = len(generator.class_names)
    if classes < 2:
        raise UsageError(f"{generator.path} was trained without classes: use --interpolate latents")
    at = np.arange(count) * classes / count
    first = at.astype(int)
    shares = np.zeros((count, classes), np.float32)
    shares[np.arange(count), first] = 1 - (at - first)
    shares[np.arange(count), (first + 1) % classes] += at - first
    mixed = with_mixtures(generator.network, classes, torch.from_numpy(shares))
    z = latents.draw_z(generator.config.generator, seed, "sample", np.arange(TILES))
    between = Generator(**{**vars(generator), "network": mixed})
    images = [between.draw(z, np.full(TILES, classes + i)) for i in range(count)]
    return _grids(generator, images), f"{TILES} latents through {classes} classes and back, seed {seed}"


def has_class_embeddings(network: nn.Module, classes: int) -> bool:
    """Whether what G knows of its classes is in embeddings, between whose rows there is a way."""
    return any(isinstance(layer, nn.Embedding) and layer.num_embeddings == classes for layer in network.modules())


def with_mixtures(network: nn.Module, classes: int, shares: torch.Tensor) -> nn.Module:
    """A copy of G that knows a further class for each row of shares [m, classes]: weighted means of its embeddings."""
    mixed = copy.deepcopy(network)
    with torch.no_grad():
        for layer in mixed.modules():
            if isinstance(layer, nn.Embedding) and layer.num_embeddings == classes:
                more = shares.to(layer.weight) @ layer.weight
                layer.weight = nn.Parameter(torch.cat([layer.weight, more]))
                layer.num_embeddings = len(layer.weight)
    return mixed


def _grids(generator: Generator, images: list[np.ndarray]) -> list[Image.Image]:
    side = generator.shape[1]
    return [media.enlarge(media.grid(batch, COLUMNS), side, SHOWN) for batch in images]
