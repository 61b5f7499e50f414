"""The generator's principal directions: ways through the latents that change most in its first layer.

SeFa (Shen & Zhou 2021, arXiv 2007.06600): the singular vectors of the first layer's matrix. Latents are N(0, 1), so
these are as well the principal components of that layer's output (Härkönen et al. 2020, "GANSpace", arXiv 2004.02546).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from ganvas.errors import GanvasError
from ganvas.generator import Generator
from ganvas.models.layers.eigenimages import Drafted


@dataclass(frozen=True)
class Directions:
    """The strongest first: unit vectors, each at a right angle to the others, and what each is worth."""

    vectors: Float32[np.ndarray, "k z"]
    shares: Float32[np.ndarray, "k"]
    """Share of the variance of the first layer's output that lies along each; over all directions they add up to 1."""

    def move(
        self, z: Float32[np.ndarray, "n z"], steps: Float32[np.ndarray, "k"], latent: str = "normal"
    ) -> Float32[np.ndarray, "n z"]:
        """z moved by steps[i] along direction i; one step is one standard deviation of z. `latent` as in the config:
        on a sphere the result is put back on it."""
        moved = z + steps @ self.vectors[: len(steps)]
        if latent == "sphere":
            moved *= np.sqrt(z.shape[1]) / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
        return np.asarray(moved, np.float32)


def principal_directions(generator: Generator, count: int = 10) -> Directions:
    """The `count` strongest directions of a generator, fewer where z is shorter.

    Raises GanvasError where the first layer's weights are not finite.
    """
    dim = generator.config.generator.latent_dim
    z = torch.cat([torch.zeros(1, dim), torch.eye(dim)])
    out = _first_layer(generator, z)[-len(z) :].double().flatten(1)
    rows = (out[1:] - out[:1]).numpy()  # [z, features]: the layer's matrix, whatever form it is stored in
    check_finite(bool(np.isfinite(rows).all()))
    vectors, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    vectors = vectors.T[:count]
    strongest = np.abs(vectors).argmax(1)
    vectors = vectors * np.sign(vectors[np.arange(len(vectors)), strongest])[:, None]  # else the sign is any
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-30)
    return Directions(vectors.astype(np.float32), shares[:count].astype(np.float32))


def check_finite(finite: bool) -> None:
    """GanvasError unless `finite`: what weights or activations are."""
    if not finite:
        raise GanvasError("the weights of this generator are not finite: choose a snapshot from before that")


class _Found(Exception):  # noqa: N818  (no error)
    """Carries the output out of the network, whose other layers need not run."""

    def __init__(self, output: Tensor) -> None:
        self.output = output


def _first_layer(generator: Generator, z: Tensor) -> Tensor:
    """What G's first layer with weights gives for z, of the first class where G has classes; else G's images.

    Where G starts from drafts, they are its first layer: most of what z changes goes through them.
    """

    def stop(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        raise _Found(output)

    layers = [
        layer
        for layer in generator.network.modules()
        if isinstance(layer, Drafted)
        or (not isinstance(layer, nn.Embedding) and next(layer.parameters(recurse=False), None) is not None)
    ]
    handles = [layer.register_forward_hook(stop) for layer in layers]
    labels = torch.zeros(len(z), dtype=torch.int64) if generator.class_names else None
    device, training = generator.engine.device, generator.network.training
    try:
        generator.network.eval()  # in training it would move its running statistics
        with torch.no_grad():
            images = generator.network(z.to(device), None if labels is None else labels.to(device))
            return torch.as_tensor(images).cpu()
    except _Found as found:
        return found.output.float().cpu()
    finally:
        generator.network.train(training)
        for handle in handles:
            handle.remove()
