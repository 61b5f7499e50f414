"""Points in the plane as images: one pixel with two channels, x and y. Four sets of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from ganvas import rng
from ganvas.datasets import ImageSet

COUNT = 4096
"""Points of a set, all of them training images."""
NOISE = 0.03
"""Standard deviation of the points around their place; the picture is 2.4 wide."""


@dataclass(frozen=True)
class PointSet:
    """A shape: its places (the modes, or places along a curve), and the way from a share in [0, 1) to a point on it."""

    places: Float64[np.ndarray, "k 2"]
    at: Callable[[Float64[np.ndarray, "n"]], Float64[np.ndarray, "n 2"]]
    reach: float
    """A point within this distance of a place lies there."""
    modes: bool
    """Whether the places are separate modes."""


def draw(name: str, seed: int, count: int = COUNT) -> Float64[np.ndarray, "n 2"]:
    """The first points of a set: a function of (seed, index)."""
    index = np.arange(count)
    places = np.asarray(POINT_SETS[name].at(rng.uniform(seed, "toy/place", index)), np.float64)
    return places + NOISE * rng.normal(seed, "toy/noise", index, 2)


def as_images(points: Float[np.ndarray, "n 2"]) -> ImageSet:
    """Points in [-1, 1] x [-1, 1] as images uint8 [n, 2, 1, 1]: rounded to 256 levels, 0.008 apart, as pixels are."""
    levels = np.clip(np.round((points + 1) * 127.5), 0, 255).astype(np.uint8)[:, :, None, None]
    return ImageSet("toy", levels, None, (), hashlib.sha256(levels.tobytes()).hexdigest(), "drawn")


def _separate(places: np.ndarray, reach: float) -> PointSet:
    return PointSet(places, lambda share: places[(share * len(places)).astype(int)], reach, True)


def _along(curve: Callable[[np.ndarray], np.ndarray], places: int, reach: float) -> PointSet:
    return PointSet(curve((np.arange(places) + 0.5) / places), curve, reach, False)


def _ring() -> PointSet:
    angle = 2 * math.pi * np.arange(8) / 8
    return _separate(0.7 * np.stack([np.cos(angle), np.sin(angle)], 1), 0.15)


def _grid() -> PointSet:
    side = np.linspace(-0.7, 0.7, 5)
    return _separate(np.stack([axis.ravel() for axis in np.meshgrid(side, side)], 1), 0.11)


def _spiral(share: np.ndarray) -> np.ndarray:
    """One and three quarter turns. Its length grows with the square of the angle; equal shares have equal lengths."""
    turn = np.sqrt(share * (1 - 0.04) + 0.04)
    angle = 3.5 * math.pi * turn
    return np.asarray(0.78 * turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1))


def _moons(share: np.ndarray) -> np.ndarray:
    first, angle = share < 0.5, math.pi * (2 * share % 1)
    x = np.where(first, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(first, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return np.stack([0.5 * x, 0.5 * y], 1)


POINT_SETS = {
    "ring": _ring(), "grid": _grid(), "spiral": _along(_spiral, 20, 0.16), "moons": _along(_moons, 16, 0.12),
}  # fmt: skip


def covered(name: str, fakes: Float[np.ndarray, "n 2"]) -> tuple[int, float]:
    """At how many places there are a quarter or more of the fakes that belong there, and the share at any place."""
    known = POINT_SETS[name]
    apart = np.linalg.norm(fakes[:, None] - known.places, axis=2)
    near = apart.min(1) < known.reach
    counts = np.bincount(apart.argmin(1)[near], minlength=len(known.places))
    return int((counts >= len(fakes) / len(known.places) / 4).sum()), float(near.mean())
