"""Muon: momentum whose update moves a weight equally far in all directions (Jordan et al. 2024, "Muon: An optimizer
for hidden layers in neural networks")."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

MIN_CHANNELS = 16  # fewer on either side: a layer that faces the image
ITERATIONS = 5  # after 3, 7 to 91 % of the singular values of a DCGAN's gradients still lay outside (0.5, 1.5)


def orthogonalised(
    matrix: Float[Tensor, "*batch rows columns"], iterations: int = ITERATIONS
) -> Float[Tensor, "*batch rows columns"]:
    """The matrix with its singular values brought near one.

    Newton and Schulz's iteration x <- a x + b (x x') x + c (x x')^2 x from x of Frobenius norm one. Jordan's
    coefficients do not settle at one, but lift small values quickly: after five iterations all from 0.002 upwards
    lie in [0.68, 1.21], smaller ones below.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x: Tensor = matrix / (torch.linalg.vector_norm(matrix, dim=(-2, -1), keepdim=True) + 1e-7)
    if tall := x.shape[-2] > x.shape[-1]:
        x = x.mT
    for _ in range(iterations):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


def hidden_convolutions(network: nn.Module) -> dict[int, int]:
    """Which weights are Muon's: index in `network.parameters()` -> groups of that convolution.

    Kernels with at least MIN_CHANNELS on both sides (of each group); not the layers that face the image, biases,
    norms, embeddings and dense layers.
    """
    groups = {p: getattr(module, "groups", 1) for module in network.modules() for p in module.parameters(recurse=False)}
    return {
        index: groups[parameter]
        for index, parameter in enumerate(network.parameters())
        if parameter.ndim == 4 and min(parameter.shape[:2]) >= MIN_CHANNELS
    }


def muon_update(
    gradient: Float[Tensor, "a b h w"], momentum: Float[Tensor, "a b h w"], beta: float, groups: int
) -> Float[Tensor, "a b h w"]:
    """The update of a convolution's weight, to be scaled by the learning rate; advances `momentum` in place.

    Nesterov: m <- beta m + g, and g + beta m is orthogonalised. With beta = 0, usual for GANs, that is g itself.

    The matrix, one for each group, is the weight as it lies: output x (input h w) of a convolution, which maps a
    patch to a pixel; input x (output h w) of a transposed one, whose transpose maps a pixel to the patch it leaves.
    The latter is the adjoint of the convolution with that very weight: both have the same singular values, at most
    ceil(kernel / stride) times the matrix's and the largest no smaller. Output x (input h w) would mix the phases
    of a strided transposed convolution, which never meet in one pixel, and bound it stride times as loosely on
    either side. Orthogonalising a matrix or its transpose is the same.

    The factor sqrt(max(1, rows / columns)), of Jordan's implementation, lets a layer with more outputs than inputs
    move each output as far as a square one would.
    """
    momentum.mul_(beta).add_(gradient)
    matrices = gradient.add(momentum, alpha=beta).reshape(groups, len(gradient) // groups, -1)
    rows, columns = matrices.shape[1:]
    return orthogonalised(matrices).mul_(math.sqrt(max(1.0, rows / columns))).reshape(gradient.shape)
