"""DCGAN (Radford et al. 2016, arXiv 1511.06434) in the form of the TensorFlow tutorial and the course's notebooks.

Keras' semantics throughout: 'same' padding, glorot-uniform kernels, BatchNorm with epsilon 1e-3 and momentum 0.99,
a dense layer whose output is read as height, width, channels. The sizes of the maps are those of D's strided 'same'
convolutions (28 -> 14 -> 7, or 28 -> 14 -> 7 -> 4); G has the same sizes in reverse.
"""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.config.validation import Rule
from ganvas.models.critique import Critique
from ganvas.models.layers.activation import activation
from ganvas.models.layers.dropout import Dropout
from ganvas.models.layers.head import LabelledLatent, apply_head, build_head, finish_discriminator
from ganvas.models.layers.initializers import glorot_uniform, normal_weights
from ganvas.models.layers.norm import FeatureNorm, ReferenceBatch, apply_norm, build_norm
from ganvas.models.layers.sizes import scale_channels, strided_sizes
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.registry import Family, register_family

BN_EPSILON = 1e-3
BN_MOMENTUM = 0.01  # Keras' momentum 0.99 in torch's convention


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sizes = strided_sizes(size, config.strides)[::-1]
        self.reference = ReferenceBatch(config, classes) if config.norm == "virtual" else None
        self.labelled = LabelledLatent(classes, config.latent_dim) if classes and config.condition == "concat" else None
        self.base = width = scale_channels(config.base, config.width)
        features, bias = width * self.sizes[0] ** 2, config.norm == "none"
        self.dense = nn.Linear(config.latent_dim * (2 if self.labelled else 1), features, bias=bias)
        nn.init.xavier_uniform_(self.dense.weight)
        if bias:
            nn.init.zeros_(self.dense.bias)
        self.dense_norm = build_norm(config, features, classes, BN_EPSILON, BN_MOMENTUM, FeatureNorm)
        self.dense_act = activation(config.slope)

        self.blocks = nn.ModuleList()
        extras = config.extra or (0,) * len(config.widths)
        for out, stride, extra in zip(config.widths, config.strides[:-1], extras, strict=True):
            out, extra = scale_channels(out, config.width), extra and scale_channels(extra, config.width)
            block = nn.ModuleDict({"up": SameConvTranspose2d(width, out, config.kernel, stride, bias=bias)})
            if norm := build_norm(config, out, classes, BN_EPSILON, BN_MOMENTUM):
                block["norm"] = norm
            block["act"] = activation(config.slope, inplace=norm is not None)
            if extra:
                block["conv"] = SameConv2d(out, extra, 3, 1, bias=bias)
                if norm := build_norm(config, extra, classes, BN_EPSILON, BN_MOMENTUM):
                    block["conv_norm"] = norm
                block["conv_act"] = activation(config.slope)
            self.blocks.append(block)
            width = extra or out
        self.image = SameConvTranspose2d(width, channels, config.kernel, config.strides[-1], bias=bias)
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G has classes."""
        if self.reference is not None:
            z, labels = self.reference.prepend(z, labels)
        x = z if self.labelled is None else self.labelled(z, labels)
        x = self.dense_act(apply_norm(self.dense_norm, self.dense(x), labels))
        x = x.view(len(x), self.sizes[0], self.sizes[0], self.base).movedim(-1, 1)
        for size, block in zip(self.sizes[1:], self.blocks, strict=False):
            assert isinstance(block, nn.ModuleDict)
            for name, layer in block.items():
                x = layer(x, size) if name == "up" else apply_norm(layer, x, labels)
        if self.reference is not None:
            x = x[ReferenceBatch.ROWS :]
        return self.tanh(self.image(x, self.sizes[-1])).float()  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        width, size, _ = shape
        self.blocks = nn.ModuleList()
        for out, norm in zip(config.widths, config.norms, strict=True):
            out = scale_channels(out, config.width)
            block = nn.ModuleDict({"conv": SameConv2d(width, out, config.kernel, 2)})
            if norm:
                block["norm"] = nn.BatchNorm2d(out, BN_EPSILON, BN_MOMENTUM)
            block["act"] = activation(config.slope)
            if config.dropout:
                block["drop"] = Dropout(config.dropout)
            self.blocks.append(block)
            width, size = out, -(-size // 2)
        features = width * size * size
        self.minibatch, self.dense, self.projection, self.naming = build_head(config, features, classes, glorot_uniform)
        finish_discriminator(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, for these classes if D has classes."""
        x = images
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            for layer in block.values():
                x = layer(x)
        features = x.movedim(1, -1).flatten(1)  # height, width, channels: Keras' order
        return apply_head(features, labels, self.dense, self.projection, self.minibatch, self.naming)


def generator_rules(g: GeneratorConfig) -> Iterator[Rule]:
    """One stride for each transposed convolution, one entry of `extra` for each hidden one."""
    yield len(g.strides) == len(g.widths) + 1, "generator.strides", g.strides, "one more than generator.widths"
    yield min(g.strides) > 0, "generator.strides", g.strides, "more than 0"
    yield len(g.extra) in (0, len(g.widths)), "generator.extra", g.extra, "empty or as long as generator.widths"
    yield min((0, *g.extra)) == 0, "generator.extra", g.extra, "0 (none) or more"


register_family(
    Family(
        "dcgan",
        Generator,
        Discriminator,
        g_norms=("batch", "virtual", "none"),
        d_batch_norm=True,
        d_dropout=True,
        odd_kernels=True,
        g_rules=generator_rules,
    )
)
