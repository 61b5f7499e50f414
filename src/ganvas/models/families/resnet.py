"""Residual networks of SNGAN (Miyato et al. 2018, arXiv 1802.05957, appendix B.4), for images of any size.

For 32 px, widths (256, 256, 256) and (128, 128), latents of 128, no slope and D's spectral normalisation are the
paper's. G normalises before each activation; nothing in D does. A shortcut has a 1x1 convolution where size or
channels change; it runs at the smaller size, which gives the same result as at the larger one.
"""

from __future__ import annotations

import math

from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers.activation import activation
from ganvas.models.layers.eigenimages import Drafted, add_draft, see_draft
from ganvas.models.layers.head import LabelledLatent, apply_head, build_head, finish_discriminator
from ganvas.models.layers.initializers import glorot_uniform, normal_weights
from ganvas.models.layers.norm import ReferenceBatch, apply_norm, build_norm
from ganvas.models.layers.sizes import fit_blocks, fit_widths, map_sizes, scale_channels
from ganvas.models.ops.conv import SameConv2d
from ganvas.models.ops.fused import DownsampleConv2d, UpsampleConv2d
from ganvas.models.ops.resize import downsample, upsample
from ganvas.models.registry import Family, register_family

BN_EPSILON = 1e-5
BN_MOMENTUM = 0.1
FIRST_CHANGE = 0.1
"""Factor on the first weights of the image layer of a G with drafts: what it makes at first is close to them."""


def sqrt2_gain(layer: SameConv2d) -> SameConv2d:
    """A 3x3 convolution of a residual branch: its glorot-uniform weights times sqrt(2)."""
    layer.weight.data.mul_(math.sqrt(2))
    return layer


def conv3x3(channels_in: int, channels_out: int) -> SameConv2d:
    """A 3x3 convolution that keeps the size."""
    return SameConv2d(channels_in, channels_out, 3, 1)


