"""How classes enter G beside the latents, and the last layers of every D."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers.initializers import normal_weights
from ganvas.models.layers.spectral import SpectralNorm, add_spectral_norm
from ganvas.ranks import ALONE, World

LAST = ("dense", "naming", "projection.embedding")
"""Layers of D that give logits, by the names of `build_head`."""


class LabelledLatent(nn.Module):
    """z [n, z] concatenated with an embedding of its class, scaled to root mean square 1: [n, 2 z]."""

    def __init__(self, classes: int, latent_dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latent_dim)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"]) -> Float[Tensor, "n zz"]:
        y = self.embedding(labels)
        return torch.cat([z, y * (y.square().mean(1, keepdim=True) + 1e-8).rsqrt()], 1)


class Projection(nn.Module):
    """<embedding(y), features> for each class y, the part of a logit that depends on the class.

    Miyato & Koyama 2018 (arXiv 1802.05637), section 3. Entries start as N(0, 1 / f), so that the term
    initially has the scale of the dense layer's, whose weights have a variance of 2 / f.

    The rest of a logit is the same for all classes, so these are also the logits of a classifier: with `classifies`
    they are trained as such (Chen et al. 2021, ECGAN, arXiv 2111.01035).
    """

    def __init__(self, classes: int, features: int, classifies: bool = False) -> None:
        super().__init__()
        self.classifies = classifies
        self.embedding = nn.Embedding(classes, features)
        nn.init.normal_(self.embedding.weight, std=features**-0.5)
        self.register_buffer("all_classes", torch.arange(classes), persistent=False)

    def forward(self, features: Float[Tensor, "n f"]) -> Float[Tensor, "n k"]:
        rows: Tensor = self.embedding(self.all_classes)
        return features @ rows.T


class MinibatchStd(nn.Module):
    """Minibatch standard deviation: one more feature, the deviation within a group, averaged over the features.

    Karras et al. 2018 (arXiv 1710.10196), section 3. A group is 4 neighbouring rows, or the next number that
    divides the batch.
    """

    GROUP = 4
    extra = 1
    world: World = ALONE

    def forward(self, features: Float[Tensor, "n f"]) -> Float[Tensor, "n f1"]:
        world = self.world if self.training else ALONE
        rows = world.rows(features)
        n = len(rows)
        group = next(size for size in range(min(self.GROUP, n), n + 1) if n % size == 0)
        var = rows.reshape(-1, group, features.shape[1]).var(1, correction=0)
        deviation = (var + 1e-8).sqrt().mean(1).repeat_interleave(group, output_size=n)
        return torch.cat([features, deviation[world.own, None]], 1)


class MinibatchDiscrimination(nn.Module):
    """Minibatch discrimination: 16 more features, each a mean closeness to the other images of the batch.

    Salimans et al. 2016 (arXiv 1606.03498), section 3.2: c_b(i, j) = exp(-|M_ib - M_jb|_1), M = T f, 16 kernels b of
    8 dimensions. Two changes: the mean of c over j != i instead of the sum over j, so that a logit does not depend on
    the size of the batch; and T reads the features divided by their root mean square over the batch, so that the
    distances start near 1 in every network.
    """

    extra = 16
    DIMENSIONS = 8
    world: World = ALONE

    def __init__(self, features: int) -> None:
        super().__init__()
        self.kernels = nn.Linear(features, self.extra * self.DIMENSIONS, bias=False)
        nn.init.normal_(self.kernels.weight, std=0.25 * features**-0.5)

    def forward(self, features: Float[Tensor, "n f"]) -> Float[Tensor, "n f16"]:
        world = self.world if self.training else ALONE
        rows = world.rows(features)
        n = len(rows)
        m = self.kernels(rows * (rows.square().mean() + 1e-8).rsqrt()).view(n, self.extra, self.DIMENSIONS)
        closeness = torch.exp(-(m[world.own, None] - m).abs().sum(3))  # [i, j, b]
        return torch.cat([features, (closeness.sum(1) - 1) / max(n - 1, 1)], 1)


def minibatch_layer(config: DiscriminatorConfig, features: int) -> MinibatchStd | MinibatchDiscrimination | None:
    """The layer that adds features of the whole batch to D's last ones; `extra` is how many it adds."""
    match config.minibatch:
        case "std":
            return MinibatchStd()
        case "features":
            return MinibatchDiscrimination(features)
        case _:
            return None


def build_head(
    config: DiscriminatorConfig, features: int, classes: int, initialize: Callable[[nn.Module], nn.Module]
) -> tuple[MinibatchStd | MinibatchDiscrimination | None, nn.Module, Projection | None, nn.Module | None]:
    """D's last layers after so many features: minibatch layer, dense layer, projection, classification layer.

    `initialize` sets the weights of the linear layers. D keeps the four as its attributes `minibatch`, `dense`,
    `projection` and `naming`: saved weights have these names.
    """
    batch = minibatch_layer(config, features)
    inputs = features + (0 if batch is None else batch.extra)
    classifier = config.classify_by if config.classify and classes else None
    dense = initialize(nn.Linear(inputs, 1))
    projection = Projection(classes, inputs, classifier == "projection") if classes else None
    return batch, dense, projection, initialize(nn.Linear(features, classes)) if classifier == "layer" else None


def finish_discriminator(network: nn.Module, config: DiscriminatorConfig) -> None:
    """Changes to a complete D that its config asks for: N(0, 0.02) weights, spectral normalisation."""
    if config.init == "normal":
        normal_weights(network)
    if config.spectral:
        add_spectral_norm(network)
        for name, layer in network.named_modules():
            if isinstance(layer, SpectralNorm) and name in LAST:
                layer.gain = config.spectral_gain


def apply_head(
    features: Float[Tensor, "n f"],
    labels: Int[Tensor, "n"] | None,
    dense: nn.Module,
    projection: Projection | None,
    batch: nn.Module | None,
    classifier: nn.Module | None = None,
) -> Critique:
    """D's last layers, in float32: logits = dense(g) + projection(g)[labels], classes = classifier(f) or projection(g).

    f are the features [n, f], g = batch(f).
    """
    with torch.autocast(features.device.type, enabled=False):
        inputs = features.to(torch.promote_types(features.dtype, torch.float32))
        classes = None if classifier is None else classifier(inputs)
        if batch is not None:
            features = inputs = batch(inputs)
        logits = dense(inputs).squeeze(1)
        if projection is not None:
            assert labels is not None
            by_class = projection(inputs)
            logits = logits + by_class.gather(1, labels[:, None]).squeeze(1)
            classes = by_class if projection.classifies else classes
        return Critique(logits, features, classes)
