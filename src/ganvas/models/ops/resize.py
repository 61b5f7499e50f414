"""Maps of twice and of half the size."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def upsample(x: Float[Tensor, "n c h h"], size: int) -> Float[Tensor, "n c {size} {size}"]:
    """Every pixel becomes four (nearest neighbour); one row and column are dropped where 2 h > size."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, :size, :size]


def downsample(x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n c half half"]:
    """Means of 2 x 2 pixels, half = ceil(h / 2); at an odd size the last ones are means of two pixels, or of one."""
    return F.avg_pool2d(x, 2, ceil_mode=True)
