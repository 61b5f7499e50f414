"""DCGAN as in Keras' own example ("DCGAN to generate face images"): no normalisation, biases, images from a 5x5.

The example's images lie in [0, 1], where the zeros around a convolution's input are black. Those of this package lie in
[-1, 1]: D moves them to [0, 1] first, and G's sigmoid is moved back. Its dropout before the dense layer is never on
while it trains, as its train_step calls D without training=True; with `discriminator.dropout` it is on here.
"""

from __future__ import annotations

import math
from itertools import pairwise

from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers.activation import activation
from ganvas.models.layers.dropout import Dropout
from ganvas.models.layers.head import LabelledLatent, apply_head, build_head, finish_discriminator
from ganvas.models.layers.initializers import glorot_uniform, normal_weights
from ganvas.models.layers.sizes import scale_channels, strided_sizes
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.registry import Family, register_family

IMAGE_KERNEL = 5
"""Side of the image layer's kernel."""


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh; `config.widths` after each doubling.

    `norm` and `condition` have no effect. No activation follows the dense layer.
    """

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sizes = strided_sizes(size, (2,) * len(config.widths))[::-1]
        widths = [scale_channels(width, config.width) for width in (config.base, *config.widths)]
        self.first = (self.sizes[0], self.sizes[0], widths[0])
        self.labelled = LabelledLatent(classes, config.latent_dim) if classes else None
        self.dense = glorot_uniform(nn.Linear(config.latent_dim * (2 if classes else 1), math.prod(self.first)))
        self.ups = nn.ModuleList(SameConvTranspose2d(i, o, config.kernel, 2, bias=True) for i, o in pairwise(widths))
        self.act = activation(config.slope, inplace=False)
        self.image = SameConv2d(widths[-1], channels, IMAGE_KERNEL, 1)
        self.sigmoid = nn.Sigmoid() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        x = self.dense(z if self.labelled is None else self.labelled(z, labels))
        x = x.view(-1, *self.first).movedim(-1, 1)
        for size, up in zip(self.sizes[1:], self.ups, strict=True):
            x = self.act(up(x, size))
        return 2 * self.sigmoid(self.image(x)).float() - 1  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique; the features are the last map's every pixel."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        widths = [scale_channels(width, config.width) for width in config.widths]
        self.downs = nn.ModuleList(SameConv2d(i, o, config.kernel, 2) for i, o in pairwise((channels, *widths)))
        self.act = activation(config.slope)
        self.drop = Dropout(config.dropout)
        features = widths[-1] * strided_sizes(size, (2,) * len(widths))[-1] ** 2
        self.minibatch, self.dense, self.projection, self.naming = build_head(config, features, classes, glorot_uniform)
        finish_discriminator(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        x = (images + 1) / 2
        for down in self.downs:
            x = self.act(down(x))
        features = self.drop(x.movedim(1, -1).flatten(1))  # height, width, channels: Keras' order
        return apply_head(features, labels, self.dense, self.projection, self.minibatch, self.naming)


register_family(Family("keras-example", Generator, Discriminator, g_norms=(), d_dropout=True))
