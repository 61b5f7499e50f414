"""DCGAN as in PyTorch's tutorial and example (pytorch/examples, dcgan): kernels of 4, torch's batch normalisation.

No layer has a bias where a normalisation follows, and D has none at all. All weights start as N(0, 0.02). The example
is written for 64 px and changes z into a map of 4 x 4 pixels by a transposed convolution; that is the dense layer here.
The sizes of the maps follow the widths: for 32 px, widths (128, 64) of G and (64, 128, 256) of D, one layer fewer than
the example has at 64 px.
"""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers.activation import activation
from ganvas.models.layers.head import LabelledLatent, apply_head, build_head, finish_discriminator
from ganvas.models.layers.initializers import normal_weights
from ganvas.models.layers.norm import ReferenceBatch, apply_norm, build_norm
from ganvas.models.layers.sizes import scale_channels, strided_sizes
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.registry import Family, register_family

BN_EPSILON = 1e-5
BN_MOMENTUM = 0.1


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh; `config.widths` after each doubling."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sizes = strided_sizes(size, (2,) * (len(config.widths) + 1))[::-1]
        widths = [scale_channels(width, config.width) for width in (config.base, *config.widths)]
        self.first, bias = (self.sizes[0], self.sizes[0], widths[0]), config.norm == "none"
        self.reference = ReferenceBatch(config, classes) if config.norm == "virtual" else None
        self.labelled = LabelledLatent(classes, config.latent_dim) if classes and config.condition == "concat" else None
        inputs = config.latent_dim * (2 if self.labelled else 1)
        self.dense = nn.Linear(inputs, widths[0] * self.sizes[0] ** 2, bias=bias)
        self.norms = nn.ModuleList(
            build_norm(config, width, classes, BN_EPSILON, BN_MOMENTUM) or nn.Identity() for width in widths
        )
        self.ups = nn.ModuleList(SameConvTranspose2d(i, o, config.kernel, 2, bias) for i, o in pairwise(widths))
        self.act = activation(config.slope, inplace=config.norm != "none")
        self.image = SameConvTranspose2d(widths[-1], channels, config.kernel, 2, bias)
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        if self.reference is not None:
            z, labels = self.reference.prepend(z, labels)
        x = self.dense(z if self.labelled is None else self.labelled(z, labels))
        x = x.view(-1, *self.first).movedim(-1, 1)
        for i, norm in enumerate(self.norms):
            x = self.ups[i - 1](x, self.sizes[i]) if i else x
            x = self.act(apply_norm(norm, x, labels))
        if self.reference is not None:
            x = x[ReferenceBatch.ROWS :]
        return self.tanh(self.image(x, self.sizes[-1])).float()  # type: ignore[no-any-return]


def without_bias(layer: nn.Module) -> nn.Module:
    """The layer without its bias."""
    layer.register_parameter("bias", None)
    return layer


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique; the features are the last map's every pixel."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        width, size, _ = shape
        self.blocks = nn.ModuleList()
        for out, norm in zip(config.widths, config.norms, strict=True):
            out = scale_channels(out, config.width)
            block = nn.ModuleDict({"conv": SameConv2d(width, out, config.kernel, 2, bias=False)})
            if norm:
                block["norm"] = nn.BatchNorm2d(out, BN_EPSILON, BN_MOMENTUM)
            block["act"] = activation(config.slope)
            self.blocks.append(block)
            width, size = out, -(-size // 2)
        features = width * size * size
        self.minibatch, self.dense, self.projection, self.naming = build_head(config, features, classes, without_bias)
        normal_weights(self)
        finish_discriminator(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        x = images
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            for layer in block.values():
                x = layer(x)
        features = x.movedim(1, -1).flatten(1)
        return apply_head(features, labels, self.dense, self.projection, self.minibatch, self.naming)


register_family(
    Family("pytorch-example", Generator, Discriminator, g_norms=("batch", "virtual", "none"), d_batch_norm=True)
)
