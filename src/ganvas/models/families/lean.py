"""The networks behind `lean`, and the D of `quick`: the shape that a CPU runs best.

On a CPU the time of a layer at the image's own size goes into moving memory, not into multiplying. So no hidden
layer lives there: strided 4 x 4 convolutions lead from the image to 16 x 16 and below, and back. Every map of G may
add an image of its own, so that colours and layout need not wait for the last layers. What keeps the signal's size
is its first weights (He et al. 2015, arXiv 1502.01852).
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
from ganvas.models.layers.head import LabelledLatent, finish, judge, last_layers
from ganvas.models.layers.init import activation, normal_weights, scaled_normal
from ganvas.models.layers.norm import hidden_norm, through
from ganvas.models.layers.pyramid import fit_blocks, fit_widths, scaled, sides
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))), 3 x 3 both. It starts as the identity, unless `nonzero`."""

    def __init__(self, width: int, slope: float, nonzero: bool = False) -> None:
        super().__init__()
        gain = calculate_gain("leaky_relu", slope)
        self.act = activation(slope, inplace=False)
        self.first = scaled_normal(SameConv2d(width, width, 3, 1), gain)
        self.second = scaled_normal(SameConv2d(width, width, 3, 1), 0.1 * gain if nonzero else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.act(self.first(self.act(x))))  # type: ignore[no-any-return]


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w]."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sides, slope, gain = sides(size), config.slope, calculate_gain("leaky_relu", config.slope)
        maps = len(self.sides) - 1  # hidden ones: the last side is the image's
        widths = [scaled(w, config.width) for w in fit_widths((config.base, *config.widths), maps)]
        self.first = (self.sides[0], self.sides[0], widths[0])

        beside = classes and config.condition == "concat"
        self.labelled = LabelledLatent(classes, config.latent_dim) if beside else None
        inputs = config.latent_dim * (2 if beside else 1)
        self.dense = scaled_normal(nn.Linear(inputs, math.prod(self.first)))

        def doubling(i: int, o: int, gain: float) -> nn.Module:
            return scaled_normal(SameConvTranspose2d(i, o, config.kernel, 2, bias=True), gain)

        self.ups = nn.ModuleList(doubling(i, o, gain) for i, o in pairwise(widths))
        self.norms = nn.ModuleList(hidden_norm(config, w, classes, 1e-5, 0.1) or nn.Identity() for w in widths)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Residual(w, slope) for _ in range(count)))
            for w, count in zip(widths, fit_blocks(config.blocks or (0,), maps), strict=True)
        )
        self.act = activation(slope, inplace=False)
        self.image = doubling(widths[-1], channels, 0.1 if config.skip else 0.5)
        self.drafts = nn.ModuleList(
            scaled_normal(SameConv2d(w, channels, 1, 1), 0.3) for w in (widths if config.skip else ())
        )
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, and for classes where G knows any."""
        x = self.dense(z if self.labelled is None else self.labelled(z, labels))
        x = x.view(-1, *self.first).movedim(-1, 1)
        drafts: list[Tensor] = []
        for i, (norm, block) in enumerate(zip(self.norms, self.blocks, strict=True)):
            x = self.ups[i - 1](x, self.sides[i]) if i else x
            x = self.act(block(through(norm, x, labels)))
            if len(self.drafts):
                drafts.append(self.drafts[i](x))
        return self.tanh(self.image(x, self.sides[-1]) + summed(drafts, self.sides)).float()  # type: ignore[no-any-return]


def summed(drafts: list[Tensor], sides: list[int]) -> Tensor | float:
    """Images [n, c, side, side] of ever larger sides, each enlarged to the next and added to it; 0 for none."""
    total: Tensor | float = 0.0
    for draft, side in zip(drafts, sides[1:], strict=False):
        total = F.interpolate(draft + total, size=(side, side), mode="bilinear")
    return total


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        first, *larger = sides(size)
        maps, gain = len(larger), calculate_gain("leaky_relu", config.slope)
        widths = [scaled(w, config.width) for w in fit_widths(config.widths[::-1], maps)][::-1]
        blocks = fit_blocks(config.blocks[::-1] or (0,), maps)[::-1]
        self.downs = nn.ModuleList(
            scaled_normal(SameConv2d(i, o, config.kernel, 2), gain) for i, o in pairwise((channels, *widths))
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Residual(w, config.slope, config.spectral) for _ in range(count)))
            for w, count in zip(widths, blocks, strict=True)
        )
        self.act = activation(config.slope, inplace=False)
        self.minibatch, self.dense, self.projection, self.naming = last_layers(
            config, widths[-1] * (1 if config.pool else first**2), classes, scaled_normal
        )
        self.pool = config.pool
        finish(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, and of their classes where D knows any."""
        x = images
        for layer, block in zip(self.downs, self.blocks, strict=True):
            x = block(self.act(layer(x)))
        features = x.sum(dim=(2, 3)) if self.pool else x.flatten(1)
        return judge(features, labels, self.dense, self.projection, self.minibatch, self.naming)
