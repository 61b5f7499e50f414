"""R3GAN's networks (Huang et al. 2024, arXiv 2501.05441) as a pyramid: residual blocks without normalisation.

`widths` are the channels at each map: G's from the second one on (`base` is the first), D's from the image's. Classes
enter G beside the latents. What keeps the blocks calm is their start: each adds nothing at first, and its other
weights shrink with the number of blocks (Zhang et al. 2019, "Fixup", arXiv 1901.09321).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.errors import UsageError
from ganvas.models.critique import Critique
from ganvas.models.layers.head import LabelledLatent, finish, judge, last_layers
from ganvas.models.layers.init import activation, normal_weights, scaled_normal
from ganvas.models.layers.pyramid import fit_blocks, fit_widths, scaled, sides

EXPANSION = 2
BLOCKS = 2
"""Blocks at each map, unless the config says otherwise."""


def pointwise(channels_in: int, channels_out: int) -> nn.Conv2d:
    """1x1 convolution without bias that keeps the variance."""
    layer = nn.Conv2d(channels_in, channels_out, 1, bias=False)
    scaled_normal(layer)
    return layer


class Block(nn.Module):
    """x + project(act(mix(act(expand(x))))): 1x1, grouped 3x3, 1x1, twice as wide inside; [n, c, h, w] to the same.

    `total` is the number of blocks L of the network: the gain is sqrt(2 / (1 + slope^2)) L^(-1/4). A block starts as
    the identity unless `nonzero`.
    """

    def __init__(self, channels: int, group: int, slope: float, total: int, nonzero: bool = False) -> None:
        super().__init__()
        hidden = EXPANSION * channels
        if hidden % group:
            raise UsageError(
                f"{channels} channels of an r3 network do not fill groups of {group}: change group or widths"
            )
        gain = nn.init.calculate_gain("leaky_relu", slope) * total**-0.25
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.act1 = activation(slope)
        self.mix = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden // group)
        self.act2 = activation(slope)
        self.project = nn.Conv2d(hidden, channels, 1, bias=False)
        for layer in (self.expand, self.mix):
            scaled_normal(layer, gain)
        scaled_normal(self.project, gain if nonzero else 0.0)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.project(self.act2(self.mix(self.act1(self.expand(x)))))  # type: ignore[no-any-return]


def smoothing(side: int) -> Float[Tensor, "half side"]:
    """[1, 3, 3, 1] / 8 at every second of `side` pixels in a row, with zeros around, as a matrix."""
    centres = 2 * torch.arange(-(-side // 2)) + 0.5
    away = (torch.arange(side) - centres[:, None]).abs()
    return (2.0 * (away < 1) + (away < 2)) / 8


class Resample(nn.Module):
    """Half or twice the side, smoothed by [1, 3, 3, 1] on both axes, with zeros around; channels by a 1x1 convolution.

    Down: [n, in, side, side] -> [n, out, h, h], h = ceil(side / 2); up: [n, in, h, h] -> [n, out, side, side]. The
    convolution runs at the smaller side, and only where the channels change. The filter is a product with a matrix
    along each axis: as a convolution of each channel alone its gradient is slow (in bf16 on the CPU, 15 to 80 times).
    """

    line: Tensor

    def __init__(self, channels_in: int, channels_out: int, side: int, up: bool = False) -> None:
        super().__init__()
        self.up = up
        self.linear = pointwise(channels_in, channels_out) if channels_in != channels_out else None
        self.register_buffer("line", 2 * smoothing(side).t() if up else smoothing(side), persistent=False)

    def forward(self, x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n d s s"]:
        if self.linear is not None and self.up:
            x = self.linear(x)
        n, _, _, columns = x.shape
        line = self.line.to(x.dtype)
        rows = torch.matmul(line, x.movedim(1, -1).flatten(2))  # [n, s, h * c]
        y = torch.matmul(line, rows.view(n, len(line), columns, -1)).movedim(-1, 1)
        return y if self.linear is None or self.up else self.linear(y)


class Basis(nn.Module):
    """A learned map [side, side, c], times a factor for each example and channel [n, c]: [n, c, side, side].

    What leaves here lies channels last; the sums of the blocks keep that through the whole network.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.randn(side, side, channels))

    def forward(self, factors: Float[Tensor, "n c"]) -> Float[Tensor, "n c side side"]:
        return (self.map * factors[:, None, None]).movedim(-1, 1)


def blocks(config: GeneratorConfig | DiscriminatorConfig, widths: list[int], counts: list[int]) -> list[nn.Sequential]:
    """The residual blocks at each map of a network."""
    nonzero = isinstance(config, DiscriminatorConfig) and config.spectral  # zeros have no direction to normalise
    return [
        nn.Sequential(*(Block(width, config.group, config.slope, sum(counts), nonzero) for _ in range(count)))
        for width, count in zip(widths, counts, strict=True)
    ]


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh. `norm` and `condition` are not used."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        maps = sides(size)
        widths = fit_widths((config.base, *config.widths), len(maps))
        widths = [scaled(width, config.width, config.group) for width in widths]
        self.labelled = LabelledLatent(classes, config.latent_dim) if classes else None
        self.dense = nn.Linear(config.latent_dim * (2 if classes else 1), widths[0], bias=False)
        scaled_normal(self.dense)
        self.basis = Basis(widths[0], maps[0])
        stages: list[nn.Module] = []
        counts = fit_blocks(config.blocks or (BLOCKS,), len(maps))
        for i, stage in enumerate(blocks(config, widths, counts)):
            stages += [Resample(widths[i - 1], widths[i], maps[i], up=True), stage] if i else [stage]
        self.stages = nn.Sequential(*stages)
        self.image = pointwise(widths[-1], channels)
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G was built with any."""
        x = self.basis(self.dense(z if self.labelled is None else self.labelled(z, labels)))
        return self.tanh(self.image(self.stages(x))).float()  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique; the features are a weighted sum over each channel of the last map."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        maps = sides(size)[::-1]
        widths = fit_widths(config.widths[::-1], len(maps))[::-1]
        widths = [scaled(width, config.width, config.group) for width in widths]
        self.image = pointwise(channels, widths[0])
        stages: list[nn.Module] = []
        counts = fit_blocks(config.blocks[::-1] or (BLOCKS,), len(maps))[::-1]
        for i, stage in enumerate(blocks(config, widths, counts)):
            stages += [Resample(widths[i - 1], widths[i], maps[i - 1]), stage] if i else [stage]
        self.stages = nn.Sequential(*stages)
        self.basis = nn.Conv2d(widths[-1], widths[-1], maps[-1], groups=widths[-1], bias=False)
        scaled_normal(self.basis)
        self.minibatch, self.dense, self.projection, self.naming = last_layers(
            config, widths[-1], classes, scaled_normal
        )
        finish(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, as pictures of these classes if D was built with any."""
        features = self.basis(self.stages(self.image(images))).flatten(1)
        return judge(features, labels, self.dense, self.projection, self.minibatch, self.naming)
