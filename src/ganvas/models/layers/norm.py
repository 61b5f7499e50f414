"""Normalisation of G's hidden layers: batch norm, conditional batch norm, virtual batch norm."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import GeneratorConfig
from ganvas.ranks import World

Labels = Int[Tensor, "n"] | None


class FeatureNorm(nn.BatchNorm1d):
    """BatchNorm of the dense layer's features whose running variance averages *biased* batch variances.

    Keras' fused kernel, used after convolutions, keeps the unbiased one as torch does; its path for [n, features]
    does not. The difference shows at inference only: a factor (n - 1) / n.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        assert self.running_var is not None and self.momentum is not None
        n, unbiased = len(input), self.running_var.clone()
        y = nn.functional.batch_norm(
            input, self.running_mean, unbiased, self.weight, self.bias, True, self.momentum, self.eps
        )
        self.running_var.mul_((1 - self.momentum) / n).add_(unbiased, alpha=(n - 1) / n)
        return y


class SharedNorm(nn.modules.batchnorm._BatchNorm):
    """A batch norm that, while training, normalises by the batch of all ranks (with as many rows each).

    Mean and variance of the whole follow from those of the ranks, which are all that is exchanged.
    """

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm, world: World) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(norm.__dict__)  # parameters and buffers are the same objects
        self.world, self.biased = world, isinstance(norm, FeatureNorm)

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        others = [d for d in range(input.ndim) if d != 1]
        pair = torch.stack(torch.var_mean(input.float(), others, correction=0))
        of_ranks = self.world.rows(pair[None])  # [ranks, 2, c]
        mean = of_ranks[:, 1].mean(0)
        var = (of_ranks[:, 0] + (of_ranks[:, 1] - mean).square()).mean(0)
        self._remember(mean.detach(), var.detach(), self.world.size * input.numel() // len(mean))
        scale = (var + self.eps).rsqrt() * (1.0 if self.weight is None else self.weight)
        shift = (0.0 if self.bias is None else self.bias) - mean * scale
        ones = (1,) * (input.ndim - 2)
        return torch.addcmul(shift.to(input.dtype).view(-1, *ones), input, scale.to(input.dtype).view(-1, *ones))

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor, n: int) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(0 if self.biased else 1)  # FeatureNorm does not count
        momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(var if self.biased else var * (n / (n - 1)), momentum)


class ConditionalNorm(nn.Module):
    """(1 + g(y)) norm(x) + b(y): every class y has its own scale and shift, initially 1 and 0.

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
        ones = (1,) * (y.ndim - 2)
        scale, shift = (table(labels).to(y.dtype).view(*y.shape[:2], *ones) for table in (self.scale, self.shift))
        return torch.addcmul(shift, y, 1 + scale)


class ReferenceBatch(nn.Module):
    """Fixed latents, with every class in turn, that a G with `VirtualNorm` puts in front of every batch.

    They cost as much as 64 more images: twice the time at a batch of 64.
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
        """Latents and labels with those of the reference batch in front."""
        if labels is not None and self.classes:
            labels = torch.cat([torch.arange(self.ROWS, device=labels.device) % self.classes, labels])
        return torch.cat([self.z.to(z.dtype), z]), labels


class VirtualNorm(nn.Module):
    """Virtual batch normalisation (Salimans et al. 2016, arXiv 1606.03498): images of a batch stay independent.

    The first 64 rows are the `ReferenceBatch`, normalised by their own mean and variance. Every other row is normalised
    by the mean and variance of these and itself, 65 rows together. Training and inference are the same.
    """

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "n c *hw"]) -> Float[Tensor, "n c *hw"]:
        n, c = x.shape[:2]
        var, mean = torch.var_mean(x.float().reshape(n, c, -1), dim=2, correction=0)
        between, centre = torch.var_mean(mean[: ReferenceBatch.ROWS], dim=0, correction=0)
        reference_var = var[: ReferenceBatch.ROWS].mean(0) + between  # within rows and between them

        share = (torch.arange(n, device=x.device) >= ReferenceBatch.ROWS)[:, None] / (ReferenceBatch.ROWS + 1)
        offset = mean - centre
        pooled_var = (1 - share) * reference_var + share * var + share * (1 - share) * offset.square()
        scale = self.weight * (pooled_var + self.epsilon).rsqrt()
        shift = self.bias - (centre + share * offset) * scale
        ones = (1,) * (x.ndim - 2)
        return torch.addcmul(shift.to(x.dtype).view(n, c, *ones), x, scale.to(x.dtype).view(n, c, *ones))


def build_norm(
    config: GeneratorConfig,
    channels: int,
    classes: int,
    epsilon: float,
    momentum: float,
    batch_norm: type[nn.BatchNorm1d | nn.BatchNorm2d] = nn.BatchNorm2d,
) -> nn.Module | None:
    """The normalisation after a layer of G with so many channels, as configured; None for none.

    `batch_norm` is the class for feature vectors or maps.
    """
    if config.norm == "virtual":
        return VirtualNorm(channels, epsilon)
    if config.norm == "none":
        return None
    if classes and config.condition == "norm":
        return ConditionalNorm(batch_norm(channels, epsilon, momentum, affine=False), classes)
    return batch_norm(channels, epsilon, momentum)


def apply_norm(norm: nn.Module | None, x: Tensor, labels: Tensor | None) -> Tensor:
    """x, normalised unless `norm` is None; labels are used by `ConditionalNorm` only."""
    if norm is None:
        return x
    y: Tensor = norm(x, labels) if isinstance(norm, ConditionalNorm) else norm(x)
    return y
