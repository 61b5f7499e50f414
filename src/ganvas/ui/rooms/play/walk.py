"""The way from one image to another, frame by frame: between latents, between classes, or both at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import UInt8

from ganvas import media
from ganvas.errors import UsageError
from ganvas.exporting.motion import has_class_embeddings, with_mixtures
from ganvas.generator import Generator
from ganvas.training import latents
from ganvas.ui.rooms.play.asked import Asked
from ganvas.ui.rooms.play.images import labels_of, z_of
from ganvas.ui.rooms.play.model import Model

MOST_FRAMES = 64
FRAME_MS = 50
SHOWN = 256
"""Pixels of the screen that a saved animation gets at least."""
KINDS = ("webp", "gif")


def walk(model: Model, first: Asked, last: Asked, steps: int) -> UInt8[np.ndarray, "n c h w"]:
    """`steps` images from the one that `first` asks for to the one that `last` asks for, both included.

    Latents go along the great circle (latents.great_circle), what G knows of the classes (its embeddings) along a
    straight line. Raises UsageError where the classes differ and G does not keep them in embeddings.
    """
    with model.lock:
        generator = model.of(first.weights)
        a, b = z_of(model, first)[0], z_of(model, last)[0]
        at = np.linspace(0, 1, steps)
        z = latents.great_circle(a, b, at)
        z[0], z[-1] = a, b  # exactly
        own, other = labels_of(model, first), labels_of(model, last)
        if own is None or other is None or own[0] == other[0]:
            return generator.draw(z, None if own is None else np.repeat(own, steps))
        return _between_classes(generator, z, int(own[0]), int(other[0]), at)


def _between_classes(
    generator: Generator, z: np.ndarray, own: int, other: int, at: np.ndarray
) -> UInt8[np.ndarray, "n c h w"]:
    classes, steps = len(generator.class_names), len(at)
    if not has_class_embeddings(generator.network, classes):
        raise UsageError("this generator keeps its classes in no embedding: nothing lies between two of them")
    shares = np.zeros((steps, classes), np.float32)
    shares[:, own], shares[:, other] = 1 - at, at
    mixed = with_mixtures(generator.network, classes, torch.from_numpy(shares))
    return replace(generator, network=mixed).draw(z, classes + np.arange(steps))


def animation(images: UInt8[np.ndarray, "n c h w"], kind: str) -> bytes:
    """The way there and back, without end, as the bytes of a "webp" or "gif"."""
    if kind not in KINDS:
        raise UsageError(f"an animation is saved as {' or '.join(KINDS)}")
    side = images.shape[2]
    frames = [media.enlarge(media.grid(image[None]), side, SHOWN) for image in images]
    frames = [*frames, *frames[-2:0:-1]]
    durations = [FRAME_MS] * len(frames)
    if kind == "webp":
        return media.webp(frames, durations=durations)
    return media.gif(frames, media.shared_palette(media.evenly_spaced(frames, 12)), durations)
