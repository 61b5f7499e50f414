"""Convolutions padded as TensorFlow's `SAME`, their transposes, and a Winograd algorithm for both on the CPU.

Along one axis a strided convolution y[i] = sum_j w[j] x[s i + j - before] is a sum over s phases of unstrided
ones: phase q holds the taps w[q], w[s + q], ... and reads every s-th pixel. Each is computed for tiles of m
outputs by way of values at points (Toom and Cook; Winograd 1980; Lavin & Gray 2016, arXiv 1509.09308, section
4):

    y = A^T [(G w) * (B x)]          on two axes: y = A^T [(G w G^T) * (B x B^T)] A

A depends on the points alone, so all phases add up before the one inverse transform, and a phase with fewer
taps leaves out points: at m = 4 the 5 taps of stride 2 take 6 + 5 multiplications where the plain sum takes
20. A and B act on whole lines here: they hold padding, tiles and phases, and cost one small matmul an axis.

The transposed convolution reads the same trilinear form from the other side, and so do the gradients:
`_Small`, `_Large` and `_Weight` below are each other's derivatives, to any order. They make many short
parallel regions: where other processes share the cores, set OMP_WAIT_POLICY=PASSIVE before torch is imported.

"patches" is the library's convolution; only the gradient by the weights of the smallest maps is one product, of the
outputs' gradients with the patches that they were made of. The library's own kernel for it is made for large maps: on
a CPU with AMX, at 4 x 4 pixels, it runs at a quarter of the product's speed.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Algorithm = Literal["direct", "winograd", "patches"]
Side = Literal["large", "small"]

POINTS = (math.inf, 0.0, 1.0, -1.0, 0.5, -2.0, 2.0, -0.5)  # small ones keep float32 accurate
MIN_CHANNELS = 16  # fewer on either side: the transforms cost more than the multiplications they save
SMALL_MAP = 4  # pixels a side up to which "patches" is quicker than the library's own gradient by the weights
MAX_TILE = 4  # outputs a tile and axis; the error grows quickly with it


def same_padding(size_in: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros (before, after) `size_in` pixels that give ceil(size_in / stride) outputs; an odd one is after."""
    out = -(-size_in // stride)
    total = max((out - 1) * stride + kernel - size_in, 0)
    return total // 2, total - total // 2


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
def _matrix(plan: Axis, name: Side, dtype: torch.dtype) -> Tensor:
    return torch.tensor(getattr(plan, name), dtype=dtype)


@lru_cache(maxsize=256)
def _taps(y: Axis, x: Axis, dtype: torch.dtype) -> Tensor:
    return torch.tensor(np.kron(y.taps, x.taps), dtype=dtype)


# ------------------------------------------------------------ the products at the points, in three directions

# large [entries, tiles, entries, n * tiles, c]     the points of the strided convolution's input, V
# small [points, tiles, points, n * tiles, c']      the points of its output, M
# weight [entries, entries, c', c]                  W
# The first two axes' entries are y's, the tiles between them x's, those beside n y's.


Run = tuple[tuple[int, int, slice], tuple[int, int, slice], tuple[int, slice], bool, bool]


@lru_cache(maxsize=256)
def _runs(y: Axis, x: Axis) -> tuple[Run, ...]:
    """Batches of products as indices (large, small, weight); whether each opens its small, and its weight."""
    runs: list[Run] = []
    points = [point for count in y.counts for point in range(count)]
    for entry, point in enumerate(points):
        for tile in range(x.tiles):
            for phase, count in enumerate(x.counts):
                start = sum(x.counts[:phase])
                span, head = slice(start, start + count), slice(0, count)
                opens = entry < y.points and phase == 0
                runs.append(((entry, tile, span), (point, tile, head), (entry, span), opens, tile == 0))
    return tuple(runs)


def _product(a: Tensor, b: Tensor, out: Tensor, opens: bool) -> None:
    torch.bmm(a, b, out=out) if opens else out.baddbmm_(a, b)


def _apply(direction: Any, *given: Any) -> Tensor:
    product: Tensor = direction.apply(*given)
    return product


class _Small(torch.autograd.Function):
    """(large, weight) -> small: the convolution."""

    @staticmethod
    def forward(ctx: Any, large: Tensor, weight: Tensor, y: Axis, x: Axis) -> Tensor:
        ctx.save_for_backward(large, weight)
        ctx.axes = y, x
        small = large.new_empty(y.points, x.tiles, x.points, large.shape[3], weight.shape[2])
        for v, m, w, opens, _ in _runs(y, x):
            _product(large[v], weight[w].mT, small[m], opens)
        return small

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        large, weight = ctx.saved_tensors
        to_large, to_weight, *_ = ctx.needs_input_grad
        return (
            _apply(_Large, grad, weight, *ctx.axes) if to_large else None,
            _apply(_Weight, large, grad, *ctx.axes) if to_weight else None,
            None,
            None,
        )


class _Large(torch.autograd.Function):
    """(small, weight) -> large: the transposed convolution."""

    @staticmethod
    def forward(ctx: Any, small: Tensor, weight: Tensor, y: Axis, x: Axis) -> Tensor:
        ctx.save_for_backward(small, weight)
        ctx.axes = y, x
        large = small.new_empty(y.entries, x.tiles, x.entries, small.shape[3], weight.shape[3])
        for v, m, w, _, _ in _runs(y, x):
            _product(small[m], weight[w], large[v], True)
        return large

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        small, weight = ctx.saved_tensors
        to_small, to_weight, *_ = ctx.needs_input_grad
        return (
            _apply(_Small, grad, weight, *ctx.axes) if to_small else None,
            _apply(_Weight, grad, small, *ctx.axes) if to_weight else None,
            None,
            None,
        )


class _Weight(torch.autograd.Function):
    """(large, small) -> weight: the gradient of either by its weights."""

    @staticmethod
    def forward(ctx: Any, large: Tensor, small: Tensor, y: Axis, x: Axis) -> Tensor:
        ctx.save_for_backward(large, small)
        ctx.axes = y, x
        weight = large.new_empty(y.entries, x.entries, small.shape[4], large.shape[4])
        for v, m, w, _, opens in _runs(y, x):
            _product(small[m].mT, large[v], weight[w], opens)
        return weight

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        large, small = ctx.saved_tensors
        to_large, to_small, *_ = ctx.needs_input_grad
        return (
            _apply(_Large, small, grad, *ctx.axes) if to_large else None,
            _apply(_Small, large, grad, *ctx.axes) if to_small else None,
            None,
            None,
        )


# --------------------------------------------------------------------------------------- the two convolutions


def _to_points(image: Tensor, name: Side, y: Axis, x: Axis) -> Tensor:
    """image [n, c, h, w] to that side's points: [points of y, tiles of x, points of x, n * tiles of y, c]."""
    n, c, h, w = image.shape
    rows, columns = _matrix(y, name, image.dtype), _matrix(x, name, image.dtype)
    lines = torch.bmm(rows.expand(n, -1, -1), image.permute(0, 2, 3, 1).reshape(n, h, w * c))
    lines = lines.view(n, y.tiles, -1, w, c).permute(2, 3, 0, 1, 4).reshape(-1, w, n * y.tiles * c)
    points = torch.bmm(columns.expand(lines.shape[0], -1, -1), lines)
    return points.view(-1, x.tiles, columns.shape[0] // x.tiles, n * y.tiles, c)


def _from_points(points: Tensor, name: Side, y: Axis, x: Axis) -> Tensor:
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
    small: Tensor = _apply(_Small, large, _at_entries(weight, *axes), *axes)
    return _from_points(small, "small", *axes)


def winograd_conv_transpose(x: Tensor, weight: Tensor, stride: int, out_size: int) -> Tensor:
    """The transpose of `winograd_conv`: x [n, c', h, h] by [c', c, k, k] -> [n, c, out_size, out_size]."""
    axes = axis(out_size, weight.shape[2], stride), axis(out_size, weight.shape[3], stride)
    small = _to_points(x, "small", *axes)
    large: Tensor = _apply(_Large, small, _at_entries(weight, *axes), *axes)
    return _from_points(large, "large", *axes)


def direct_conv(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """SAME convolution with torch's own kernel; shapes as `winograd_conv`."""
    x, padding = _padded(x, weight.shape[2], stride)
    return F.conv2d(x, weight, bias, stride, padding)


def direct_conv_transpose(x: Tensor, weight: Tensor, stride: int, out_size: int, bias: Tensor | None = None) -> Tensor:
    """The transpose of `direct_conv`; shapes as `winograd_conv_transpose`."""
    kernel = weight.shape[2]
    before, _ = same_padding(out_size, kernel, stride)
    missing = max(out_size - ((x.shape[2] - 1) * stride + kernel - 2 * before), 0)
    y = F.conv_transpose2d(x, weight, bias, stride, before, missing)
    return y[:, :, :out_size, :out_size]


def _padded(x: Tensor, kernel: int, stride: int) -> tuple[Tensor, tuple[int, int]]:
    """x, and the padding that a convolution can do itself; where the two ends differ x is padded here."""
    top, bottom = same_padding(x.shape[2], kernel, stride)
    left, right = same_padding(x.shape[3], kernel, stride)
    if (top, left) == (bottom, right):
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom)), (0, 0)


def _patches(x: Tensor, kernel: int, stride: int) -> Tensor:
    """What each output of a SAME convolution of x [n, c, h, w] reads, a row each: [n * h' * w', k * k * c]."""
    (top, bottom), (left, right) = (same_padding(side, kernel, stride) for side in x.shape[2:])
    lines = F.pad(x, (left, right, top, bottom)).permute(0, 2, 3, 1)
    return lines.unfold(1, kernel, stride).unfold(2, kernel, stride).permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(0, 2)


def _weight_gradient(large: Tensor, small: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Every output of small [n, c', h', w'] times its patch of large [n, c, h, w], summed as `weight` [c', c, k, k]."""
    kernel = weight.shape[2]
    product = small.permute(0, 2, 3, 1).flatten(0, 2).t() @ _patches(large, kernel, stride)
    return product.view(len(weight), kernel, kernel, -1).permute(0, 3, 1, 2)


class _Patches(torch.autograd.Function):
    """(large, weight, bias) -> small: the convolution."""

    @staticmethod
    def forward(ctx: Any, large: Tensor, weight: Tensor, bias: Tensor | None, stride: int) -> Tensor:
        ctx.save_for_backward(large, weight)
        ctx.stride = stride
        return direct_conv(large, weight, stride, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        large, weight = ctx.saved_tensors
        to_large, to_weight, to_bias, _ = ctx.needs_input_grad
        return (
            direct_conv_transpose(grad, weight, ctx.stride, large.shape[2]) if to_large else None,
            _weight_gradient(large, grad, weight, ctx.stride) if to_weight else None,
            grad.sum((0, 2, 3)) if to_bias else None,
            None,
        )


class _PatchesTranspose(torch.autograd.Function):
    """(small, weight, bias) -> large: the transposed convolution."""

    @staticmethod
    def forward(ctx: Any, small: Tensor, weight: Tensor, bias: Tensor | None, stride: int, out_size: int) -> Tensor:
        ctx.save_for_backward(small, weight)
        ctx.stride = stride
        return direct_conv_transpose(small, weight, stride, out_size, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        small, weight = ctx.saved_tensors
        to_small, to_weight, to_bias, _, _ = ctx.needs_input_grad
        return (
            direct_conv(grad, weight, ctx.stride) if to_small else None,
            _weight_gradient(grad, small, weight, ctx.stride) if to_weight else None,
            grad.sum((0, 2, 3)) if to_bias else None,
            None,
            None,
        )


def _cast(x: Tensor, *others: Tensor | None) -> list[Tensor | None]:
    """All in the dtype that autocast asks for, where it is on."""
    if not torch.is_autocast_enabled(x.device.type):
        return [x, *others]
    dtype = torch.get_autocast_dtype(x.device.type)
    return [None if tensor is None else tensor.to(dtype) for tensor in (x, *others)]


def patches_conv(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """`direct_conv` with its weights' gradient from patches."""
    return _apply(_Patches, *_cast(x, weight, bias), stride)


def patches_conv_transpose(x: Tensor, weight: Tensor, stride: int, out_size: int, bias: Tensor | None = None) -> Tensor:
    """`direct_conv_transpose` with its weights' gradient from patches."""
    return _apply(_PatchesTranspose, *_cast(x, weight, bias), stride, out_size)


# ------------------------------------------------------------------------------------------------ the modules


def _pays(x: Tensor, weight: Tensor, stride: int, small_size: int) -> bool:
    """Whether Winograd is worth its transforms: CPU, full precision, >= 16 channels, >= 4 x 4 outputs."""
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64)
        and x.dtype == weight.dtype
        and not torch.is_autocast_enabled("cpu")
        and min(weight.shape[:2]) >= MIN_CHANNELS
        and weight.shape[2] > stride
        and small_size >= 4
    )


