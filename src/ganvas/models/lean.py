"""The networks behind `quick`: few, wide layers at low resolution, the shape that a CPU runs best.

On a CPU the time of a layer at 32 x 32 goes into moving memory, not into multiplying. So nothing is computed there:
strided 4 x 4 convolutions take the image to 16 x 16 x 64 in one layer and back in one, and no normalisation walks over
the maps. What keeps D smooth is the penalty in the loss (Huang et al. 2024, "R3GAN", arXiv 2501.05441), and what keeps
the signal's size is its first weights (He et al. 2015, arXiv 1502.01852).
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.losses import Critique
from ganvas.models import spectral
from ganvas.models.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.head import LabelledLatent, Projection, judge, minibatch
from ganvas.models.layers import activation, normal_weights
from ganvas.models.norm import hidden_norm, through
from ganvas.models.pyramid import fit_blocks, fit_widths, scaled, sides


def he_normal(layer: nn.Module, slope: float, gain: float = 1.0) -> nn.Module:
    """Weights from N(0, gain^2 * 2 / ((1 + slope^2) fan_in)), fan_in = inputs that reach an output; zero biases."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    fan_in: float = weight[0].numel()
    if isinstance(layer, SameConvTranspose2d):  # [in, out, k, k]; of its taps, every stride-th meets a pixel
        fan_in = weight[:, 0].numel() / layer.stride**2
    nn.init.normal_(weight, 0, gain * math.sqrt(2 / ((1 + slope**2) * fan_in)))
    if isinstance(layer.bias, Tensor):
        nn.init.zeros_(layer.bias)
    return layer


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))), 3 x 3 both. It starts as the identity, unless `nonzero`."""

    def __init__(self, width: int, slope: float, nonzero: bool = False) -> None:
        super().__init__()
        self.act = activation(slope, inplace=False)
        self.first = he_normal(SameConv2d(width, width, 3, 1), slope)
        self.second = he_normal(SameConv2d(width, width, 3, 1), slope, gain=0.1 if nonzero else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.act(self.first(self.act(x))))  # type: ignore[no-any-return]


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w]."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sides = sides(size)
        maps = len(self.sides) - 1
        widths = [scaled(w, config.width) for w in fit_widths((config.base, *config.widths), maps)]
        self.first, slope = widths[0], config.slope

        beside = classes and config.condition == "concat"
        self.labelled = LabelledLatent(classes, config.latent_dim) if beside else None
        inputs = config.latent_dim * (2 if beside else 1)
        self.dense = he_normal(nn.Linear(inputs, self.first * self.sides[0] ** 2), 1.0)
        self.norms = nn.ModuleList(hidden_norm(config, w, classes, 1e-5, 0.1) or nn.Identity() for w in widths)
        blocks = fit_blocks(config.blocks or (0,), maps)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Residual(w, slope) for _ in range(count))) for w, count in zip(widths, blocks, strict=True)
        )
        ups = zip(widths, (*widths[1:], channels), strict=True)
        self.ups = nn.ModuleList(
            he_normal(SameConvTranspose2d(i, o, config.kernel, 2, bias=True), slope) for i, o in ups
        )
        if config.skip:  # images begin smooth: what D sees first is where colours lie, not G's random grain
            self.ups[-1].weight.data.mul_(0.1)
        self.drafts = (
            nn.ModuleList(he_normal(SameConv2d(w, channels, 1, 1), 1.0, 0.5) for w in widths) if config.skip else None
        )
        self.act = activation(slope, inplace=False)
        self.image = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, and for classes where G knows any."""
        x = self.dense(z if self.labelled is None else self.labelled(z, labels))
        x = x.view(len(x), self.sides[0], self.sides[0], self.first).movedim(-1, 1)
        sum_: Tensor | None = None
        for i, (side, norm, block, up) in enumerate(
            zip(self.sides[1:], self.norms, self.blocks, self.ups, strict=True)
        ):
            x = self.act(block(through(norm, x, labels)))
            if self.drafts is not None:
                draft = self.drafts[i](x) if sum_ is None else sum_ + self.drafts[i](x)
                sum_ = F.interpolate(draft, size=(side, side), mode="bilinear")
            x = up(x, side)
        return self.image(x if sum_ is None else x + sum_).float()  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        lower = sides(size)[:-1]
        widths = [scaled(w, config.width) for w in fit_widths(config.widths[::-1], len(lower))][::-1]
        blocks = fit_blocks(config.blocks[::-1] or (0,), len(lower))[::-1]
        self.downs = nn.ModuleList(
            he_normal(SameConv2d(i, o, config.kernel, 2), config.slope)
            for i, o in zip((channels, *widths[:-1]), widths, strict=True)
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Residual(w, config.slope, config.spectral) for _ in range(count)))
            for w, count in zip(widths, blocks, strict=True)
        )
        self.act = activation(config.slope, inplace=False)
        features = widths[-1] * lower[0] ** 2
        self.batch = minibatch(config, features)
        features += self.batch.extra if self.batch is not None else 0
        self.dense = he_normal(nn.Linear(features, 1), 1.0)
        self.projection = Projection(classes, features) if classes else None
        if config.init == "normal":
            normal_weights(self)
        if config.spectral:
            spectral.normalise(self)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, and of their classes where D knows any."""
        x = images
        for down, block in zip(self.downs, self.blocks, strict=True):
            x = block(self.act(down(x)))
        return judge(x.flatten(1), labels, self.dense, self.projection, self.batch)
