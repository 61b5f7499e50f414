"""A 3 x 3 convolution behind a doubling of the side, or before a halving, as one strided convolution of 4 x 4.

Each pixel that a doubling repeats, and each mean of 2 x 2 that a halving takes, lets neighbouring taps be added up
beforehand. The numbers are the same but for rounding; the multiplications are 4 / 9, and no map at the larger side is
made in between. At an odd side the borders differ, and both steps are made as they are written.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ganvas.models.layers.pyramid import double, halve
from ganvas.models.ops.conv import SameConv2d, convolve, convolve_transpose


class DoublingConv2d(SameConv2d):
    """`double` to `side`, then a 3 x 3 convolution: [n, in, h, h] -> [n, out, side, side], side 2 h or 2 h - 1."""

    def __init__(self, in_channels: int, out_channels: int, side: int) -> None:
        super().__init__(in_channels, out_channels, 3, 1)
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        if self.side % 2:
            return super().forward(double(x, self.side))
        taps = _summed(self.weight).flip(2, 3).transpose(0, 1)
        return convolve_transpose(x, taps, 2, self.side, self.bias, self.algorithm)


class HalvingConv2d(SameConv2d):
    """A 3 x 3 convolution, then `halve`: [n, in, h, h] -> [n, out, ceil(h / 2), ceil(h / 2)]."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] % 2 or x.shape[3] % 2:
            return halve(super().forward(x))
        return convolve(x, _summed(self.weight) / 4, 2, self.bias, self.algorithm)


def _summed(weight: Tensor) -> Tensor:
    """Every window of 2 x 2 taps added up, those that reach over the border too: [c', c, 3, 3] -> [c', c, 4, 4]."""
    rows = F.pad(weight, (0, 0, 0, 1)) + F.pad(weight, (0, 0, 1, 0))
    return F.pad(rows, (0, 1)) + F.pad(rows, (1, 0))
