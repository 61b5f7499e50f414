"""A first draft of every image: its class's mean plus eigenimages of that class, weighed by z's first numbers.

Eigenimages are the principal components of images (Sirovich & Kirby 1987; Turk & Pentland 1991, "eigenfaces"). Drawn
with N(0, 1) weights, each times its standard deviation, they give images with the mean and, in the components kept,
the covariance of the class: blurred, but with its colours and layouts. G makes images of them.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int64, UInt8
from torch import Tensor, nn

from ganvas.config import GeneratorConfig
from ganvas.models.layers.initializers import fan_in_normal
from ganvas.models.ops.conv import SameConv2d

SIDE = 16
"""Drafts are described at G's largest map of at most this side, in pixels."""
SHARED = 192
"""All classes share the axes of this many components, and differ in mean and covariance within them."""
AT_MOST = 50_000
"""Images that are read, evenly spaced among all."""
CHUNK = 128
LEAST = 1e-6
"""A component with less than this share of the first one's variance is rounding, and hardly counts in codes."""
EDGE = 0.95
"""Drafts beyond this value of [-1, 1] count as this much: tanh reaches 1 nowhere."""


class Eigenimages(nn.Module):
    """Drafts of images for z [n, z] and classes: [n, c, h, w], mostly within [-1, 1]; grey until `fit`."""

    grey: Tensor
    axes: Tensor
    mean: Tensor
    weights: Tensor
    sharpen: Tensor

    def __init__(self, count: int, shape: tuple[int, int, int], maps: list[int], classes: int) -> None:
        super().__init__()
        channels, self.size, _ = shape
        self.side = max((side for side in maps if side <= SIDE), default=maps[0])
        values = channels * self.side**2
        self.count, shared = min(count, values), min(max(SHARED, count), values)
        self.register_buffer("mean", torch.zeros(max(classes, 1), shared))
        self.register_buffer("weights", torch.zeros(max(classes, 1), shared, self.count))
        self.register_buffer("grey", torch.zeros(values))
        self.register_buffer("axes", torch.zeros(shared, values))
        self.register_buffer("sharpen", self._sharpening(), persistent=False)

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        if labels is None:
            labels = torch.zeros(len(z), dtype=torch.long, device=z.device)
        with torch.autocast(z.device.type, enabled=False):
            weighed = self.weights[labels] @ z[:, : self.count, None].float()
            parts = self.mean[labels] + weighed[:, :, 0]
            small = (self.grey + parts @ self.axes).view(len(z), -1, self.side, self.side)
            sharp = self.sharpen @ small @ self.sharpen.T
            return F.interpolate(sharp, size=(self.size, self.size), mode="bilinear")

    @torch.no_grad()
    def encode(self, images: Float[Tensor, "n c h w"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n k"]:
        """The first numbers of the z whose drafts are nearest to these images; over a class their covariance is 1."""
        if labels is None:
            labels = torch.zeros(len(images), dtype=torch.long, device=images.device)
        with torch.autocast(images.device.type, enabled=False):
            small = F.adaptive_avg_pool2d(images.float(), self.side).flatten(1)
            parts = (small - self.grey) @ self.axes.T - self.mean[labels]
            variances = self.weights.square().sum(1)
            variances = variances.maximum(LEAST * variances[:, :1]).clamp(min=1e-12)
            return (parts[:, None] @ self.weights[labels])[:, 0] / variances[labels]

    @torch.no_grad()
    def fit(
        self,
        images: UInt8[np.ndarray, "m c h w"],
        labels: Int64[np.ndarray, "m"] | None,
        among: Int64[np.ndarray, "k"],
    ) -> None:
        """Learn means and components from the images with the numbers `among`; with `labels`, those of each class.

        A class's covariance is shrunk towards that of all images about their class's mean: with m images of a class
        and k components it has the weight m / (m + k). So a class of few images does not give these images back.
        """
        chosen = among[np.linspace(0, len(among) - 1, min(len(among), AT_MOST)).astype(int)]
        small = torch.cat([self._shrunk(images[part]) for part in np.array_split(chosen, -(-len(chosen) // CHUNK))])
        classes = torch.zeros(len(chosen), dtype=torch.long) if labels is None else torch.from_numpy(labels[chosen])
        grey = small.mean(0)
        small -= grey
        axes = torch.linalg.eigh(small.T @ small)[1].flip(1)[:, : self.mean.shape[1]]
        parts = small @ axes

        groups = [parts[classes == k] for k in range(len(self.mean))]
        means = torch.stack([group.mean(0) if len(group) else torch.zeros_like(parts[0]) for group in groups])
        within = parts - means[classes]
        pooled = within.T @ within / max(len(parts) - 1, 1)
        for k, group in enumerate(groups):
            own = group - means[k]
            share = len(group) / (len(group) + self.count)
            covariance = share * (own.T @ own / max(len(group) - 1, 1)) + (1 - share) * pooled
            variances, directions = torch.linalg.eigh(covariance)
            kept = directions.flip(1)[:, : self.count]
            strongest = kept.abs().argmax(0, keepdim=True)
            kept = kept * kept.gather(0, strongest).sign()  # else each sign is any
            self.weights[k] = kept * variances.flip(0)[: self.count].clamp(min=0).sqrt()
        self.mean.copy_(means)
        self.grey.copy_(grey)
        self.axes.copy_(axes.T)

    def _shrunk(self, images: UInt8[np.ndarray, "m c h w"]) -> Float[Tensor, "m d"]:
        """Images in [-1, 1] at `side` px, flat."""
        x = torch.from_numpy(images).float().div_(127.5).sub_(1)
        return F.adaptive_avg_pool2d(x, self.side).flatten(1)

    def _sharpening(self) -> Float[Tensor, "s s"]:
        """What to do with rows and columns of a thumbnail so that, enlarged and shrunk again, it is itself."""
        single = torch.eye(self.side, dtype=torch.float64, device="cpu")[:, None]
        enlarged = F.interpolate(single, size=self.size, mode="linear")
        return F.adaptive_avg_pool1d(enlarged, self.side)[:, 0].T.inverse().float()


class Drafted(nn.Module):
    """How drafts enter G: a 3x3 convolution of the draft to each map of at most SIDE px, and the draft before tanh.

    The last alone would not do: G would not see what it is to change.
    """

    def __init__(
        self, config: GeneratorConfig, shape: tuple[int, int, int], maps: dict[int, int], classes: int
    ) -> None:
        """`maps`: channels of each of G's maps by its side."""
        super().__init__()
        self.eigenimages = Eigenimages(min(config.eigenimages, config.latent_dim), shape, list(maps), classes)
        self.tanh = config.tanh
        self.convs = nn.ModuleDict(
            {
                str(side): fan_in_normal(SameConv2d(shape[0], channels, 3, 1))
                for side, channels in maps.items()
                if side <= self.eigenimages.side
            }
        )

    def forward(self, z: Float[Tensor, "n z"], labels: Int[Tensor, "n"] | None) -> Float[Tensor, "n c h w"]:
        return self.eigenimages(z, labels)  # type: ignore[no-any-return]


WithDraft = tuple[Drafted, Float[Tensor, "n c h w"]]


def see_draft(drafted: WithDraft | None, x: Float[Tensor, "n d s s"]) -> Float[Tensor, "n d s s"]:
    """A map of G that has seen the drafts, where there are any."""
    if drafted is None or str(x.shape[-1]) not in drafted[0].convs:
        return x
    part, draft = drafted
    return x + part.convs[str(x.shape[-1])](F.adaptive_avg_pool2d(draft, x.shape[-1]))  # type: ignore[no-any-return]


def add_draft(drafted: WithDraft | None, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """G's last map, before tanh, plus the drafts of its images, the last ones, where there are any."""
    if drafted is None:
        return x
    part, draft = drafted
    draft = draft[-len(x) :]
    return x.float() + (torch.atanh(draft.clamp(-EDGE, EDGE)) if part.tanh else draft)