class UpBlock(nn.Module):
    """norm, act, upsample, 3x3, norm, act, 3x3, plus a shortcut: [n, in, h, h] -> [n, out, size, size].

    `size` is h, 2 h or 2 h - 1.
    """

    def __init__(self, channels_in: int, channels_out: int, size: int, up: bool, config: GeneratorConfig, classes: int):
        super().__init__()
        self.size, self.up = size, up
        self.norm1 = build_norm(config, channels_in, classes, BN_EPSILON, BN_MOMENTUM)
        self.act1 = activation(config.slope, inplace=self.norm1 is not None)
        self.conv1 = sqrt2_gain(
            UpsampleConv2d(channels_in, channels_out, size) if up else conv3x3(channels_in, channels_out)
        )
        self.norm2 = build_norm(config, channels_out, classes, BN_EPSILON, BN_MOMENTUM)
        self.act2 = activation(config.slope, inplace=self.norm2 is not None)
        self.conv2 = sqrt2_gain(conv3x3(channels_out, channels_out))
        self.shortcut = SameConv2d(channels_in, channels_out, 1, 1) if up or channels_in != channels_out else None

    def forward(self, x: Float[Tensor, "n c h h"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n d s s"]:
        y: Tensor = self.act1(apply_norm(self.norm1, x, labels))
        y = self.conv2(self.act2(apply_norm(self.norm2, self.conv1(y), labels)))
        x = x if self.shortcut is None else self.shortcut(x)
        return y + (upsample(x, self.size) if self.up else x)


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh.

    `config.blocks` counts further blocks, which keep the size, at each map from the first one; by default none.
    """

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        maps = map_sizes(size)
        widths = [scale_channels(w, config.width) for w in fit_widths((config.base, *config.widths), len(maps))]
        self.reference = ReferenceBatch(config, classes) if config.norm == "virtual" else None
        self.labelled = LabelledLatent(classes, config.latent_dim) if classes and config.condition == "concat" else None
        self.first = (maps[0], maps[0], widths[0])
        inputs = config.latent_dim * (1 if self.labelled is None else 2)
        self.dense = glorot_uniform(nn.Linear(inputs, math.prod(self.first)))

        self.blocks = nn.ModuleList()
        width = widths[0]
        blocks = fit_blocks(config.blocks or (0,), len(maps))
        for i, (out, map_size, further) in enumerate(zip(widths, maps, blocks, strict=True)):
            for up in [True] * (i > 0) + [False] * further:
                self.blocks.append(UpBlock(width, out, map_size, up, config, classes))
                width = out
        self.norm = build_norm(config, width, classes, BN_EPSILON, BN_MOMENTUM)
        self.act = activation(config.slope)
        self.image = SameConv2d(width, channels, 3, 1)
        self.drafted = None
        if config.eigenimages:
            self.drafted = Drafted(config, shape, dict(zip(maps, widths, strict=True)), classes)
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)
        if self.drafted is not None:
            self.image.weight.data.mul_(FIRST_CHANGE)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        if self.reference is not None:
            z, labels = self.reference.prepend(z, labels)
        drafted = None if self.drafted is None else (self.drafted, self.drafted(z, labels))
        x = self.dense(z if self.labelled is None else self.labelled(z, labels))
        x = x.view(-1, *self.first).movedim(-1, 1)
        x = see_draft(drafted, x)
        for block in self.blocks:
            x = block(x, labels)
            x = see_draft(drafted, x) if block.up else x
        x = self.act(apply_norm(self.norm, x, labels))
        if self.reference is not None:
            x = x[ReferenceBatch.ROWS :]
        x = add_draft(drafted, self.image(x))
        return self.tanh(x).float()  # type: ignore[no-any-return]


class DownBlock(nn.Module):
    """act, 3x3, act, 3x3, 2x2 mean, plus a shortcut: [n, in, h, h] -> [n, out, ceil(h / 2), ceil(h / 2)].

    The first block of a D reads the image, so it has no first activation; a block that keeps the size has no mean.
    """

    def __init__(self, channels_in: int, channels_out: int, down: bool, slope: float, first: bool = False) -> None:
        super().__init__()
        self.down = down
        self.act1 = None if first else activation(slope, inplace=False)  # the shortcut reads x as well
        hidden = channels_out if first else channels_in
        self.conv1 = sqrt2_gain(conv3x3(channels_in, hidden))
        self.act2 = activation(slope)
        self.conv2 = sqrt2_gain((DownsampleConv2d if down else conv3x3)(hidden, channels_out))
        self.shortcut = SameConv2d(channels_in, channels_out, 1, 1) if down or channels_in != channels_out else None

    def forward(self, x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n d s s"]:
        y = x if self.act1 is None else self.act1(x)
        y = self.conv2(self.act2(self.conv1(y)))
        x = downsample(x) if self.down else x
        return y + (x if self.shortcut is None else self.shortcut(x))  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique; the features are the sums over the last map.

    `config.widths` are the channels after each halving, the largest map first; `config.blocks` counts further blocks,
    which keep the size, at the same maps: by default two at the smallest.
    """

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        width, size, _ = shape
        steps = max(len(config.widths) + len(map_sizes(size)) - len(map_sizes(32)), 1)
        widths = [scale_channels(w, config.width) for w in fit_widths(config.widths[::-1], steps)][::-1]
        blocks = fit_blocks(config.blocks[::-1] or (2, 0), steps)[::-1]
        self.blocks = nn.ModuleList()
        for out, further in zip(widths, blocks, strict=True):
            for down in [True] + [False] * further:
                self.blocks.append(DownBlock(width, out, down, config.slope, first=len(self.blocks) == 0))
                width = out
        self.act = activation(config.slope)
        self.minibatch, self.dense, self.projection, self.naming = build_head(config, width, classes, glorot_uniform)
        finish_discriminator(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        x = images
        for block in self.blocks:
            x = block(x)
        features = self.act(x).sum(dim=(2, 3))
        return apply_head(features, labels, self.dense, self.projection, self.minibatch, self.naming)


register_family(Family("resnet", Generator, Discriminator, g_norms=("batch", "virtual", "none"), g_fewer=0))
