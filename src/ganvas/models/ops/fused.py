"""Upsampling and a 3 x 3 convolution, or a 3 x 3 convolution and downsampling, fused to one strided 4 x 4 convolution.

A repeated pixel, like a mean of 2 x 2 pixels, allows neighbouring weights of the kernel to be added up beforehand. The
result is the same up to rounding, with 4 / 9 of the multiplications and no intermediate map of the larger size. At an
odd size the borders differ, so both steps are computed one after the other.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ganvas.models.ops.conv import SameConv2d, convolve, convolve_transpose
from ganvas.models.ops.resize import downsample, upsample


class UpsampleConv2d(SameConv2d):
    """`upsample` to `size`, then a 3 x 3 convolution: [n, in, h, h] -> [n, out, size, size], size 2 h or 2 h - 1."""

    def __init__(self, in_channels: int, out_channels: int, size: int) -> None:
        super().__init__(in_channels, out_channels, 3, 1)
        self.size = size

    @property
    def description(self) -> str:
        return "Twice the side, Conv 3x3"

    def forward(self, x: Tensor) -> Tensor:
        if self.size % 2:
            return super().forward(upsample(x, self.size))
        weight = _pair_sums(self.weight).flip(2, 3).transpose(0, 1)
        return convolve_transpose(x, weight, 2, self.size, self.bias, self.algorithm)


class DownsampleConv2d(SameConv2d):
    """A 3 x 3 convolution, then `downsample`: [n, in, h, h] -> [n, out, ceil(h / 2), ceil(h / 2)]."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, 1)

    @property
    def description(self) -> str:
        return "Conv 3x3, half the side"

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] % 2 or x.shape[3] % 2:
            return downsample(super().forward(x))
        return convolve(x, _pair_sums(self.weight) / 4, 2, self.bias, self.algorithm)


def _pair_sums(weight: Tensor) -> Tensor:
    """Sums of every 2 x 2 window of the kernel with zeros around it: [c', c, 3, 3] -> [c', c, 4, 4]."""
    rows = F.pad(weight, (0, 0, 0, 1)) + F.pad(weight, (0, 0, 1, 0))
    return F.pad(rows, (0, 1)) + F.pad(rows, (1, 0))
