"""Maps of twice and of half the size, and filters along both axes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def upsample(x: Float[Tensor, "n c h h"], size: int) -> Float[Tensor, "n c {size} {size}"]:
    """Every pixel becomes four (nearest neighbour); one row and column are dropped where 2 h > size."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, :size, :size]


def downsample(x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n c half half"]:
    """Means of 2 x 2 pixels, half = ceil(h / 2); at an odd size the last ones are means of two pixels, or of one."""
    return F.avg_pool2d(x, 2, ceil_mode=True)


def filtered(x: Float[Tensor, "n c h h"], matrix: Float[Tensor, "s h"]) -> Float[Tensor, "n c s s"]:
    """The product with a matrix along each axis, laid out channels last in memory.

    As a depthwise convolution a filter's gradient is slow (in bf16 on the CPU, 15 to 80 times).
    """
    n, _, _, columns = x.shape
    matrix = matrix.to(x.dtype)
    rows = torch.matmul(matrix, x.movedim(1, -1).flatten(2))  # [n, s, h * c]
    return torch.matmul(matrix, rows.view(n, len(matrix), columns, -1)).movedim(-1, 1)


def filter_matrix(size_in: int, before: int, size_out: int, gain: float = 1.0) -> Float[Tensor, "{size_out} {size_in}"]:
    """gain * [1, 3, 3, 1] / 8 at every pixel of a row of `size_in` with `before` zeros in front, as a matrix."""
    at = torch.arange(size_in)[None] - torch.arange(size_out)[:, None] + before
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) * (gain / 8)
    return torch.where((at >= 0) & (at < 4), taps[at.clamp(0, 3)], 0.0)


def smoothing_matrix(size: int) -> Float[Tensor, "half {size}"]:
    """The filter [1, 3, 3, 1] / 8 at every second of `size` pixels in a row, with zeros around, as a matrix.

    Twice its transpose enlarges a row of half the pixels to `size`.
    """
    centres = 2 * torch.arange(-(-size // 2)) + 0.5
    distances = (torch.arange(size) - centres[:, None]).abs()
    return (2.0 * (distances < 1) + (distances < 2)) / 8