def _with_bias(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]


def _glorot_uniform_(weight: Tensor) -> None:
    """U(-a, a), a = sqrt(6 / (fan_in + fan_out)), the fans times the taps (Glorot & Bengio 2010, eq. 16)."""
    bound = math.sqrt(6 / (sum(weight.shape[:2]) * weight[0, 0].numel()))
    nn.init.uniform_(weight, -bound, bound)


class SameConv2d(nn.Module):
    """Convolution with SAME padding: [n, in, h, w] -> [n, out, ceil(h / s), ceil(w / s)]."""

    algorithm: Algorithm

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, bias: bool = True) -> None:
        super().__init__()
        self.stride, self.algorithm = stride, "direct"
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        _glorot_uniform_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        small = -(-min(x.shape[2:]) // self.stride)
        if self.algorithm == "winograd" and _pays(x, self.weight, self.stride, small):
            return _with_bias(winograd_conv(x, self.weight, self.stride), self.bias)
        patches = self.algorithm == "patches" and small <= SMALL_MAP and x.shape[2] == x.shape[3]
        convolve = patches_conv if patches else direct_conv
        return convolve(x, self.weight, self.stride, self.bias)


class SameConvTranspose2d(nn.Module):
    """The transpose of the `SameConv2d` to h pixels: [n, in, h, h] -> [n, out, out_size, out_size].

    forward raises ValueError unless h == ceil(out_size / stride).
    """

    algorithm: Algorithm

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, bias: bool = False) -> None:
        super().__init__()
        self.stride, self.algorithm = stride, "direct"
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        _glorot_uniform_(self.weight)

    def forward(self, x: Tensor, out_size: int) -> Tensor:
        if x.shape[2:] != (size := -(-out_size // self.stride), size):
            raise ValueError(f"out_size {out_size} takes {size} x {size} pixels, not {tuple(x.shape[2:])}")
        if self.algorithm == "winograd" and _pays(x, self.weight, self.stride, size):
            return _with_bias(winograd_conv_transpose(x, self.weight, self.stride, out_size), self.bias)
        convolve = (
            patches_conv_transpose if self.algorithm == "patches" and size <= SMALL_MAP else direct_conv_transpose
        )
        return convolve(x, self.weight, self.stride, out_size, self.bias)


def set_algorithm(module: nn.Module, name: Algorithm) -> None:
    """Sets the algorithm of every SAME convolution in `module`; raises ValueError for an unknown name."""
    if name not in get_args(Algorithm):
        raise ValueError(f"algorithm {name!r} is none of {get_args(Algorithm)}")
    for child in module.modules():
        if isinstance(child, SameConv2d | SameConvTranspose2d):
            child.algorithm = name
