"""Drafts of images: means and components of the images that they were fitted to, class by class."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.config import GeneratorConfig
from ganvas.models.families import resnet
from ganvas.models.layers.eigenimages import Eigenimages

RNG = np.random.default_rng(0)
IMAGES = (RNG.random((60, 3, 12, 12)) * np.linspace(100, 255, 60)[:, None, None, None]).astype(np.uint8)
LABELS = np.arange(60) % 2
ALL = np.arange(60)
MAPS = [6, 12]


def fitted(count: int, labels: np.ndarray | None = LABELS, among: np.ndarray = ALL) -> Eigenimages:
    part = Eigenimages(count, (3, 12, 12), MAPS, 0 if labels is None else 2)
    part.fit(IMAGES, labels, among)
    return part


def axes(part: Eigenimages, label: int | None = None) -> tuple[Tensor, Tensor]:
    """The draft of z = 0 [d] and the change that each number of z makes [count, d]."""
    z = torch.cat([torch.zeros(1, part.count), torch.eye(part.count)])
    drafts = part(z, None if label is None else torch.full((len(z),), label)).double().flatten(1)
    return drafts[0], drafts[1:] - drafts[0]


def flat(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images).double().flatten(1) / 127.5 - 1


def test_drafts_have_the_mean_and_covariance_of_the_images() -> None:
    """All components, one class: they are those of the images, which 12 px maps hold unshrunk."""
    part = Eigenimages(432, (3, 12, 12), MAPS, 0)
    part.fit(IMAGES, None, ALL)
    mean, moved = axes(part)
    x = flat(IMAGES)
    torch.testing.assert_close(mean, x.mean(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(moved.T @ moved, torch.cov(x.T), atol=1e-5, rtol=0)


def test_each_class_has_its_own_mean_and_strongest_components() -> None:
    part = fitted(5)
    for label in (0, 1):
        mean, moved = axes(part, label)
        x = flat(IMAGES[label::2])
        torch.testing.assert_close(mean, x.mean(0), atol=1e-5, rtol=0)
        within = flat(IMAGES) - torch.stack([flat(IMAGES[k::2]).mean(0) for k in (0, 1)])[LABELS]
        mixed = 30 / 35 * torch.cov(x.T) + 5 / 35 * within.T @ within / 59
        values, vectors = torch.linalg.eigh(mixed)
        best = vectors[:, -5:] * values[-5:] @ vectors[:, -5:].T
        torch.testing.assert_close(moved.T @ moved, best, atol=1e-4, rtol=0)
        assert (moved.norm(dim=1).diff() <= 1e-6).all()  # the strongest first


def test_drafts_shrunk_are_thumbnails() -> None:
    """At half the size the enlarged drafts, shrunk, have the images' thumbnails as mean."""
    images = np.random.default_rng(1).integers(0, 256, (40, 1, 24, 24), dtype=np.uint8)
    part = Eigenimages(3, (1, 24, 24), [6, 12, 24], 0)
    part.fit(images, None, np.arange(40))
    draft = part(torch.zeros(1, 3), None)
    assert part.side == 12 and draft.shape == (1, 1, 24, 24)
    thumbnails = F.avg_pool2d(torch.from_numpy(images).float() / 127.5 - 1, 2)
    torch.testing.assert_close(F.avg_pool2d(draft, 2)[0], thumbnails.mean(0), atol=1e-4, rtol=0)


def test_one_image_of_a_class_is_not_given_back() -> None:
    """Its class has the spread of all images about the means."""
    labels = np.array([0] * 59 + [1])
    part = fitted(4, labels)
    _, alone = axes(part, 1)
    _, others = axes(part, 0)
    ratio = alone.square().sum() / others.square().sum()
    assert 0.5 < ratio < 1.5


def test_a_class_without_images_has_the_mean_of_all() -> None:
    part = fitted(4, among=ALL[LABELS == 0])
    mean, moved = axes(part, 1)
    torch.testing.assert_close(mean, flat(IMAGES[LABELS == 0]).mean(0), atol=1e-5, rtol=0)
    assert moved.isfinite().all() and moved.abs().max() > 0


