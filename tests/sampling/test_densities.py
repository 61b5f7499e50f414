"""Rejection and refinement where the answer is known: generators of points with an analytic D."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.config import Config, EngineConfig, GeneratorConfig, LossConfig
from ganvas.generator import Generator
from ganvas.models.critique import Critique
from ganvas.sampling import Discriminator
from ganvas.sampling.candidates import accepted, best_of, candidate
from ganvas.sampling.refinement import refine
from ganvas.training.backend import Engine
from ganvas.training.losses import get_loss

N = 2000
SCALE = 8.0
"""Points lie in [-1, 1], as images do: z / SCALE."""


class Points(nn.Module):
    """G: z as an image [n, 1, 1, 2]."""

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        return z.view(len(z), 1, 1, -1) / SCALE


class Known(nn.Module):
    """D: the log of p(x) / q(x) of real points p = N(mean, spread^2) and generated ones q = N(0, 1)."""

    def __init__(self, mean: float, spread: float) -> None:
        super().__init__()
        self.mean, self.spread = mean, spread

    def forward(self, images: Tensor, labels: Tensor | None) -> Critique:
        x = images.flatten(1) * SCALE
        mean = self.mean if labels is None else torch.where(labels == 1, -self.mean, self.mean)[:, None]
        logits = (x.square() / 2 - ((x - mean) / self.spread).square() / 2).sum(1)
        return Critique(logits, x)


def points(latent: str = "normal", mean: float = 1.0, spread: float = 0.5) -> tuple[Generator, Discriminator]:
    config = Config("toy", generator=GeneratorConfig(latent_dim=2, latent=cast(Any, latent)), loss=LossConfig("bce"))
    engine = Engine(EngineConfig("cpu", "float32", "channels_last", "direct"))
    found = Generator(Points(), config, (1, 1, 2), 0, Path("toy"), engine)
    return found, Discriminator(Known(mean, spread), 0)


def moments(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z.mean(0), z.std(0)


@pytest.mark.parametrize("kept", [0.95, 0.7])
def test_refinement_approaches_the_real_density(kept: float) -> None:
    """Real points are N(1, 0.5^2): the chain must reach it from N(0, 1), whatever its step. Margins: 5 errors."""
    found, d = points()
    index = np.arange(N)
    start = candidate(found, 0, 0, index)
    mean, deviation = moments(refine(found, d, start, None, 30, 0, index, kept))
    assert np.abs(mean - 1).max() < 5 * 0.5 / math.sqrt(N)
    assert np.abs(deviation - 0.5).max() < 5 * 0.5 / math.sqrt(2 * N)
    one, _ = moments(refine(found, d, start, None, 1, 0, index, 0.95))
    assert (one > 0.05).all() and (one < 0.5).all()  # on its way


def test_refinement_of_a_flat_d_stays_in_the_prior() -> None:
    found, d = points(mean=0.0, spread=1.0)
    index = np.arange(N)
    z = candidate(found, 0, 0, index)
    moved = refine(found, d, z, None, 10, 0, index)
    assert (moved != z).all()  # every proposal is accepted
    mean, deviation = moments(moved)
    assert np.abs(mean).max() < 5 / math.sqrt(N) and np.abs(deviation - 1).max() < 5 / math.sqrt(2 * N)


def test_refinement_follows_the_class() -> None:
    found, d = points()
    index, labels = np.arange(N), np.arange(N) % 2
    z = refine(found, d, candidate(found, 0, 0, index), labels, 30, 0, index)
    for kind, mean in ((0, 1.0), (1, -1.0)):
        assert np.abs(z[labels == kind].mean(0) - mean).max() < 5 * 0.5 / math.sqrt(N / 2)


def test_latents_on_a_sphere_stay_there_and_follow_d() -> None:
    """On a circle of radius sqrt(2) the density is e^(d): here of a von Mises form, mean direction (1, 1)."""
    found, d = points(latent="sphere", spread=1.0)  # d = x + y - 1
    index = np.arange(N)
    z = refine(found, d, candidate(found, 0, 0, index), None, 30, 0, index)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), math.sqrt(2), rtol=1e-5)
    along = z.sum(1) / 2  # cosine of the angle to (1, 1)
    angle = np.linspace(0, 2 * np.pi, 2001)[:-1]
    weight = np.exp(2 * np.cos(angle))  # d = 2 cos - 1
    mean = (np.cos(angle) * weight).sum() / weight.sum()
    assert abs(along.mean() - mean) < 5 * along.std() / math.sqrt(N)


def test_rejection_without_a_percentile_gives_the_real_density() -> None:
    """Real points N(0.5, 0.7^2) are bounded by 5.6 times the generated ones; BURN_IN falls a little short of that."""
    found, d = points(mean=0.5, spread=0.7)
    z = accepted(found, d, 0, np.arange(N), None, percentile=None)
    mean, deviation = moments(z)
    assert np.abs(mean - 0.5).max() < 0.06 and np.abs(deviation - 0.7).max() < 0.06
    loose, _ = moments(accepted(found, d, 0, np.arange(N), None))
    assert np.abs(loose - 0.5).max() < 0.1


def test_best_of_one_is_the_prior_and_of_more_climbs() -> None:
    found, d = points()
    index = np.arange(500)
    np.testing.assert_array_equal(best_of(found, d, 1, 0, index, None), candidate(found, 0, 0, index))
    means = [best_of(found, d, k, 0, index, None).mean() for k in (1, 2, 4, 8)]
    assert means == sorted(means) and means[-1] > 0.7


@pytest.mark.parametrize("name", ["bce", "relativistic", "least-squares", "hinge", "wasserstein"])
def test_the_best_d_of_a_loss_says_the_ratio_that_it_claims(name: str) -> None:
    """D of a table of five values, trained by the loss on known densities: log_ratio of it is log p / q, but for a
    constant; the losses that claim none do not say it."""
    p, q = torch.tensor([0.1, 0.2, 0.4, 0.2, 0.1]), torch.tensor([0.3, 0.1, 0.2, 0.1, 0.3])
    loss, table, weight = get_loss(name), torch.zeros(5, requires_grad=True), p[:, None] * q[None]
    optimiser = torch.optim.LBFGS([table], max_iter=100, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        optimiser.zero_grad()
        each = loss.d(table.repeat_interleave(5), table.repeat(5), None)
        total = (each * weight.reshape(-1)).sum() + 1e-4 * table.square().sum()
        total.backward()
        return total

    optimiser.step(cost)  # type: ignore[no-untyped-call]
    expected = (p / q).log()
    if loss.log_ratio is None:
        found = table.detach()
        assert not torch.allclose(found - found[1], expected - expected[1], atol=0.2)
    else:
        found = loss.log_ratio(table.detach())
        torch.testing.assert_close(found - found[1], expected - expected[1], atol=0.05, rtol=0)
