"""Convolutions padded as TensorFlow's `SAME` and their transposes by torch's own kernels, and "patches" for both.

"patches" is the library's convolution; only the weight gradient is one matrix product, of the outputs' gradients with
the patches of the input that each output reads. The library's own kernel for it is made for large maps: on a CPU with
AMX, at 4 x 4 pixels, it runs at a quarter of the product's speed.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def same_padding(size_in: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros (before, after) `size_in` pixels that give ceil(size_in / stride) outputs; an odd one is after."""
    out = -(-size_in // stride)
    total = max((out - 1) * stride + kernel - size_in, 0)
    return total // 2, total - total // 2


def apply_function(function: Any, *inputs: Any) -> Tensor:
    """An autograd function's result, with its type."""
    result: Tensor = function.apply(*inputs)
    return result


def direct_conv(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """SAME convolution by torch's kernel: x [n, c, h, w], [c', c, k, k] -> [n, c', ceil(h / s), ceil(w / s)]."""
    x, padding = _padded(x, weight.shape[2], stride)
    return F.conv2d(x, weight, bias, stride, padding)


def direct_conv_transpose(x: Tensor, weight: Tensor, stride: int, out_size: int, bias: Tensor | None = None) -> Tensor:
    """The transpose of `direct_conv`; x [n, c', h, h] by [c', c, k, k] -> [n, c, out_size, out_size]."""
    kernel = weight.shape[2]
    before, _ = same_padding(out_size, kernel, stride)
    missing = max(out_size - ((x.shape[2] - 1) * stride + kernel - 2 * before), 0)
    y = F.conv_transpose2d(x, weight, bias, stride, before, missing)
    return y[:, :, :out_size, :out_size]


def _padded(x: Tensor, kernel: int, stride: int) -> tuple[Tensor, tuple[int, int]]:
    """x and the padding left to the convolution; where the two ends differ, x is padded here."""
    top, bottom = same_padding(x.shape[2], kernel, stride)
    left, right = same_padding(x.shape[3], kernel, stride)
    if (top, left) == (bottom, right):
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom)), (0, 0)


def patches(x: Tensor, kernel: int, stride: int) -> Tensor:
    """The inputs x [n, c, h, w] of each output of a SAME convolution, one row each: [n * h' * w', k * k * c]."""
    (top, bottom), (left, right) = (same_padding(side, kernel, stride) for side in x.shape[2:])
    lines = F.pad(x, (left, right, top, bottom)).permute(0, 2, 3, 1)
    return lines.unfold(1, kernel, stride).unfold(2, kernel, stride).permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(0, 2)


def _weight_gradient(large: Tensor, small: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Every output of small [n, c', h', w'] times its patch of large [n, c, h, w], summed as `weight` [c', c, k, k]."""
    kernel = weight.shape[2]
    product = small.permute(0, 2, 3, 1).flatten(0, 2).t() @ patches(large, kernel, stride)
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
    """All tensors in autocast's dtype where autocast is on."""
    if not torch.is_autocast_enabled(x.device.type):
        return [x, *others]
    dtype = torch.get_autocast_dtype(x.device.type)
    return [None if tensor is None else tensor.to(dtype) for tensor in (x, *others)]


def patches_conv(x: Tensor, weight: Tensor, stride: int, bias: Tensor | None = None) -> Tensor:
    """`direct_conv` with its weights' gradient from patches."""
    return apply_function(_Patches, *_cast(x, weight, bias), stride)


def patches_conv_transpose(x: Tensor, weight: Tensor, stride: int, out_size: int, bias: Tensor | None = None) -> Tensor:
    """`direct_conv_transpose` with its weights' gradient from patches."""
    return apply_function(_PatchesTranspose, *_cast(x, weight, bias), stride, out_size)
