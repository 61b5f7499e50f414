"""R3GAN's networks (Huang et al. 2024, arXiv 2501.05441): residual blocks without normalisation.

`widths` are the channels at each map: G's from the second one on (`base` is the first), D's from the image's. Classes
enter G beside the latents. The initial weights replace normalisation: each block starts as the identity, and its other
weights shrink with the number of blocks (Zhang et al. 2019, "Fixup", arXiv 1901.09321).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.errors import UsageError
from ganvas.models.critique import Critique
from ganvas.models.layers.activation import activation
from ganvas.models.layers.head import LabelledLatent, apply_head, build_head, finish_discriminator
from ganvas.models.layers.initializers import fan_in_normal, normal_weights
from ganvas.models.layers.sizes import fit_blocks, fit_widths, map_sizes, scale_channels
from ganvas.models.ops.resize import filtered, smoothing_matrix
from ganvas.models.registry import Family, register_family

EXPANSION = 2
BLOCKS = 2
"""Blocks at each map where the config gives none."""


def conv1x1(channels_in: int, channels_out: int) -> nn.Conv2d:
    """A 1x1 convolution without bias whose initial weights keep the variance."""
    layer = nn.Conv2d(channels_in, channels_out, 1, bias=False)
    fan_in_normal(layer)
    return layer


class Block(nn.Module):
    """x + project(act(mix(act(expand(x))))): 1x1, grouped 3x3, 1x1, twice as wide inside; [n, c, h, w] to the same.

    `depth` is the number of blocks L of the network: the gain is sqrt(2 / (1 + slope^2)) L^(-1/4). A block starts as
    the identity unless `nonzero`.
    """

    def __init__(self, channels: int, group: int, slope: float, depth: int, nonzero: bool = False) -> None:
        super().__init__()
        hidden = EXPANSION * channels
        if hidden % group:
            raise UsageError(
                f"{channels} channels of an r3 network do not fill groups of {group}: change group or widths"
            )
        gain = nn.init.calculate_gain("leaky_relu", slope) * depth**-0.25
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.act1 = activation(slope)
        self.mix = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden // group)
        self.act2 = activation(slope)
        self.project = nn.Conv2d(hidden, channels, 1, bias=False)
        for layer in (self.expand, self.mix):
            fan_in_normal(layer, gain)
        fan_in_normal(self.project, gain if nonzero else 0.0)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.project(self.act2(self.mix(self.act1(self.expand(x)))))  # type: ignore[no-any-return]


class Resample(nn.Module):
    """Half or twice the size, smoothed by [1, 3, 3, 1] on both axes, with zeros around; channels by a 1x1 convolution.

    Down: [n, in, size, size] -> [n, out, h, h], h = ceil(size / 2); up: [n, in, h, h] -> [n, out, size, size]. The
    convolution runs at the smaller size, and only where the channels change.
    """

    matrix: Tensor

    def __init__(self, channels_in: int, channels_out: int, size: int, up: bool = False) -> None:
        super().__init__()
        self.up = up
        self.linear = conv1x1(channels_in, channels_out) if channels_in != channels_out else None
        matrix = smoothing_matrix(size)
        self.register_buffer("matrix", 2 * matrix.t() if up else matrix, persistent=False)

    def forward(self, x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n d s s"]:
        if self.linear is not None and self.up:
            x = self.linear(x)
        y = filtered(x, self.matrix)
        return y if self.linear is None or self.up else self.linear(y)


class LearnedMap(nn.Module):
    """A learned map [size, size, c], times a factor for each image and channel [n, c]: [n, c, size, size].

    The result is laid out channels last in memory, and the blocks keep that layout through the whole network.
    """

    description = "Learned map"

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.randn(size, size, channels))

    def forward(self, factors: Float[Tensor, "n c"]) -> Float[Tensor, "n c s s"]:
        return (self.map * factors[:, None, None]).movedim(-1, 1)


def residual_stages(
    config: GeneratorConfig | DiscriminatorConfig, widths: list[int], counts: list[int]
) -> list[nn.Sequential]:
    """The residual blocks at each map of a network."""
    nonzero = isinstance(config, DiscriminatorConfig) and config.spectral  # a zero weight cannot be normalised
    return [
        nn.Sequential(*(Block(width, config.group, config.slope, sum(counts), nonzero) for _ in range(count)))
        for width, count in zip(widths, counts, strict=True)
    ]


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh. `norm` and `condition` have no effect."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        maps = map_sizes(size)
        widths = fit_widths((config.base, *config.widths), len(maps))
        widths = [scale_channels(width, config.width, config.group) for width in widths]
        self.labelled = LabelledLatent(classes, config.latent_dim) if classes else None
        self.dense = nn.Linear(config.latent_dim * (2 if classes else 1), widths[0], bias=False)
        fan_in_normal(self.dense)
        self.basis = LearnedMap(widths[0], maps[0])
        stages: list[nn.Module] = []
        counts = fit_blocks(config.blocks or (BLOCKS,), len(maps))
        for i, stage in enumerate(residual_stages(config, widths, counts)):
            stages += [Resample(widths[i - 1], widths[i], maps[i], up=True), stage] if i else [stage]
        self.stages = nn.Sequential(*stages)
        self.image = conv1x1(widths[-1], channels)
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        x = self.basis(self.dense(z if self.labelled is None else self.labelled(z, labels)))
        return self.tanh(self.image(self.stages(x))).float()  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique; the features are a weighted sum over each channel of the last map."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        maps = map_sizes(size)[::-1]
        widths = fit_widths(config.widths[::-1], len(maps))[::-1]
        widths = [scale_channels(width, config.width, config.group) for width in widths]
        self.image = conv1x1(channels, widths[0])
        stages: list[nn.Module] = []
        counts = fit_blocks(config.blocks[::-1] or (BLOCKS,), len(maps))[::-1]
        for i, stage in enumerate(residual_stages(config, widths, counts)):
            stages += [Resample(widths[i - 1], widths[i], maps[i - 1]), stage] if i else [stage]
        self.stages = nn.Sequential(*stages)
        self.basis = nn.Conv2d(widths[-1], widths[-1], maps[-1], groups=widths[-1], bias=False)
        fan_in_normal(self.basis)
        self.minibatch, self.dense, self.projection, self.naming = build_head(
            config, widths[-1], classes, fan_in_normal
        )
        finish_discriminator(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        features = self.basis(self.stages(self.image(images))).flatten(1)
        return apply_head(features, labels, self.dense, self.projection, self.minibatch, self.naming)


register_family(Family("r3", Generator, Discriminator, g_norms=(), g_fewer=0, d_fewer=0))
