"""StyleGAN2's networks (Karras et al. 2020, arXiv 1912.04958), in the form that its authors use for CIFAR-10.

Of that form (Karras et al. 2020, "ADA", arXiv 2006.06676, `cifar`): a mapping network of two layers, a generator whose
maps all add an image, a discriminator without shortcuts, no mixing of styles, no penalty on path lengths. `widths` are
the channels at each map: G's from the second one on (`base` is the first), D's from the image's.

A modulated convolution has other weights for each image. It is computed without them: the styles scale its input, one
convolution serves the batch, and the demodulation scales its output, which is the same (section 2.2 of the paper
multiplies the weights). So no kernel is grouped, and every library's fastest convolution will do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.config.validation import Rule
from ganvas.models.critique import Critique
from ganvas.models.layers.equalised import EqualConv2d, EqualDense, EqualDownConv2d, EqualEmbedding
from ganvas.models.layers.head import LabelledLatent, MinibatchStd, apply_head, build_head
from ganvas.models.layers.noise import MapNoise
from ganvas.models.layers.sizes import fit_widths, map_sizes, scale_channels
from ganvas.models.ops.resize import filter_matrix, filtered, smoothing_matrix
from ganvas.models.registry import Family, register_family

MAPPING_LAYERS = 2
MAPPING_RATE = 0.01
"""Factor on the learning rate of the mapping network."""


class Activation(nn.Module):
    """Leaky ReLU times sqrt(2), in place of a scale for each layer's weights."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    @property
    def description(self) -> str:
        return f"LeakyReLU {self.slope:g} x sqrt 2"

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.slope) * math.sqrt(2)


class ModulatedConv2d(nn.Module):
    """A convolution whose weights are scaled by styles [n, in], and then to length 1 for each output: eq. 1 to 3.

    `up`: of twice the size, [n, in, h, h] -> [n, out, size, size], size 2 h or 2 h - 1: a transposed convolution of
    stride 2, then [1, 3, 3, 1] on both axes. `demodulate` off leaves out eq. 3, as before an image.
    """

    matrix: Tensor

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, size: int, up: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(channels_out))
        self.up, self.demodulate = up, demodulate
        if up:
            self.register_buffer("matrix", filter_matrix(size + 1 + size % 2, 1, size, gain=2.0), persistent=False)

    @property
    def description(self) -> str:
        return f"Modulated {'ConvT' if self.up else 'conv'} {self.weight.shape[-1]}x{self.weight.shape[-1]}"

    def forward(self, x: Float[Tensor, "n c h h"], styles: Float[Tensor, "n c"]) -> Float[Tensor, "n d s s"]:
        weight = self.weight * self.weight[0].numel() ** -0.5
        y = x * styles.to(x.dtype)[:, :, None, None]
        if self.up:
            y = filtered(F.conv_transpose2d(y, weight.transpose(0, 1), stride=2), self.matrix)
        else:
            y = F.conv2d(y, weight, padding=weight.shape[-1] // 2)
        if self.demodulate:
            with torch.autocast(x.device.type, enabled=False):
                lengths = styles.square() @ weight.square().sum((2, 3)).t()
                y = y * (lengths + 1e-8).rsqrt().to(y.dtype)[:, :, None, None]
        return y + self.bias.to(y.dtype)[:, None, None]


class ConstantMap(nn.Module):
    """A learned map, the same for all images: rows w [n, ...] -> [n, c, size, size], channels last in memory."""

    description = "Learned map"

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.randn(size, size, channels))

    def forward(self, w: Float[Tensor, "n z"]) -> Float[Tensor, "n c s s"]:
        return (self.map * w.new_ones(len(w), 1, 1, 1)).movedim(-1, 1)


class StyledLayer(nn.Module):
    """A modulated 3x3 convolution by the styles of w, noise, activation."""

    def __init__(self, channels_in: int, channels_out: int, size: int, up: bool, config: GeneratorConfig) -> None:
        super().__init__()
        self.style = EqualDense(config.latent_dim, channels_in, bias=1.0)
        self.conv = ModulatedConv2d(channels_in, channels_out, 3, size, up)
        self.noise = MapNoise(size)
        self.act = Activation(config.slope)

    def forward(self, x: Float[Tensor, "n c h h"], w: Float[Tensor, "n z"]) -> Float[Tensor, "n d s s"]:
        return self.act(self.noise(self.conv(x, self.style(w))))  # type: ignore[no-any-return]


