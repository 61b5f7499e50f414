"""`shapes`: coloured shapes on black, drawn from integers alone, so that every platform makes the same bytes.

Its modes are known: image i shows shape i % 10 in colour (i // 10) % 8, hence 80 modes (shape x colour), each
once in every 80 consecutive images; the label is the shape. Place and size vary within a mode. In grey, a
colour becomes its luma; the eight lumas lie at least 20 apart.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganvas import rng
from ganvas.config import DataConfig
from ganvas.datasets.pixels import luma
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw
from ganvas.datasets.source import DataSource, register_data

CLASSES = ("circle", "square", "triangle", "diamond", "cross", "ring", "star", "heart", "bar", "pillar")
COLOURS = {
    "blue": (30, 70, 250),
    "red": (240, 45, 45),
    "purple": (165, 90, 240),
    "green": (60, 215, 80),
    "orange": (255, 160, 60),
    "cyan": (90, 250, 255),
    "yellow": (255, 245, 60),
    "white": (255, 255, 255),
}
SIDE = 32
COUNTS = {"train": 10_000, "test": 2_000}
FIRST = {"train": 0, "test": 80 * 10**9}  # the splits are disjoint stretches of one endless set
UNIT = 1024  # centre and radius are in 1/1024 of the picture's side
SUB = 4  # samples along a pixel's side: 16 per pixel decide its coverage

Coordinates = NDArray[np.int64]
Corners = tuple[tuple[int, int], ...]


class Parameters(NamedTuple):
    """What an image shows: int64 [n] each; x, y (centre) and radius in 1/1024 of the side."""

    label: NDArray[np.int64]
    colour: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    radius: NDArray[np.int64]


def parameters(index: ArrayLike) -> Parameters:
    """The parameters of images by their index [n]: a pure function, the same at every size and in grey."""
    i = np.asarray(index, np.int64).reshape(-1)
    radius = 288 + 16 * (rng.bits(0, "shapes/radius", i) % np.uint64(8)).astype(np.int64)
    room = UNIT // 2 - radius

    def place(axis: str) -> NDArray[np.int64]:
        drawn = rng.bits(0, f"shapes/{axis}", i) % (2 * room + 1).astype(np.uint64)
        return UNIT // 2 - room + drawn.astype(np.int64)

    return Parameters(i % len(CLASSES), i // len(CLASSES) % len(COLOURS), place("x"), place("y"), radius)


def draw(split: str, n: int | None, size: int, channels: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The first n images of a split, uint8 [n, channels, size, size], and their labels int64 [n]."""
    index = FIRST[split] + np.arange(COUNTS[split] if n is None else n)
    return render(index, size, channels), parameters(index).label


def read(config: DataConfig, progress: Progress) -> Raw:
    """The images that a config asks for, drawn at its size; a limit may exceed the usual number of images."""
    n = config.limit if not config.classes else None
    images, labels = draw(config.split, n, config.size or SIDE, config.channels or 3)
    return Raw(images, labels, CLASSES, "drawn from integers (shape x colour: 80 known modes)")


def modes(split: str, n: int) -> NDArray[np.int64]:
    """Shape and colour as one number, for each of the first n images of a split."""
    drawn = parameters(FIRST[split] + np.arange(n))
    return drawn.colour * len(CLASSES) + drawn.label


