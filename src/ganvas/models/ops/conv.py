"""The convolutions of every network: `SAME` padding, and a choice of algorithm."""

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ganvas.models.ops.direct import direct_conv, direct_conv_transpose, patches_conv, patches_conv_transpose
from ganvas.models.ops.winograd import winograd_conv, winograd_conv_transpose, winograd_is_faster

Algorithm = Literal["direct", "winograd", "patches"]

SMALL_MAP = 4  # up to this many pixels a side "patches" is quicker than the library's own weight gradient


def convolve(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None, algorithm: Algorithm) -> Tensor:
    """SAME convolution: x [n, c, h, w], weight [c', c, k, k] -> [n, c', ceil(h / s), ceil(w / s)]."""
    small = -(-min(x.shape[2:]) // stride)
    if algorithm == "winograd" and winograd_is_faster(x, weight, stride, small):
        return _with_bias(winograd_conv(x, weight, stride), bias)
    patches = algorithm == "patches" and small <= SMALL_MAP and x.shape[2] == x.shape[3]
    return (patches_conv if patches else direct_conv)(x, weight, stride, bias)


def convolve_transpose(
    x: Tensor, weight: Tensor, stride: int, out_size: int, bias: Tensor | None, algorithm: Algorithm
) -> Tensor:
    """The transpose of `convolve`; x [n, c', h, h], weight [c', c, k, k] -> [n, c, out_size, out_size]."""
    if algorithm == "winograd" and winograd_is_faster(x, weight, stride, x.shape[2]):
        return _with_bias(winograd_conv_transpose(x, weight, stride, out_size), bias)
    patches = algorithm == "patches" and x.shape[2] <= SMALL_MAP
    return (patches_conv_transpose if patches else direct_conv_transpose)(x, weight, stride, out_size, bias)


def _with_bias(y: Tensor, bias: Tensor | None) -> Tensor:
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]


def _glorot_uniform_(weight: Tensor) -> None:
    """U(-a, a), a = sqrt(6 / (fan_in + fan_out)), the fans times the kernel's pixels (Glorot & Bengio 2010, eq. 16)."""
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

    @property
    def description(self) -> str:
        return f"Conv {self.weight.shape[-1]}x{self.weight.shape[-1]} s{self.stride}"

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weight, self.stride, self.bias, self.algorithm)


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

    @property
    def description(self) -> str:
        return f"ConvT {self.weight.shape[-1]}x{self.weight.shape[-1]} s{self.stride}"

    def forward(self, x: Tensor, out_size: int) -> Tensor:
        if x.shape[2:] != (size := -(-out_size // self.stride), size):
            raise ValueError(f"out_size {out_size} takes {size} x {size} pixels, not {tuple(x.shape[2:])}")
        return convolve_transpose(x, self.weight, self.stride, out_size, self.bias, self.algorithm)


def set_algorithm(module: nn.Module, name: Algorithm) -> None:
    """Sets the algorithm of every SAME convolution in `module`; raises ValueError for an unknown name."""
    if name not in get_args(Algorithm):
        raise ValueError(f"algorithm {name!r} is none of {get_args(Algorithm)}")
    for child in module.modules():
        if isinstance(child, SameConv2d | SameConvTranspose2d):
            child.algorithm = name
