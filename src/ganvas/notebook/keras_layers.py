"""Keras' layers as torch modules: images are [n, h, w, c] in and out, padding and numbers are those of Keras."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.errors import UsageError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "relu6": F.relu6,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "elu": F.elu,
    "selu": F.selu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "silu": F.silu,
    "swish": F.silu,
    "gelu": F.gelu,
    "exponential": torch.exp,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "softmax": lambda x: x.softmax(-1),
}
"""By the names of Keras 3."""


def first(x: Tensor) -> Tensor:
    """[n, h, w, c] -> [n, c, h, w], without moving anything in memory."""
    return x.permute(0, 3, 1, 2)


def last(x: Tensor) -> Tensor:
    """[n, c, h, w] -> [n, h, w, c]."""
    return x.permute(0, 2, 3, 1)


class Initializer:
    """How Keras draws a kernel; `shape` is the kernel's in Keras, which the fans are counted from."""

    def __init__(self, config: Any, shape: Sequence[int]) -> None:
        self.name = str(config.get("class_name", "")) if isinstance(config, Mapping) else str(config)
        self.values: dict[str, Any] = dict(config.get("config") or {}) if isinstance(config, Mapping) else {}
        pixels = math.prod(shape[:-2])
        self.fans = shape[-2] * pixels, shape[-1] * pixels

    def __call__(self, weight: Tensor) -> None:
        """Draw the weight anew. Raises UsageError for an initialiser that is not known here."""
        fan_in, fan_out = self.fans
        mean, std = self.values.get("mean", 0.0), self.values.get("stddev", 0.05)
        scales = {"Glorot": 2 / (fan_in + fan_out), "He": 2 / fan_in, "Lecun": 1 / fan_in}
        for name, variance in scales.items():
            if self.name == f"{name}Uniform":
                return _(nn.init.uniform_(weight, -math.sqrt(3 * variance), math.sqrt(3 * variance)))
            if self.name == f"{name}Normal":  # cut at two standard deviations, and widened to keep the variance
                wide = math.sqrt(variance) / 0.87962566103423978
                return _(nn.init.trunc_normal_(weight, 0.0, wide, -2 * wide, 2 * wide))
        if self.name == "RandomNormal":
            return _(nn.init.normal_(weight, mean, std))
        if self.name == "TruncatedNormal":
            return _(nn.init.trunc_normal_(weight, mean, std, mean - 2 * std, mean + 2 * std))
        if self.name == "RandomUniform":
            return _(nn.init.uniform_(weight, self.values.get("minval", -0.05), self.values.get("maxval", 0.05)))
        if self.name in ("Zeros", "Ones"):
            return _(nn.init.constant_(weight, float(self.name == "Ones")))
        raise UsageError(
            f"Keras' initialiser {self.name or '?'} cannot be drawn again here: several seeds need a function that "
            "makes the network"
        )


def _(drawn: Tensor) -> None:
    """Drawing in place gives the tensor back, which nobody needs."""


class Dense(nn.Linear):
    """Over the last axis."""

    initializer: Initializer | None = None

    def reset_parameters(self) -> None:
        _reset(self)


class Conv2D(nn.Conv2d):
    """`same`: [n, h, w, c] -> [n, ceil(h / s), ceil(w / s), c'], what is missing is padded more on the right."""

    initializer: Initializer | None = None
    same = False

    @property
    def description(self) -> str:
        return f"Conv {self.kernel_size[0]}x{self.kernel_size[1]} s{self.stride[0]}"

    def reset_parameters(self) -> None:
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        x = first(input)
        if self.same:
            sides = [
                max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
                for n, s, k, d in zip(x.shape[2:], self.stride, self.kernel_size, self.dilation, strict=True)
            ]
            x = F.pad(x, [part for side in reversed(sides) for part in (side // 2, side - side // 2)])
        return last(super().forward(x))

    def extra_repr(self) -> str:
        text: str = super().extra_repr()  # type: ignore[no-untyped-call]
        return text + (", same" if self.same else "")


class Conv2DTranspose(nn.ConvTranspose2d):
    """`same`: [n, h, w, c] -> [n, h s, w s, c']; else every pixel that the kernel reaches, at least s a pixel."""

    initializer: Initializer | None = None
    same = False

    @property
    def description(self) -> str:
        return f"ConvTranspose {self.kernel_size[0]}x{self.kernel_size[1]} s{self.stride[0]}"

    def reset_parameters(self) -> None:
        _reset(self)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        x = first(input)
        bias = None if self.bias is None else self.bias
        steps: Any = self.stride
        sizes = [max(k - s, 0) for k, s in zip(self.kernel_size, steps, strict=True)]
        left = [size // 2 if self.same else 0 for size in sizes]
        y = F.conv_transpose2d(x, self.weight, None, steps, left)
        wanted = [n * s + (0 if self.same else size) for n, s, size in zip(x.shape[2:], steps, sizes, strict=True)]
        missing = [max(n - have, 0) for n, have in zip(wanted, y.shape[2:], strict=True)]
        y = F.pad(y, (0, missing[1], 0, missing[0]))[:, :, : wanted[0], : wanted[1]]
        return last(y if bias is None else y + bias.to(y.dtype)[:, None, None])

    def extra_repr(self) -> str:
        text: str = super().extra_repr()  # type: ignore[no-untyped-call]
        return text + (", same" if self.same else "")


class BatchNormalization(nn.BatchNorm1d):
    """Over all axes but the last. Keras' momentum is 1 minus torch's.

    Running variances average unbiased variances, as torch's do; those of Keras 3 are a factor (n - 1) / n smaller.
    """

    def __init__(self, features: int, eps: float, momentum: float, scale: bool, center: bool) -> None:
        super().__init__(features, eps, 1 - momentum)
        if not scale:
            self.register_parameter("weight", None)
        if not center:
            self.register_parameter("bias", None)

    description = "BatchNorm"

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            if (parameter := getattr(self, name, None)) is not None:
                nn.init.constant_(parameter, value)

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of axes."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(-1, 1)).movedim(1, -1)


class Slopes(nn.Module):
    """PReLU: a slope for each value of an image, or shared along axes that are 1 in its shape."""

    description = "PReLU"

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(*shape))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, x * self.weight)


class Function(nn.Module):
    """A layer without weights; `text` says what it is, settings included."""

    def __init__(self, text: str, function: Callable[[Tensor], Tensor], training_only: bool = False) -> None:
        super().__init__()
        self.text, self.function, self.training_only = text, function, training_only

    @property
    def description(self) -> str:
        return self.text

    def extra_repr(self) -> str:
        return self.text

    def forward(self, x: Tensor) -> Tensor:
        return x if self.training_only and not self.training else self.function(x)


def _reset(layer: Any) -> None:
    """Kernel and bias as Keras starts them; torch calls this before the layer knows how, and the weights follow."""
    if layer.initializer is not None:
        layer.initializer(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