def render(index: ArrayLike, size: int = 32, channels: int = 3) -> NDArray[np.uint8]:
    """Draw images by their index [n]: uint8 [n, channels, size, size]."""
    shown = parameters(index)
    palette = np.array(list(COLOURS.values()), np.uint8)
    if channels == 1:
        palette = luma(palette[:, :, None, None])[:, :, 0, 0]
    coverage = np.empty((len(shown.label), size, size), np.uint8)
    centres = (np.stack([shown.y, shown.x], 1) * (SUB * size) + UNIT // 2) // UNIT
    for i, (label, radius, (y, x)) in enumerate(zip(shown.label, shown.radius, centres, strict=True)):
        mask = _coverage(int(label), int(radius), size, int(y) % SUB, int(x) % SUB)
        half = len(mask) // 2
        _paste(coverage[i], mask, int(y) // SUB - half, int(x) // SUB - half)
    colours = palette[shown.colour].astype(np.uint16)[:, :, None, None]
    return ((colours * coverage[:, None] + SUB * SUB // 2) // (SUB * SUB)).astype(np.uint8)


def _paste(picture: NDArray[np.uint8], mask: NDArray[np.uint8], top: int, left: int) -> None:
    """Put a mask at (top, left) of an empty picture; what lies outside is cut off."""
    size, side = len(picture), len(mask)
    picture[:] = 0
    top_in, bottom_in = max(0, top), min(size, top + side)
    left_in, right_in = max(0, left), min(size, left + side)
    picture[top_in:bottom_in, left_in:right_in] = mask[top_in - top : bottom_in - top, left_in - left : right_in - left]


@cache
def _coverage(label: int, radius: int, size: int, y: int, x: int) -> NDArray[np.uint8]:
    """Samples per pixel, 0 to 16, covered by a shape centred (y, x) samples into the middle pixel."""
    fine = _samples(label, radius, size)
    half = -(-len(fine) // (2 * SUB)) + 1
    canvas = np.zeros((2 * half * SUB, 2 * half * SUB), np.uint8)
    top, left = half * SUB + y - len(fine) // 2, half * SUB + x - len(fine) // 2
    canvas[top : top + len(fine), left : left + len(fine)] = fine
    covered: NDArray[np.uint8] = canvas.reshape(2 * half, SUB, 2 * half, SUB).sum((1, 3), dtype=np.uint8)
    return covered


@cache
def _samples(label: int, radius: int, size: int) -> NDArray[np.uint8]:
    """1 where a sample around the centre lies within the shape, [2m, 2m]; samples sit at odd half steps."""
    reach = -(-radius * SUB * size // UNIT) + 1
    steps = np.arange(-reach, reach, dtype=np.int64) * 2 + 1
    unit = radius * SUB * size * 2  # the radius, in half steps times UNIT
    return SHAPES[CLASSES[label]](steps[None, :] * UNIT, steps[:, None] * UNIT, unit).astype(np.uint8)


def _disc(x: Coordinates, y: Coordinates, r: int) -> NDArray[np.bool_]:
    return x * x + y * y <= r * r


def _box(x: Coordinates, y: Coordinates, half_width: int, half_height: int) -> NDArray[np.bool_]:
    return (abs(x) <= half_width) & (abs(y) <= half_height)


def _polygon(x: Coordinates, y: Coordinates, r: int, corners: Corners) -> NDArray[np.bool_]:
    """Even-odd rule, corners in percent of the radius; integers only, so no edge is decided by rounding."""
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        crosses = (100 * y >= ay * r) & (100 * y < by * r)
        left_of_edge = (100 * x - ax * r) * (by - ay) < (bx - ax) * (100 * y - ay * r)
        inside ^= crosses & left_of_edge
    return inside


TRIANGLE = ((0, -95), (97, 75), (-97, 75))
DIAMOND = ((0, -100), (70, 0), (0, 100), (-70, 0))
STAR_RIGHT = ((0, -100), (24, -32), (95, -31), (38, 12), (59, 81), (0, 40))
STAR = STAR_RIGHT + tuple((-x, y) for x, y in STAR_RIGHT[-2:0:-1])
HEART_TIP = ((-90, -4), (0, -40), (90, -4), (0, 95))
SHAPES: dict[str, Callable[[Coordinates, Coordinates, int], NDArray[np.bool_]]] = {
    "circle": _disc,
    "square": lambda x, y, r: _box(x, y, 4 * r // 5, 4 * r // 5),
    "triangle": lambda x, y, r: _polygon(x, y, r, TRIANGLE),
    "diamond": lambda x, y, r: _polygon(x, y, r, DIAMOND),
    "cross": lambda x, y, r: _box(x, y, r, 3 * r // 10) | _box(x, y, 3 * r // 10, r),
    "ring": lambda x, y, r: _disc(x, y, r) & ~_disc(x, y, 11 * r // 20),
    "star": lambda x, y, r: _polygon(x, y, r, STAR),
    "heart": lambda x, y, r: _disc(abs(x) - 47 * r // 100, y + 30 * r // 100, r // 2) | _polygon(x, y, r, HEART_TIP),
    "bar": lambda x, y, r: _box(x, y, r, 7 * r // 20),
    "pillar": lambda x, y, r: _box(x, y, 7 * r // 20, r),
}

register_data(
    DataSource(
        name="shapes",
        shape=(3, SIDE, SIDE),
        class_names=CLASSES,
        splits=COUNTS,
        read=read,
        licence="drawn by ganvas, free of rights; 80 known modes (10 shapes x 8 colours)",
        verified="nothing to compare with: drawn when needed",
        sizes=(8, 128),
        max_limit=1_000_000,
        modes=modes,
    )
)
