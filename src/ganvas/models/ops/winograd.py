"""Winograd's algorithm for strided `SAME` convolutions and their transposes, on the CPU.

Along one axis a strided convolution y[i] = sum_j w[j] x[s i + j - before] is a sum over s phases of unstrided
ones: phase q holds the taps w[q], w[s + q], ... and reads every s-th pixel. Each is computed for tiles of m
outputs by way of values at points (Toom and Cook; Winograd 1980; Lavin & Gray 2016, arXiv 1509.09308, section
4):

    y = A^T [(G w) * (B x)]          on two axes: y = A^T [(G w G^T) * (B x B^T)] A

A depends on the points alone, so all phases add up before the one inverse transform, and a phase with fewer
taps leaves out points: at m = 4 the 5 taps of stride 2 take 6 + 5 multiplications where the plain sum takes
20. A and B act on whole lines here: they hold padding, tiles and phases, and cost one small matmul an axis.

The transposed convolution reads the same trilinear form from the other side, and so do the gradients:
`_Convolve`, `_Transpose` and `_WeightGradient` below are each other's derivatives, to any order. They make many short
parallel regions: where other processes share the cores, set OMP_WAIT_POLICY=PASSIVE before torch is imported.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ganvas.models.ops.direct import apply_function, same_padding

Operand = Literal["large", "small"]

POINTS = (math.inf, 0.0, 1.0, -1.0, 0.5, -2.0, 2.0, -0.5)  # small ones keep float32 accurate
MIN_CHANNELS = 16  # fewer on either side: the transforms cost more than the multiplications they save
MAX_TILE = 4  # outputs a tile and axis; the error grows quickly with it


# --------------------------------------------------------------------------------- the transforms of one axis


def _evaluate(points: np.ndarray, length: int) -> np.ndarray:
    """Rows that evaluate a polynomial of `length` coefficients at the points; infinity picks the last."""
    finite = np.isfinite(points)
    rows = np.where(finite, points, 0.0)[:, None] ** np.arange(length)
    rows[~finite] = np.eye(length)[-1]
    return rows


def _interpolate(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Lagrange polynomials' coefficients without their denominators [n, n], and the denominators [n]."""
    n = len(points)
    rows, denominators = np.zeros((n, n)), np.ones(n)
    for i, point in enumerate(points):
        others = np.delete(points, i)
        others = others[np.isfinite(others)]
        rows[i, : len(others) + 1] = np.polynomial.polynomial.polyfromroots(others)
        if np.isfinite(point):
            denominators[i] = np.prod(point - others)
    return rows, denominators


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of the algorithm: `size` pixels in tiles, each at points; an entry is one point of one phase.

    Phase q has `counts[q]` entries, at the first so many points; the entries of phase 0 come first.
    B is large [tiles * entries, size], A is small [tiles * points, outputs], G is taps [entries, kernel].
    """

    tiles: int
    counts: tuple[int, ...]
    large: np.ndarray
    small: np.ndarray
    taps: np.ndarray

    @property
    def points(self) -> int:
        return self.counts[0]

    @property
    def entries(self) -> int:
        return sum(self.counts)


@lru_cache(maxsize=256)
def axis(size: int, kernel: int, stride: int) -> Axis:
    """The tiling of one axis that multiplies least; needs a tap for every phase: kernel >= stride."""
    out = -(-size // stride)
    plans = [_tile_axis(size, kernel, stride, tile) for tile in range(1, min(MAX_TILE, out) + 1)]
    return min(plans, key=lambda plan: plan.tiles * plan.entries)


def _tile_axis(size: int, kernel: int, stride: int, tile: int) -> Axis:
    out, before = -(-size // stride), same_padding(size, kernel, stride)[0]
    tiles = -(-out // tile)
    counts = tuple(tile + len(range(phase, kernel, stride)) - 1 for phase in range(stride))
    points = np.array(POINTS[: counts[0]])

    large, taps = np.zeros((tiles, sum(counts), size)), np.zeros((sum(counts), kernel))
    for phase, count in enumerate(counts):
        entries = slice(sum(counts[:phase]), sum(counts[: phase + 1]))
        polynomials, denominators = _interpolate(points[:count])
        taps[entries, phase::stride] = _evaluate(points[:count], count - tile + 1) / denominators[:, None]
        for t in range(tiles):
            pixels = stride * (t * tile + np.arange(count)) + phase - before
            inside = (pixels >= 0) & (pixels < size)
            large[t, entries, pixels[inside]] = polynomials[:, inside].T

    small = np.zeros((tiles, counts[0], tiles, tile))
    for t in range(tiles):
        small[t, :, t] = _evaluate(points, tile)
    small = small.reshape(tiles * counts[0], tiles * tile)[:, :out]
    return Axis(tiles, counts, large.reshape(-1, size), small, taps)


@lru_cache(maxsize=1024)
def _matrix(plan: Axis, name: Operand, dtype: torch.dtype) -> Tensor:
    return torch.tensor(getattr(plan, name), dtype=dtype)


@lru_cache(maxsize=256)
def _taps(y: Axis, x: Axis, dtype: torch.dtype) -> Tensor:
    return torch.tensor(np.kron(y.taps, x.taps), dtype=dtype)


# ------------------------------------------------------------ the products at the points, in three directions

# large [entries, tiles, entries, n * tiles, c]     the points of the strided convolution's input, V
# small [points, tiles, points, n * tiles, c']      the points of its output, M
# weight [entries, entries, c', c]                  W
# The first two axes' entries are y's, the tiles between them x's, those beside n y's.


Product = tuple[tuple[int, int, slice], tuple[int, int, slice], tuple[int, slice], bool, bool]


@lru_cache(maxsize=256)
def _products(y: Axis, x: Axis) -> tuple[Product, ...]:
    """Products as indices (large, small, weight), and whether each is the first one added to its small and weight."""
    products: list[Product] = []
    points = [point for count in y.counts for point in range(count)]
    for entry, point in enumerate(points):
        for tile in range(x.tiles):
            for phase, count in enumerate(x.counts):
                start = sum(x.counts[:phase])
                span, head = slice(start, start + count), slice(0, count)
                first = entry < y.points and phase == 0
                products.append(((entry, tile, span), (point, tile, head), (entry, span), first, tile == 0))
    return tuple(products)


def _add_product(a: Tensor, b: Tensor, out: Tensor, first: bool) -> None:
    torch.bmm(a, b, out=out) if first else out.baddbmm_(a, b)


class _Convolve(torch.autograd.Function):
    """(large, weight) -> small: the convolution."""

    @staticmethod
    def forward(ctx: Any, large: Tensor, weight: Tensor, y: Axis, x: Axis) -> Tensor:
        ctx.save_for_backward(large, weight)
        ctx.axes = y, x
        small = large.new_empty(y.points, x.tiles, x.points, large.shape[3], weight.shape[2])
        for v, m, w, first, _ in _products(y, x):
            _add_product(large[v], weight[w].mT, small[m], first)
        return small

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        large, weight = ctx.saved_tensors
        to_large, to_weight, *_ = ctx.needs_input_grad
        return (
            apply_function(_Transpose, grad, weight, *ctx.axes) if to_large else None,
            apply_function(_WeightGradient, large, grad, *ctx.axes) if to_weight else None,
            None,
            None,
        )


class _Transpose(torch.autograd.Function):
    """(small, weight) -> large: the transposed convolution."""

    @staticmethod
    def forward(ctx: Any, small: Tensor, weight: Tensor, y: Axis, x: Axis) -> Tensor:
        ctx.save_for_backward(small, weight)
        ctx.axes = y, x
        large = small.new_empty(y.entries, x.tiles, x.entries, small.shape[3], weight.shape[3])
        for v, m, w, _, _ in _products(y, x):
            _add_product(small[m], weight[w], large[v], True)
        return large

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        small, weight = ctx.saved_tensors
        to_small, to_weight, *_ = ctx.needs_input_grad
        return (
            apply_function(_Convolve, grad, weight, *ctx.axes) if to_small else None,
            apply_function(_WeightGradient, grad, small, *ctx.axes) if to_weight else None,
            None,
            None,
        )


class _WeightGradient(torch.autograd.Function):
    """(large, small) -> weight: the gradient of either by its weights."""

    @staticmethod
    def forward(ctx: Any, large: Tensor, small: Tensor, y: Axis, x: Axis) -> Tensor:
        ctx.save_for_backward(large, small)
        ctx.axes = y, x
        weight = large.new_empty(y.entries, x.entries, small.shape[4], large.shape[4])
        for v, m, w, _, first in _products(y, x):
            _add_product(small[m].mT, large[v], weight[w], first)
        return weight

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        large, small = ctx.saved_tensors
        to_large, to_small, *_ = ctx.needs_input_grad
        return (
            apply_function(_Transpose, small, grad, *ctx.axes) if to_large else None,
            apply_function(_Convolve, large, grad, *ctx.axes) if to_small else None,
            None,
            None,
        )


# --------------------------------------------------------------------------------------- the two convolutions


def _to_points(image: Tensor, name: Operand, y: Axis, x: Axis) -> Tensor:
    """image [n, c, h, w] to that side's points: [points of y, tiles of x, points of x, n * tiles of y, c]."""
    n, c, h, w = image.shape
    rows, columns = _matrix(y, name, image.dtype), _matrix(x, name, image.dtype)
    lines = torch.bmm(rows.expand(n, -1, -1), image.permute(0, 2, 3, 1).reshape(n, h, w * c))
    lines = lines.view(n, y.tiles, -1, w, c).permute(2, 3, 0, 1, 4).reshape(-1, w, n * y.tiles * c)
    points = torch.bmm(columns.expand(lines.shape[0], -1, -1), lines)
    return points.view(-1, x.tiles, columns.shape[0] // x.tiles, n * y.tiles, c)


def _from_points(points: Tensor, name: Operand, y: Axis, x: Axis) -> Tensor:
    """The transpose of `_to_points`."""
    rows, columns = _matrix(y, name, points.dtype).t(), _matrix(x, name, points.dtype).t()
    size_y, _, _, batch, c = points.shape
    h, w, n = rows.shape[0], columns.shape[0], batch // y.tiles
    lines = torch.bmm(columns.expand(size_y, -1, -1), points.reshape(size_y, -1, batch * c))
    lines = lines.view(size_y, w, n, y.tiles, c).permute(2, 3, 0, 1, 4).reshape(n, -1, w * c)
    return torch.bmm(rows.expand(n, -1, -1), lines).view(n, h, w, c).permute(0, 3, 1, 2)


def _at_entries(weight: Tensor, y: Axis, x: Axis) -> Tensor:
    """G w G^T for torch's [c', c, k, k], as [entries, entries, c', c]."""
    return (_taps(y, x, weight.dtype) @ weight.flatten(2).flatten(0, 1).t()).view(
        y.entries, x.entries, *weight.shape[:2]
    )


def winograd_conv(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """SAME convolution of x [n, c, h, w] by weight [c', c, k, k] -> [n, c', ceil(h / s), ceil(w / s)]."""
    axes = axis(x.shape[2], weight.shape[2], stride), axis(x.shape[3], weight.shape[3], stride)
    large = _to_points(x, "large", *axes)
    small: Tensor = apply_function(_Convolve, large, _at_entries(weight, *axes), *axes)
    return _from_points(small, "small", *axes)


def winograd_conv_transpose(x: Tensor, weight: Tensor, stride: int, out_size: int) -> Tensor:
    """The transpose of `winograd_conv`: x [n, c', h, h] by [c', c, k, k] -> [n, c, out_size, out_size]."""
    axes = axis(out_size, weight.shape[2], stride), axis(out_size, weight.shape[3], stride)
    small = _to_points(x, "small", *axes)
    large: Tensor = apply_function(_Transpose, small, _at_entries(weight, *axes), *axes)
    return _from_points(large, "large", *axes)


def winograd_is_faster(x: Tensor, weight: Tensor, stride: int, small_size: int) -> bool:
    """Whether Winograd saves more than its transforms cost: CPU, full precision, >= 16 channels, >= 4 x 4 outputs."""
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64)
        and x.dtype == weight.dtype
        and not torch.is_autocast_enabled("cpu")
        and min(weight.shape[:2]) >= MIN_CHANNELS
        and weight.shape[2] > stride
        and small_size >= 4
    )
