"""Sides and channels of the maps between a few pixels and the image, and the steps from one map to the next."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.errors import UsageError

FIRST = 4
"""The first map has at least so many pixels a side, and fewer than twice as many."""


def ladder(size: int, strides: tuple[int, ...]) -> list[int]:
    """Sides of the maps from the image downwards: each stride s takes n to ceil(n / s)."""
    sizes = [size]
    for stride in reversed(strides):
        sizes.append(-(-sizes[-1] // stride))
    if sizes[-1] < 2:
        raise UsageError(f"strides {strides} shrink {size} px to {sizes[-1]} px: use fewer strides or larger images")
    return sizes


def sides(size: int) -> list[int]:
    """Sides of the maps from the first one to the image: each is half of the next, rounded up (4, 7, 14, 28).

    Raises UsageError for images of fewer than 7 px, which halve to less than the first map may have.
    """
    found = [size]
    while (half := -(-found[-1] // 2)) >= FIRST:
        found.append(half)
    if len(found) < 2:
        raise UsageError(f"images of {size} px are too small for this family: use --generator.family dcgan")
    return found[::-1]


def fit_widths(widths: Sequence[int], maps: int) -> list[int]:
    """Channels of so many maps, the smallest map first, from those that a config gives for 32 px.

    Where there are more maps, each further one has half the channels of the one before, at least 16 (or as few as
    that one has); where there are fewer, the large maps go.
    """
    fitted = list(widths[:maps])
    while len(fitted) < maps:
        fitted.append(max(fitted[-1] // 2, min(fitted[-1], 16)))
    return fitted


def fit_blocks(blocks: Sequence[int], maps: int) -> list[int]:
    """Residual blocks at each of so many maps, the smallest map first; the last number holds for all further ones."""
    return [*blocks[:maps], *[blocks[-1]] * (maps - len(blocks))]


def scaled(channels: int, factor: float, multiple: int = 8) -> int:
    """channels * factor as a multiple of `multiple`, the nearest of at least 8; just as they are where factor is 1."""
    if factor == 1:
        return channels
    least = -(-8 // multiple)
    return max(round(channels * factor / multiple), least) * multiple


def double(x: Float[Tensor, "n c h h"], side: int) -> Float[Tensor, "n c {side} {side}"]:
    """Every pixel becomes four; one row and column are dropped where 2 h > side."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")[:, :, :side, :side]


def halve(x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n c half half"]:
    """Means of 2 x 2 pixels, half = ceil(h / 2); at an odd side the last ones are means of two pixels, or of one."""
    return F.avg_pool2d(x, 2, ceil_mode=True)
