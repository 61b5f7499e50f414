"""From what is asked to images: latents, truncation, sliders, classes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from ganvas.errors import UsageError
from ganvas.training import latents
from ganvas.ui.rooms.play.asked import Asked
from ganvas.ui.rooms.play.directions import METHODS, Directions
from ganvas.ui.rooms.play.model import Model, Weights


def draw(model: Model, asked: Asked) -> UInt8[np.ndarray, "n c h w"]:
    """The images that are asked for."""
    with model.lock:
        return model.of(asked.weights).draw(z_of(model, asked), labels_of(model, asked))


def z_of(model: Model, asked: Asked) -> Float32[np.ndarray, "n z"]:
    """Their latents: those of `Generator.sample`, times psi, moved along the directions.

    Where latents lie on a sphere, moved ones are brought back to its radius. psi 1 and sliders at 0 change nothing.
    """
    config = model.generator.config.generator
    z = latents.draw_z(config, asked.seed, "sample", np.arange(asked.start, asked.start + asked.n))
    if asked.psi != 1:
        z = (z * asked.psi).astype(np.float32)
    moved = z
    for method, number, amount in asked.moves:
        if not amount:
            continue
        vectors = directions(model, method, asked.weights).vectors
        if number >= len(vectors):
            raise UsageError(f"{model.name} has {len(vectors)} directions of {method}, numbered from 0: not {number}")
        moved = moved + np.float32(amount) * vectors[number]
    if not any(amount for *_, amount in asked.moves) or config.latent != "sphere":
        return moved
    radius = np.linalg.norm(z, axis=1, keepdims=True)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved * radius / np.maximum(lengths, 1e-6), np.float32)


def labels_of(model: Model, asked: Asked) -> Int64[np.ndarray, "n"] | None:
    """Their classes: the one asked for, or a class a row; None where G has no classes."""
    classes = len(model.generator.class_names)
    if not classes:
        return None
    if asked.label is not None:
        return np.full(asked.n, asked.label)
    return (asked.start + np.arange(asked.n)) // asked.columns % classes


def directions(model: Model, method: str, weights: Weights) -> Directions:
    """A method's directions of a model, found once; raises as the method."""
    with model.lock:
        if (method, weights) not in model.directions:
            model.directions[method, weights] = METHODS[method](model.of(weights))
        return model.directions[method, weights]
