"""Normalisation of hidden layers: of the batch, with a class's scale and shift, of a fixed reference batch."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import GeneratorConfig

Labels = Int[Tensor, "n"] | None


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


class ConditionalNorm(nn.Module):
    """(1 + g(y)) norm(x) + b(y): every class y has its own scale and shift, at first 1 and 0.

    Dumoulin et al. 2017 (arXiv 1610.07629), with the classes of images in place of styles; in GANs, Miyato & Koyama
    2018 (arXiv 1802.05637). `norm` has no scale and shift of its own.
    """

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, classes: int) -> None:
        super().__init__()
        self.norm = norm
        self.scale, self.shift = (nn.Embedding(classes, norm.num_features) for _ in range(2))
        nn.init.zeros_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Float[Tensor, "n c *hw"], labels: Int[Tensor, "n"]) -> Float[Tensor, "n c *hw"]:
        y = self.norm(x)
        scale, shift = (
            row(labels).to(y.dtype).view(*y.shape[:2], *(1,) * (y.ndim - 2)) for row in (self.scale, self.shift)
        )
        return torch.addcmul(shift, y, 1 + scale)


class Reference(nn.Module):
    """The fixed latents, and classes in turn, that a G with `VirtualNorm` runs ahead of every batch.

    They cost what so many images more would cost: twice the time at a batch of 64.
    """

    ROWS = 64
    z: Tensor

    def __init__(self, config: GeneratorConfig, classes: int) -> None:
        super().__init__()
        z = torch.randn(self.ROWS, config.latent_dim)
        if config.latent == "sphere":
            z = z * (math.sqrt(config.latent_dim) / z.norm(dim=1, keepdim=True))
        self.register_buffer("z", z)
        self.classes = classes

    def prepend(self, z: Float[Tensor, "n z"], labels: Labels) -> tuple[Float[Tensor, "m z"], Int[Tensor, "m"] | None]:
        """Latents and labels with the reference's in front."""
        if labels is not None and self.classes:
            labels = torch.cat([torch.arange(self.ROWS, device=labels.device) % self.classes, labels])
        return torch.cat([self.z.to(z.dtype), z]), labels


class VirtualNorm(nn.Module):
    """Virtual batch normalisation (Salimans et al. 2016, arXiv 1606.03498): no example depends on its neighbours.

    The first rows are the `Reference`, normalised by their own mean and variance. Every other example is normalised
    by those of the reference and itself together, it counting as one row of 65. The same in training and after.
    """

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "n c *hw"]) -> Float[Tensor, "n c *hw"]:
        n, c = x.shape[:2]
        var, mean = torch.var_mean(x.float().reshape(n, c, -1), dim=2, correction=0)
        apart, centre = torch.var_mean(mean[: Reference.ROWS], dim=0, correction=0)
        spread = var[: Reference.ROWS].mean(0) + apart

        share = (torch.arange(n, device=x.device) >= Reference.ROWS)[:, None] / (Reference.ROWS + 1)
        away = mean - centre
        mixed = (1 - share) * spread + share * var + share * (1 - share) * away.square()
        scale = self.weight * (mixed + self.epsilon).rsqrt()
        shift = self.bias - (centre + share * away) * scale
        ones = (1,) * (x.ndim - 2)
        return torch.addcmul(shift.to(x.dtype).view(n, c, *ones), x, scale.to(x.dtype).view(n, c, *ones))


def hidden_norm(
    config: GeneratorConfig,
    channels: int,
    classes: int,
    epsilon: float,
    momentum: float,
    kind: type[nn.BatchNorm1d | nn.BatchNorm2d] = nn.BatchNorm2d,
) -> nn.Module | None:
    """The normalisation that a G's config asks for after a layer of so many channels; `kind` is its batch norm."""
    if config.norm == "virtual":
        return VirtualNorm(channels, epsilon)
    if config.norm == "none":
        return None
    if classes and config.condition == "norm":
        return ConditionalNorm(kind(channels, epsilon, momentum, affine=False), classes)
    return kind(channels, epsilon, momentum)


def through(norm: nn.Module | None, x: Tensor, labels: Tensor | None) -> Tensor:
    """x after the normalisation, if there is one, which sees the labels if it looks at them."""
    if norm is None:
        return x
    y: Tensor = norm(x, labels) if isinstance(norm, ConditionalNorm) else norm(x)
    return y