class ToImage(nn.Module):
    """The image that a map adds: a modulated 1x1 convolution, on top of the smaller map's image at twice its size."""

    matrix: Tensor

    def __init__(self, width: int, channels: int, size: int, latent_dim: int) -> None:
        super().__init__()
        self.style = EqualDense(latent_dim, width, bias=1.0)
        self.conv = ModulatedConv2d(width, channels, 1, size, demodulate=False)
        self.register_buffer("matrix", 2 * smoothing_matrix(size).t(), persistent=False)

    def forward(
        self, x: Float[Tensor, "n c s s"], w: Float[Tensor, "n z"], smaller: Float[Tensor, "n d h h"] | None
    ) -> Float[Tensor, "n d s s"]:
        image: Tensor = self.conv(x, self.style(w))
        image = image.to(torch.promote_types(image.dtype, torch.float32))
        return image if smaller is None else image + filtered(smaller, self.matrix)


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh. w has as many numbers as z."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        maps, dim = map_sizes(size), config.latent_dim
        widths = [scale_channels(w, config.width) for w in fit_widths((config.base, *config.widths), len(maps))]
        self.labelled = LabelledLatent(classes, dim) if classes else None
        inputs = [2 * dim if classes else dim, *[dim] * (MAPPING_LAYERS - 1)]
        self.mapping = nn.ModuleList(
            EqualDense(count, dim, MAPPING_RATE, normalised=0 if i else dim) for i, count in enumerate(inputs)
        )
        self.act = Activation(config.slope)
        self.constant = ConstantMap(widths[0], maps[0])
        self.layers, self.images = nn.ModuleList(), nn.ModuleList()
        for i, (width, side) in enumerate(zip(widths, maps, strict=True)):
            stage = [StyledLayer(widths[i - 1], width, side, True, config)] if i else []
            self.layers.append(nn.ModuleList([*stage, StyledLayer(width, width, side, False, config)]))
            self.images.append(ToImage(width, channels, side, dim))
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        w = z if self.labelled is None else self.labelled(z, labels)
        for layer in self.mapping:
            w = self.act(layer(w))
        x, image = self.constant(w), None
        for stage, to_image in zip(self.layers, self.images, strict=True):
            assert isinstance(stage, nn.ModuleList)
            for layer in stage:
                x = layer(x, w)
            image = to_image(x, w, image)
        return self.tanh(image).float()  # type: ignore[no-any-return]


def equal_dense(layer: nn.Module) -> nn.Module:
    """An equalised layer in place of this dense one."""
    assert isinstance(layer, nn.Linear)
    return EqualDense(layer.in_features, layer.out_features)


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique; the features are those of a dense layer after the last map."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        maps = map_sizes(size)[::-1]
        widths = [scale_channels(w, config.width) for w in fit_widths(config.widths[::-1], len(maps))][::-1]
        last = widths[-1]
        self.image = EqualConv2d(channels, widths[0], 1)
        self.act = Activation(config.slope)
        self.stages = nn.ModuleList(
            nn.Sequential(
                EqualConv2d(widths[i], widths[i], 3),
                Activation(config.slope),
                EqualDownConv2d(widths[i], widths[i + 1], side),
                Activation(config.slope),
            )
            for i, side in enumerate(maps[:-1])
        )
        self.deviation = MinibatchStd() if config.minibatch == "std" else None
        self.last = EqualConv2d(last + (self.deviation is not None), last, 3)
        self.features = EqualDense(last * maps[-1] ** 2, last)
        rest = replace(config, minibatch="none") if self.deviation else config
        self.minibatch, self.dense, self.projection, self.naming = build_head(rest, last, classes, equal_dense)
        if self.projection is not None:
            self.projection.embedding = EqualEmbedding(classes, self.projection.embedding.embedding_dim)  # type: ignore[assignment]

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        x = self.act(self.image(images))
        for stage in self.stages:
            x = stage(x)
        if self.deviation is not None:  # one more channel, the same number in every pixel
            column = self.deviation(x.flatten(1).to(torch.promote_types(x.dtype, torch.float32)))[:, -1].to(x.dtype)
            x = torch.cat([x, column[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)
        features = self.act(self.features(self.act(self.last(x)).flatten(1)))
        return apply_head(features, labels, self.dense, self.projection, self.minibatch, self.naming)


def generator_rules(g: GeneratorConfig) -> Iterator[Rule]:
    """Equalised weights have one start."""
    yield g.init == "family", "generator.init", g.init, "family: weights of stylegan2 are scaled when used"


def discriminator_rules(d: DiscriminatorConfig) -> Iterator[Rule]:
    """Equalised weights have one start and no further normalisation."""
    yield d.init == "family", "discriminator.init", d.init, "family: weights of stylegan2 are scaled when used"
    yield not d.spectral, "discriminator.spectral", d.spectral, "False: weights of stylegan2 are scaled when used"


register_family(
    Family(
        "stylegan2",
        Generator,
        Discriminator,
        g_norms=(),
        g_rules=generator_rules,
        d_rules=discriminator_rules,
        g_fewer=0,
        d_fewer=0,
    )
)
