"""Sizes (sides in pixels) and channels of the maps between the first small map and the image."""

from __future__ import annotations

from collections.abc import Sequence

from ganvas.errors import UsageError, option

SMALLEST = 4
"""The first map has at least this many pixels a side, and fewer than twice as many."""


def strided_sizes(size: int, strides: tuple[int, ...]) -> list[int]:
    """Sizes of the maps from the image downwards: each stride s, the last one first, takes n to ceil(n / s)."""
    sizes = [size]
    for stride in reversed(strides):
        sizes.append(-(-sizes[-1] // stride))
    if sizes[-1] < 2:
        raise UsageError(f"strides {strides} shrink {size} px to {sizes[-1]} px: use fewer strides or larger images")
    return sizes


def map_sizes(size: int) -> list[int]:
    """Sizes of the maps from the first one to the image: each is half of the next, rounded up (4, 7, 14, 28).

    Raises UsageError for images of fewer than 7 px: half of that is too small for the first map.
    """
    sizes = [size]
    while (half := -(-sizes[-1] // 2)) >= SMALLEST:
        sizes.append(half)
    if len(sizes) < 2:
        raise UsageError(f"images of {size} px are too small for this family: use {option('--generator.family dcgan')}")
    return sizes[::-1]


def fit_widths(widths: Sequence[int], maps: int) -> list[int]:
    """Channels of `maps` maps, the smallest map first, from those that a config gives for 32 px.

    Where there are more maps, each further one has half the channels of the one before, at least 16 (or as few as
    that one has); where there are fewer, the largest maps are dropped.
    """
    fitted = list(widths[:maps])
    while len(fitted) < maps:
        fitted.append(max(fitted[-1] // 2, min(fitted[-1], 16)))
    return fitted


def fit_large(
    size: int, fewer: int, widths: Sequence[int], blocks: Sequence[int] = ()
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Channels and blocks of every map, the smallest first, of a network for images above 64 px; `fewer` than the
    maps of `map_sizes`.

    `fit_widths` alone would give each map that such images add the fewest channels. Here the smallest map's are
    repeated, once for each map more than 64 px have, and the others move up. Up to 64 px, or with a number for each
    map, they stay as they are.
    """
    maps = len(map_sizes(size)) - fewer
    more = min(len(map_sizes(size)) - len(map_sizes(64)), maps - len(widths))
    if more <= 0:
        return tuple(widths), tuple(blocks)
    fitted = fit_widths([*[widths[0]] * more, *widths], maps)
    return tuple(fitted), tuple(fit_blocks([*[blocks[0]] * more, *blocks], maps) if blocks else ())


def fit_blocks(blocks: Sequence[int], maps: int) -> list[int]:
    """Numbers of residual blocks at `maps` maps, the smallest map first; the last number is repeated."""
    return [*blocks[:maps], *[blocks[-1]] * (maps - len(blocks))]


def scale_channels(channels: int, factor: float, multiple: int = 8) -> int:
    """channels * factor, rounded to a multiple of `multiple` and at least 8; unchanged where factor is 1."""
    if factor == 1:
        return channels
    least = -(-8 // multiple)
    return max(round(channels * factor / multiple), least) * multiple
