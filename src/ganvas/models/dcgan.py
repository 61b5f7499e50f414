"""DCGAN (Radford et al. 2016, arXiv 1511.06434) in the form of the TensorFlow tutorial and the course's notebooks.

Keras' semantics throughout: 'same' padding, glorot-uniform kernels, BatchNorm with epsilon 1e-3 and momentum 0.99,
a dense layer whose output is read as height, width, channels. The sides of the maps are those that D's strided
'same' convolutions pass through (28 -> 14 -> 7, or 28 -> 14 -> 7 -> 4); G climbs the same ladder upwards.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.errors import UsageError
from ganvas.losses import Critique
from ganvas.models.conv import SameConv2d, SameConvTranspose2d

BN_EPSILON = 1e-3
BN_MOMENTUM = 0.01  # Keras' momentum 0.99 in torch's convention


def ladder(size: int, strides: tuple[int, ...]) -> list[int]:
    """Sides of the maps from the image downwards: each stride s takes n to ceil(n / s)."""
    sizes = [size]
    for stride in reversed(strides):
        sizes.append(-(-sizes[-1] // stride))
    if sizes[-1] < 2:
        raise UsageError(f"strides {strides} shrink {size} px to {sizes[-1]} px: use fewer strides or larger images")
    return sizes


class Dropout(nn.Module):
    """Inverted dropout that draws from `generator`, so that a resumed run drops what it would have dropped.

    Sixteen random bits decide an element: p is met to 2**-16 (p = 0.3 becomes 0.29999).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.cut = round(p * 2**16)
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.cut == 0:
            return x
        shape = [x.shape[0], *x.shape[2:], x.shape[1]]  # channels last, as the map lies in memory
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
        bits = draws.random_(-(2**63), None, generator=self.generator).view(torch.int16)[: x.numel()].view(shape)
        keep = (bits >= self.cut - 2**15).movedim(-1, 1)
        return x * keep.to(x.dtype).mul_(2**16 / (2**16 - self.cut))


class FeatureNorm(nn.BatchNorm1d):
    """BatchNorm of the dense layer's features, whose running variance is the mean of *biased* batch variances.

    Keras' fused kernel, used after convolutions, keeps the unbiased one as torch does; its path for [n, features]
    does not. Only inference sees the difference: a factor (n - 1) / n.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        assert self.running_var is not None and self.momentum is not None
        n, kept = len(input), self.running_var.clone()
        y = nn.functional.batch_norm(
            input, self.running_mean, kept, self.weight, self.bias, True, self.momentum, self.eps
        )
        self.running_var.mul_((1 - self.momentum) / n).add_(kept, alpha=(n - 1) / n)
        return y


def activation(slope: float) -> nn.Module:
    """LeakyReLU of that negative slope; ReLU for 0."""
    return nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w] in [-1, 1]."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sizes = ladder(size, config.strides)[::-1]
        self.base = config.base
        features = config.base * self.sizes[0] ** 2
        self.dense = nn.Linear(config.latent_dim, features, bias=False)
        nn.init.xavier_uniform_(self.dense.weight)
        self.dense_norm = FeatureNorm(features, BN_EPSILON, BN_MOMENTUM)
        self.dense_act = activation(config.slope)

        self.blocks = nn.ModuleList()
        width = config.base
        extras = config.extra or (0,) * len(config.widths)
        for out, stride, extra in zip(config.widths, config.strides[:-1], extras, strict=True):
            block = nn.ModuleDict({"up": SameConvTranspose2d(width, out, config.kernel, stride, bias=False)})
            block["norm"], block["act"] = nn.BatchNorm2d(out, BN_EPSILON, BN_MOMENTUM), activation(config.slope)
            if extra:
                block["conv"] = SameConv2d(out, extra, 3, 1, bias=False)
                block["conv_norm"] = nn.BatchNorm2d(extra, BN_EPSILON, BN_MOMENTUM)
                block["conv_act"] = activation(config.slope)
            self.blocks.append(block)
            width = extra or out
        self.image = SameConvTranspose2d(width, channels, config.kernel, config.strides[-1], bias=False)
        self.tanh = nn.Tanh()

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents; unconditional, so the labels are not looked at."""
        x = self.dense_act(self.dense_norm(self.dense(z)))
        x = x.view(len(x), self.sizes[0], self.sizes[0], self.base).movedim(-1, 1)
        for size, block in zip(self.sizes[1:], self.blocks, strict=False):
            assert isinstance(block, nn.ModuleDict)
            x = block["act"](block["norm"](block["up"](x, size)))
            if "conv" in block:
                x = block["conv_act"](block["conv_norm"](block["conv"](x)))
        return self.tanh(self.image(x, self.sizes[-1])).float()  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int]) -> None:
        super().__init__()
        width, size, _ = shape
        self.blocks = nn.ModuleList()
        for out, norm in zip(config.widths, config.norms, strict=True):
            block = nn.ModuleDict({"conv": SameConv2d(width, out, config.kernel, 2)})
            if norm:
                block["norm"] = nn.BatchNorm2d(out, BN_EPSILON, BN_MOMENTUM)
            block["act"] = activation(config.slope)
            if config.dropout:
                block["drop"] = Dropout(config.dropout)
            self.blocks.append(block)
            width, size = out, -(-size // 2)
        self.dense = nn.Linear(width * size * size, 1)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images; unconditional, so the labels are not looked at."""
        x = images
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            for layer in block.values():
                x = layer(x)
        features = x.movedim(1, -1).flatten(1)  # height, width, channels: Keras' order
        with torch.autocast(features.device.type, enabled=False):
            return Critique(self.dense(features.float()).squeeze(1), features)


def describe(module: nn.Module) -> str:
    """A layer in a few words, for summaries."""
    match module:
        case SameConvTranspose2d():
            return f"ConvT {module.weight.shape[-1]}x{module.weight.shape[-1]} s{module.stride}"
        case SameConv2d():
            return f"Conv {module.weight.shape[-1]}x{module.weight.shape[-1]} s{module.stride}"
        case nn.Linear():
            return "Dense"
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return "BatchNorm"
        case nn.LeakyReLU():
            return f"LeakyReLU {module.negative_slope:g}"
        case Dropout():
            return f"Dropout {module.p:g}"
        case _:
            return type(module).__name__
