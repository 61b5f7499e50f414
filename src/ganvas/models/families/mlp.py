"""Dense layers alone, as in the first GANs (Goodfellow et al. 2014, arXiv 1406.2661): for images of few values.

An image is a list of numbers here, whatever its layout: the points of the 2-D toy are images of one pixel with two
channels. The initial weights keep the variance of the signal (He et al. 2015, arXiv 1502.01852).
"""

from __future__ import annotations

import math
from itertools import pairwise

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.init import calculate_gain

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers.activation import activation
from ganvas.models.layers.head import LabelledLatent, apply_head, build_head, finish_discriminator
from ganvas.models.layers.initializers import fan_in_normal, normal_weights
from ganvas.models.layers.norm import apply_norm, build_norm
from ganvas.models.layers.sizes import scale_channels
from ganvas.models.registry import Family, register_family


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], through hidden layers of `base` and then `widths` features."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        self.shape, gain = shape, calculate_gain("leaky_relu", config.slope)
        concat = classes and config.condition == "concat"
        self.labelled = LabelledLatent(classes, config.latent_dim) if concat else None
        inputs = config.latent_dim * (2 if concat else 1)
        widths = [scale_channels(w, config.width) for w in (config.base, *config.widths)]
        self.layers = nn.ModuleList(fan_in_normal(nn.Linear(i, o), gain) for i, o in pairwise((inputs, *widths)))
        self.norms = nn.ModuleList(
            build_norm(config, w, classes, 1e-5, 0.1, nn.BatchNorm1d) or nn.Identity() for w in widths
        )
        self.act = activation(config.slope, inplace=False)
        self.image = fan_in_normal(nn.Linear(widths[-1], math.prod(shape)), 0.5)
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        x = z if self.labelled is None else self.labelled(z, labels)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = self.act(apply_norm(norm, layer(x), labels))
        return self.tanh(self.image(x)).float().view(-1, *self.shape)  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] -> Critique, through hidden layers of `widths` features."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        gain = calculate_gain("leaky_relu", config.slope)
        widths = [scale_channels(w, config.width) for w in config.widths]
        self.layers = nn.ModuleList(
            fan_in_normal(nn.Linear(i, o), gain) for i, o in pairwise((math.prod(shape), *widths))
        )
        self.act = activation(config.slope, inplace=False)
        self.minibatch, self.dense, self.projection, self.naming = build_head(
            config, widths[-1], classes, fan_in_normal
        )
        finish_discriminator(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        x = images.flatten(1)
        for layer in self.layers:
            x = self.act(layer(x))
        return apply_head(x, labels, self.dense, self.projection, self.minibatch, self.naming)


register_family(Family("mlp", Generator, Discriminator))