def test_only_the_images_among_are_read() -> None:
    half, same = fitted(4, None, ALL[:30]), Eigenimages(4, (3, 12, 12), MAPS, 0)
    same.fit(IMAGES[:30].copy(), None, np.arange(30))
    for one, other in zip(half.buffers(), same.buffers(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("size", [7, 9, 12, 28, 33, 64, 80])
def test_images_of_any_size(size: int) -> None:
    images = np.random.default_rng(2).integers(0, 256, (9, 1, size, size), dtype=np.uint8)
    config = GeneratorConfig("resnet", latent_dim=6, base=8, widths=(8, 8, 8), eigenimages=4)
    G = resnet.Generator(config, (1, size, size), 0)
    assert G.drafted is not None
    G.drafted.eigenimages.fit(images, None, np.arange(9))
    mean = torch.from_numpy(images).float().mean(0) / 127.5 - 1
    near = F.adaptive_avg_pool2d(G.drafted(torch.zeros(1, 6), None)[0], 4)
    torch.testing.assert_close(near, F.adaptive_avg_pool2d(mean, 4), atol=0.05, rtol=0)
    assert G(torch.randn(3, 6), None).shape == (3, 1, size, size)


@pytest.mark.parametrize("changes", [{}, {"norm": "virtual"}, {"tanh": False}, {"condition": "norm"}])
def test_an_untrained_generator_makes_nearly_its_drafts(changes: dict[str, object]) -> None:
    config = GeneratorConfig("resnet", latent_dim=6, base=16, widths=(16, 8, 8), eigenimages=4)
    torch.manual_seed(0)
    G = resnet.Generator(dataclasses.replace(config, **changes), (3, 12, 12), 2)  # type: ignore[arg-type]
    assert G.drafted is not None
    G.drafted.eigenimages.fit(IMAGES, LABELS, ALL)
    z, labels = torch.randn(16, 6), torch.arange(16) % 2
    draft = G.drafted(z, labels)
    gap, other = (G(z, labels) - draft).square().mean(), (G(z, labels) - draft.roll(1, 0)).square().mean()
    assert gap < other / 2


@pytest.mark.parametrize("labels", [None, LABELS])
def test_the_codes_of_images_are_those_of_the_nearest_drafts(labels: np.ndarray | None) -> None:
    part = fitted(5, labels)
    classes = None if labels is None else torch.from_numpy(labels)
    x = torch.from_numpy(IMAGES).float() / 127.5 - 1
    code = part.encode(x, classes)
    drafts = part(code, classes)
    shift = torch.randn(60, 5, generator=torch.Generator().manual_seed(0)) * 0.1
    others = part(code + shift, classes)
    assert ((drafts - x).square().sum((1, 2, 3)) < (others - x).square().sum((1, 2, 3))).all()
    torch.testing.assert_close(part.encode(drafts, classes), code, atol=1e-3, rtol=1e-3)
    variances = code.var(0) if labels is None else torch.stack([code[labels == k].var(0) for k in (0, 1)])
    assert ((variances > 0.7) & (variances < 1.3)).all()


@pytest.mark.parametrize("kind", ["one colour", "one pixel", "one image"])
def test_images_without_variety_have_codes_of_ordinary_size(kind: str) -> None:
    images = np.full((20, 3, 12, 12), 7, np.uint8)
    if kind == "one pixel":
        images[:, 0, 3, 3] = np.arange(20) * 12
    part = Eigenimages(64, (3, 12, 12), MAPS, 0)
    part.fit(images, None, np.arange(1 if kind == "one image" else 20))
    code = part.encode(torch.from_numpy(images).float() / 127.5 - 1, None)
    assert code.isfinite().all() and code.abs().max() < 5
    assert part(torch.randn(4, 64), None).isfinite().all()
