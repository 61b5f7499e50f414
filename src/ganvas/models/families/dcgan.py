"""DCGAN (Radford et al. 2016, arXiv 1511.06434) in the form of the TensorFlow tutorial and the course's notebooks.

Keras' semantics throughout: 'same' padding, glorot-uniform kernels, BatchNorm with epsilon 1e-3 and momentum 0.99,
a dense layer whose output is read as height, width, channels. The sides of the maps are those that D's strided
'same' convolutions pass through (28 -> 14 -> 7, or 28 -> 14 -> 7 -> 4); G climbs the same ladder upwards.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers.head import LabelledLatent, finish, judge, last_layers
from ganvas.models.layers.init import activation, glorot_uniform, normal_weights
from ganvas.models.layers.norm import FeatureNorm, Reference, hidden_norm, through
from ganvas.models.layers.pyramid import ladder, scaled
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d

BN_EPSILON = 1e-3
BN_MOMENTUM = 0.01  # Keras' momentum 0.99 in torch's convention


class Dropout(nn.Module):
    """Inverted dropout that draws from `generator`, so that a resumed run drops what it would have dropped.

    Sixteen random bits decide an element: p is met to 2**-16 (p = 0.3 becomes 0.29999).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.cut = round(p * 2**16)
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.cut == 0:
            return x
        shape = [x.shape[0], *x.shape[2:], x.shape[1]]  # channels last, as the map lies in memory
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
        bits = draws.random_(-(2**63), None, generator=self.generator).view(torch.int16)[: x.numel()].view(shape)
        keep = (bits >= self.cut - 2**15).movedim(-1, 1)
        return x * keep.to(x.dtype).mul_(2**16 / (2**16 - self.cut))


class Generator(nn.Module):
    """z [n, latent_dim] -> images [n, c, h, w], in [-1, 1] where config.tanh."""

    def __init__(self, config: GeneratorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, size, _ = shape
        self.sizes = ladder(size, config.strides)[::-1]
        self.reference = Reference(config, classes) if config.norm == "virtual" else None
        self.labelled = LabelledLatent(classes, config.latent_dim) if classes and config.condition == "concat" else None
        self.base = width = scaled(config.base, config.width)
        features, bias = width * self.sizes[0] ** 2, config.norm == "none"
        self.dense = nn.Linear(config.latent_dim * (2 if self.labelled else 1), features, bias=bias)
        nn.init.xavier_uniform_(self.dense.weight)
        if bias:
            nn.init.zeros_(self.dense.bias)
        self.dense_norm = hidden_norm(config, features, classes, BN_EPSILON, BN_MOMENTUM, FeatureNorm)
        self.dense_act = activation(config.slope)

        self.blocks = nn.ModuleList()
        extras = config.extra or (0,) * len(config.widths)
        for out, stride, extra in zip(config.widths, config.strides[:-1], extras, strict=True):
            out, extra = scaled(out, config.width), extra and scaled(extra, config.width)
            block = nn.ModuleDict({"up": SameConvTranspose2d(width, out, config.kernel, stride, bias=bias)})
            if norm := hidden_norm(config, out, classes, BN_EPSILON, BN_MOMENTUM):
                block["norm"] = norm
            block["act"] = activation(config.slope)
            if extra:
                block["conv"] = SameConv2d(out, extra, 3, 1, bias=bias)
                if norm := hidden_norm(config, extra, classes, BN_EPSILON, BN_MOMENTUM):
                    block["conv_norm"] = norm
                block["conv_act"] = activation(config.slope)
            self.blocks.append(block)
            width = extra or out
        self.image = SameConvTranspose2d(width, channels, config.kernel, config.strides[-1], bias=bias)
        self.tanh = nn.Tanh() if config.tanh else nn.Identity()
        if config.init == "normal":
            normal_weights(self)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        """Images for latents, of these classes if G was built with any."""
        if self.reference is not None:
            z, labels = self.reference.prepend(z, labels)
        x = z if self.labelled is None else self.labelled(z, labels)
        x = self.dense_act(through(self.dense_norm, self.dense(x), labels))
        x = x.view(len(x), self.sizes[0], self.sizes[0], self.base).movedim(-1, 1)
        for size, block in zip(self.sizes[1:], self.blocks, strict=False):
            assert isinstance(block, nn.ModuleDict)
            for name, layer in block.items():
                x = layer(x, size) if name == "up" else through(layer, x, labels)
        if self.reference is not None:
            x = x[Reference.ROWS :]
        return self.tanh(self.image(x, self.sizes[-1])).float()  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """images [n, c, h, w] in [-1, 1] -> Critique."""

    def __init__(self, config: DiscriminatorConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        width, size, _ = shape
        self.blocks = nn.ModuleList()
        for out, norm in zip(config.widths, config.norms, strict=True):
            out = scaled(out, config.width)
            block = nn.ModuleDict({"conv": SameConv2d(width, out, config.kernel, 2)})
            if norm:
                block["norm"] = nn.BatchNorm2d(out, BN_EPSILON, BN_MOMENTUM)
            block["act"] = activation(config.slope)
            if config.dropout:
                block["drop"] = Dropout(config.dropout)
            self.blocks.append(block)
            width, size = out, -(-size // 2)
        features = width * size * size
        self.minibatch, self.dense, self.projection, self.naming = last_layers(
            config, features, classes, glorot_uniform
        )
        finish(self, config)

    def forward(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Critique:
        """Logits and last features of images, as pictures of these classes if D was built with any."""
        x = images
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            for layer in block.values():
                x = layer(x)
        features = x.movedim(1, -1).flatten(1)  # height, width, channels: Keras' order
        return judge(features, labels, self.dense, self.projection, self.minibatch, self.naming)
