"""Where classes enter G beside the latents, and the last layer of every D."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig
from ganvas.models.critique import Critique
from ganvas.models.layers import spectral
from ganvas.models.layers.init import normal_weights


class LabelledLatent(nn.Module):
    """z [n, z] and a vector of its class of the same length and of root mean square 1, side by side: [n, 2 z]."""

    def __init__(self, classes: int, latent_dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, latent_dim)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"]) -> Float[Tensor, "n zz"]:
        of_class = self.embedding(labels)
        return torch.cat([z, of_class * (of_class.square().mean(1, keepdim=True) + 1e-8).rsqrt()], 1)


class Projection(nn.Module):
    """<embedding(y), features> for each class y, the part of a logit that depends on it.

    Miyato & Koyama 2018 (arXiv 1802.05637), section 3. Entries start as N(0, 1 / f), so that the term is at first of
    the order of the dense layer's, whose weights have a variance of 2 / f.

    What of a logit does not depend on the class says nothing of which class it is, so these are also the logits of a
    classifier: with `names` D learns to name real images by them (Chen et al. 2021, ECGAN, arXiv 2111.01035).
    """

    def __init__(self, classes: int, features: int, names: bool = False) -> None:
        super().__init__()
        self.names = names
        self.embedding = nn.Embedding(classes, features)
        nn.init.normal_(self.embedding.weight, std=features**-0.5)
        self.register_buffer("every", torch.arange(classes), persistent=False)

    def forward(self, features: Float[Tensor, "n f"]) -> Float[Tensor, "n k"]:
        of_classes: Tensor = self.embedding(self.every)
        return features @ of_classes.T


class BatchDeviation(nn.Module):
    """One more feature: the standard deviation over a group of the batch, averaged over the features.

    Karras et al. 2018 (arXiv 1710.10196), section 3. A group is 4 neighbouring rows; where 4 do not divide the batch,
    the next number that does.
    """

    GROUP = 4
    extra = 1

    def forward(self, features: Float[Tensor, "n f"]) -> Float[Tensor, "n f1"]:
        n = len(features)
        group = next(size for size in range(min(self.GROUP, n), n + 1) if n % size == 0)
        var = features.reshape(-1, group, features.shape[1]).var(1, correction=0)
        deviation = (var + 1e-8).sqrt().mean(1).repeat_interleave(group, output_size=n)
        return torch.cat([features, deviation[:, None]], 1)


class BatchDistances(nn.Module):
    """16 more features that say how near the others of the batch are: minibatch discrimination.

    Salimans et al. 2016 (arXiv 1606.03498), section 3.2: c_b(i, j) = exp(-|M_ib - M_jb|_1), M = T f, 16 kernels b of
    8 dimensions. Two changes: the mean of c over j != i instead of the sum over j, so that a logit does not depend on
    the size of the batch; and T reads the features divided by their root mean square over the batch, so that the
    distances start near 1 whatever the network.
    """

    extra = 16
    DIMENSIONS = 8

    def __init__(self, features: int) -> None:
        super().__init__()
        self.kernels = nn.Linear(features, self.extra * self.DIMENSIONS, bias=False)
        nn.init.normal_(self.kernels.weight, std=0.25 * features**-0.5)

    def forward(self, features: Float[Tensor, "n f"]) -> Float[Tensor, "n f16"]:
        n = len(features)
        m = self.kernels(features * (features.square().mean() + 1e-8).rsqrt()).view(n, self.extra, self.DIMENSIONS)
        closeness = torch.exp(-(m[:, None] - m).abs().sum(3))  # [i, j, b]
        return torch.cat([features, (closeness.sum(1) - 1) / max(n - 1, 1)], 1)


def minibatch(config: DiscriminatorConfig, features: int) -> BatchDeviation | BatchDistances | None:
    """What adds to D's last features what they say of the rest of the batch; `extra` is how many it adds."""
    match config.minibatch:
        case "std":
            return BatchDeviation()
        case "features":
            return BatchDistances(features)
        case _:
            return None


def last_layers(
    config: DiscriminatorConfig, features: int, classes: int, begin: Callable[[nn.Module], nn.Module]
) -> tuple[BatchDeviation | BatchDistances | None, nn.Module, Projection | None, nn.Module | None]:
    """What `judge` needs after so many features: `minibatch`, the dense layer, the projection, the naming layer.

    `begin` gives the linear layers their first weights.
    """
    batch = minibatch(config, features)
    seen = features + (0 if batch is None else batch.extra)
    names = config.classify_by if config.classify else None
    dense = begin(nn.Linear(seen, 1))
    projection = Projection(classes, seen, names == "projection") if classes else None
    return batch, dense, projection, begin(nn.Linear(features, classes)) if classes and names == "layer" else None


def finish(network: nn.Module, config: DiscriminatorConfig) -> None:
    """What a config asks for of a D that is otherwise complete: other first weights, spectral normalisation."""
    if config.init == "normal":
        normal_weights(network)
    if config.spectral:
        spectral.normalise(network)


def judge(
    features: Float[Tensor, "n f"],
    labels: Int[Tensor, "n"] | None,
    dense: nn.Module,
    projection: Projection | None,
    batch: nn.Module | None,
    naming: nn.Module | None = None,
) -> Critique:
    """D's last layers, in float32: logits = dense(g) + projection(g)[labels], classes = naming(f) or projection(g).

    g is f, the features, and what `batch` adds to them.
    """
    with torch.autocast(features.device.type, enabled=False):
        seen = features.to(torch.promote_types(features.dtype, torch.float32))
        classes = None if naming is None else naming(seen)
        if batch is not None:
            features = seen = batch(seen)
        logits = dense(seen).squeeze(1)
        if projection is not None:
            assert labels is not None
            of_classes = projection(seen)
            logits = logits + of_classes.gather(1, labels[:, None]).squeeze(1)
            classes = of_classes if projection.names else classes
        return Critique(logits, features, classes)
