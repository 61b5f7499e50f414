"""Layers whose weights start as N(0, 1) and are scaled when used, so that all learn at the same relative rate.

Karras et al. 2018 (arXiv 1710.10196), section 4.1. Adam's step does not depend on a gradient's scale: with He's scale
as a constant factor outside the weight, a step changes every layer by the same share.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.models.ops.resize import filter_matrix, filtered


class EqualDense(nn.Module):
    """gain * rate * (W x / sqrt(in)) + rate * b, in float32; `rate` multiplies the learning rate of both.

    The first `normalised` inputs of each row are first scaled to root mean square 1.
    """

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, bias: float = 0.0, normalised: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.rate, self.normalised = rate, normalised

    description = "Dense, equalised"

    def forward(self, x: Float[Tensor, "n i"]) -> Float[Tensor, "n o"]:
        with torch.autocast(x.device.type, enabled=False):
            x = x.to(self.weight.dtype)
            if self.normalised:
                z, rest = x[:, : self.normalised], x[:, self.normalised :]
                x = torch.cat([z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt(), rest], 1)
            return F.linear(x, self.weight * (self.rate / math.sqrt(x.shape[1])), self.bias * self.rate)


class EqualEmbedding(nn.Module):
    """A row of `features` numbers for each class, initially N(0, 1 / features)."""

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, features))

    @property
    def description(self) -> str:
        return f"Embedding of {len(self.weight)} classes"

    def forward(self, labels: Int[Tensor, "k"]) -> Float[Tensor, "k f"]:
        return F.embedding(labels, self.weight) * self.weight.shape[1] ** -0.5  # type: ignore[no-any-return]


class EqualConv2d(nn.Module):
    """A convolution that keeps the size: [n, in, h, h] -> [n, out, h, h], with bias."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out))

    @property
    def description(self) -> str:
        return f"Conv {self.weight.shape[-1]}x{self.weight.shape[-1]}, equalised"

    def scaled(self) -> Tensor:
        """The weight that is used."""
        return self.weight * self.weight[0].numel() ** -0.5  # type: ignore[no-any-return]

    def forward(self, x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n d h h"]:
        return F.conv2d(x, self.scaled(), self.bias, padding=self.weight.shape[-1] // 2)


class EqualDownConv2d(EqualConv2d):
    """[1, 3, 3, 1] on both axes, then a 3x3 convolution of stride 2: [n, in, size, size] -> [n, out, h, h].

    h is half of the size, rounded up.
    """

    matrix: Tensor

    def __init__(self, channels_in: int, channels_out: int, size: int) -> None:
        super().__init__(channels_in, channels_out, 3)
        self.register_buffer("matrix", filter_matrix(size, 2, size + 1 + size % 2), persistent=False)

    @property
    def description(self) -> str:
        return "Smooth, conv 3x3 s2, equalised"

    def forward(self, x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n d s s"]:
        return F.conv2d(filtered(x, self.matrix), self.scaled(), self.bias, stride=2)
