"""The networks of the recipe `lean`, and the D of `quick`: made for a CPU.

On a CPU a layer at the image's own size spends its time on moving memory, not on multiplications. So there is no
hidden layer of that size: strided 4 x 4 convolutions lead from the image to 16 x 16 and below, and back. Every map of G
can add an image of its own (Karras et al. 2020, StyleGAN2), so that colours and layout do not depend on the last layers
alone. The initial weights keep the variance of the signal (He et al. 2015, arXiv 1502.01852).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.init import calculate_gain

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers.activation import activation
from ganvas.models.layers.head import LabelledLatent, apply_head, build_head, finish_discriminator
from ganvas.models.layers.initializers import fan_in_normal, normal_weights
from ganvas.models.layers.norm import apply_norm, build_norm
from ganvas.models.layers.sizes import fit_blocks, fit_widths, map_sizes, scale_channels
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.registry import Family, register_family


class ResidualBlock(nn.Module):
    """x + conv(act(conv(act(x)))), 3 x 3 both. Initially the identity, unless `nonzero`."""

    def __init__(self, width: int, slope: float, nonzero: bool = False) -> None:
        super().__init__()
        gain = calculate_gain("leaky_relu", slope)
        self.act = activation(slope, inplace=False)
        self.first = fan_in_normal(SameConv2d(width, width, 3, 1), gain)
        self.second = fan_in_normal(SameConv2d(width, width, 3, 1), 0.1 * gain if nonzero else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.act(self.first(self.act(x))))  # type: ignore[no-any-return]


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w]."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sizes, slope, gain = map_sizes(size), config.slope, calculate_gain("leaky_relu", config.slope)
        maps = len(self.sizes) - 1  # hidden ones: the last size is the image's
        widths = [scale_channels(w, config.width) for w in fit_widths((config.base, *config.widths), maps)]
        self.first = (self.sizes[0], self.sizes[0], widths[0])

        concat = classes and config.condition == "concat"
        self.labelled = LabelledLatent(classes, config.latent_dim) if concat else None
        inputs = config.latent_dim * (2 if concat else 1)
        self.dense = fan_in_normal(nn.Linear(inputs, math.prod(self.first)))

        def upsampling(i: int, o: int, gain: float) -> nn.Module:
            return fan_in_normal(SameConvTranspose2d(i, o, config.kernel, 2, bias=True), gain)

        self.ups = nn.ModuleList(upsampling(i, o, gain) for i, o in pairwise(widths))
        self.norms = nn.ModuleList(build_norm(config, w, classes, 1e-5, 0.1) or nn.Identity() for w in widths)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(w, slope) for _ in range(count)))
            for w, count in zip(widths, fit_blocks(config.blocks or (0,), maps), strict=True)
        )
        self.act = activation(slope, inplace=False)
        self.image = upsampling(widths[-1], channels, 0.1 if config.skip else 0.5)
        self.drafts = nn.ModuleList(
            fan_in_normal(SameConv2d(w, channels, 1, 1), 0.3) for w in (widths if config.skip else ())
        )
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        x = self.dense(z if self.labelled is None else self.labelled(z, labels))
        x = x.view(-1, *self.first).movedim(-1, 1)
        drafts: list[Tensor] = []
        for i, (norm, block) in enumerate(zip(self.norms, self.blocks, strict=True)):
            x = self.ups[i - 1](x, self.sizes[i]) if i else x
            x = self.act(block(apply_norm(norm, x, labels)))
            if len(self.drafts):
                drafts.append(self.drafts[i](x))
        return self.tanh(self.image(x, self.sizes[-1]) + sum_upsampled(drafts, self.sizes)).float()  # type: ignore[no-any-return]


def sum_upsampled(drafts: list[Tensor], sizes: list[int]) -> Tensor | float:
    """The sum of images [n, c, size, size] of growing sizes, each enlarged to the next one's; 0 for none."""
    total: Tensor | float = 0.0
    for draft, size in zip(drafts, sizes[1:], strict=False):
        total = F.interpolate(draft + total, size=(size, size), mode="bilinear")
    return total


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        first, *larger = map_sizes(size)
        maps, gain = len(larger), calculate_gain("leaky_relu", config.slope)
        widths = [scale_channels(w, config.width) for w in fit_widths(config.widths[::-1], maps)][::-1]
        blocks = fit_blocks(config.blocks[::-1] or (0,), maps)[::-1]
        self.downs = nn.ModuleList(
            fan_in_normal(SameConv2d(i, o, config.kernel, 2), gain) for i, o in pairwise((channels, *widths))
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(w, config.slope, config.spectral) for _ in range(count)))
            for w, count in zip(widths, blocks, strict=True)
        )
        self.act = activation(config.slope, inplace=False)
        self.minibatch, self.dense, self.projection, self.naming = build_head(
            config, widths[-1] * (1 if config.pool else first**2), classes, fan_in_normal
        )
        self.pool = config.pool
        finish_discriminator(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        x = images
        for layer, block in zip(self.downs, self.blocks, strict=True):
            x = block(self.act(layer(x)))
        features = x.sum(dim=(2, 3)) if self.pool else x.flatten(1)
        return apply_head(features, labels, self.dense, self.projection, self.minibatch, self.naming)


register_family(Family("lean", Generator, Discriminator, g_fewer=1, d_fewer=1))
