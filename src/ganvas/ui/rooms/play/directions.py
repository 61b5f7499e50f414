"""Directions of z along which a generator's images change most.

SeFa (Shen & Zhou 2021, arXiv 2007.06600): of the weights alone (ganvas.latent_directions).

GANSpace (Härkönen et al. 2020, arXiv 2004.02546): of activations. Principal components of what enters the second
layer, over many latents; each is brought back to z by least squares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor, nn

from ganvas.errors import GanvasError
from ganvas.generator import Generator
from ganvas.latent_directions import check_finite, principal_directions
from ganvas.training import latents

MOST = 12
"""Directions that are found."""
LATENTS = 1024
"""Latents whose activations GANSpace reads."""
MOST_FLOATS = 1 << 25
"""Activations that are held at once: of larger layers, fewer latents are read."""


@dataclass(frozen=True)
class Directions:
    """What sliders move along, the one that changes most first."""

    vectors: Float32[np.ndarray, "k z"]
    """What is added to z for a slider's 1: one standard deviation along the direction."""
    shares: Float64[np.ndarray, "k"]
    """Share of all variance of the layer, in [0, 1], that each direction explains."""
    values: int = 0
    """Activations of a latent that were read; 0 where the weights alone decide."""
    latents: int = 0
    """Latents that were read."""


class _SeenError(Exception):
    """Enough was seen of a forward pass."""


def sefa(generator: Generator) -> Directions:
    """SeFa's directions: those of the first layer's weights."""
    found = principal_directions(generator, MOST)
    return Directions(found.vectors, found.shares.astype(np.float64))


def ganspace(generator: Generator) -> Directions:
    """GANSpace's directions: of the activations of LATENTS latents, the same ones every time.

    Where G has classes, they come in turn, and each is centred: what is found is variety within a class. One unit is a
    standard deviation of the component. Raises GanvasError where no first layer is found that takes z, or
    activations are not finite.
    """
    dim, classes = generator.config.generator.latent_dim, len(generator.class_names)
    width = second_inputs(generator, *_latents(generator, 2)).shape[1]
    n = max(2 * max(classes, 1), min(LATENTS, MOST_FLOATS // width))
    z, labels = _latents(generator, n)
    y = second_inputs(generator, z, labels).double()
    check_finite(bool(y.isfinite().all()))
    centred = z.double()
    for k in range(classes or 1):
        rows = torch.arange(n) % (classes or 1) == k
        y[rows] -= y[rows].mean(0)
        centred[rows] -= centred[rows].mean(0)
    variances, components = torch.linalg.eigh(y @ y.T / n)  # the components' coordinates in place of the components
    variances, components = variances.flip(0).clamp(min=0), components.flip(1)
    k = min(MOST, dim)
    back = components[:, :k].T @ centred / n**0.5  # least squares: coordinates are uncorrelated
    shares = variances[:k] / variances.sum().clamp(min=1e-30)
    return Directions(_signed(back.numpy()), shares.numpy(), width, n)


METHODS: dict[str, Callable[[Generator], Directions]] = {"sefa": sefa, "ganspace": ganspace}


def first_layer(generator: Generator, z: Tensor, labels: Tensor | None) -> nn.Module:
    """The first layer with weights that takes z; GanvasError where there is none."""
    found: list[nn.Module] = []

    def look(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if _holds(inputs[0], z):
            found.append(module)
            raise _SeenError

    _run(generator, z, labels, look)
    if not found:
        raise GanvasError("no first layer that takes z was found in this generator")
    return found[0]


def second_inputs(generator: Generator, z: Tensor, labels: Tensor | None) -> Tensor:
    """What enters the second layer with weights, [n, ...] flattened; the first layer's output where there is no second.

    Raises as `first_layer`.
    """
    first, seen, outputs = first_layer(generator, z, labels), list[Tensor](), list[Tensor]()
    handle = first.register_forward_hook(lambda _, __, out: outputs.append(out))

    def look(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if outputs and module is not first:
            seen.append(inputs[0])
            raise _SeenError

    try:
        _run(generator, z, labels, look)
    finally:
        handle.remove()
    return (seen or outputs)[0][-len(z) :].flatten(1).float()


def _run(
    generator: Generator, z: Tensor, labels: Tensor | None, look: Callable[[nn.Module, tuple[Any, ...]], None]
) -> None:
    """Call G and let `look` see each layer with a matrix or kernels before it is called, until it has seen enough."""
    with _watched(generator.network, look), torch.no_grad(), suppress(_SeenError):
        generator.network.eval()(z, labels)


@contextmanager
def _watched(network: nn.Module, look: Callable[[nn.Module, tuple[Any, ...]], None]) -> Iterator[None]:
    handles = [m.register_forward_pre_hook(look) for m in network.modules() if _has_matrix(m)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _has_matrix(module: nn.Module) -> bool:
    """Whether the layer has a matrix or kernels of its own."""
    weight = module._parameters.get("weight")
    return weight is not None and weight.ndim >= 2 and not isinstance(module, nn.Embedding)


def _holds(inputs: Any, z: Tensor) -> bool:
    """Whether a layer's flattened inputs hold z, in their last rows, beside whatever else."""
    if not isinstance(inputs, Tensor) or inputs.ndim < 2 or len(inputs) < len(z):
        return False
    flat, dim = inputs[-len(z) :].flatten(1), z.shape[1]
    return any(torch.equal(flat[:, at : at + dim], z) for at in range(flat.shape[1] - dim + 1))


def _latents(generator: Generator, n: int) -> tuple[Tensor, Tensor | None]:
    """Latents of a stream of their own, and the classes in turn."""
    index, classes = np.arange(n), len(generator.class_names)
    z = torch.from_numpy(latents.draw_z(generator.config.generator, 0, "directions", index))
    return z, torch.from_numpy(index % classes) if classes else None


def _signed(vectors: np.ndarray) -> Float32[np.ndarray, "k z"]:
    """The vectors with the sign that makes the largest entry of each positive: an eigenvector has none of its own."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(1)[:, None], 1)
    return (vectors * np.where(largest < 0, -1.0, 1.0)).astype(np.float32)
