"""Penalties against closed forms: for D(x) = <a, x> + b <x, x> / 2 the gradient is a + b x."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganvas.models.critique import Critique
from ganvas.training.penalties import add_noise, finite_difference, gradient_penalty, squared_gradient

SHAPE = (3, 8, 8)


class Quadratic(nn.Module):
    """A D whose gradient is known: the class number is added to `a`."""

    def __init__(self, curvature: float = 0.0) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)) * 0.1)
        self.curvature = curvature

    def gradient(self, x: Tensor, labels: Tensor | None) -> Tensor:
        slope = self.a if labels is None else self.a + labels[:, None, None, None]
        return slope + self.curvature * x

    def forward(self, x: Tensor, labels: Tensor | None) -> Critique:
        slope = self.a if labels is None else self.a + labels[:, None, None, None]
        logits = (slope * x + self.curvature * x.square() / 2).sum((1, 2, 3))
        return Critique(logits, x.flatten(1))


def images(n: int, seed: int = 0) -> Tensor:
    return torch.rand((n, *SHAPE), generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("labels", [None, torch.tensor([0, 1, 2, 1])])
def test_the_exact_penalty_is_the_squared_gradient(labels: Tensor | None) -> None:
    d, x = Quadratic(0.3), images(4)
    expected = d.gradient(x, labels).square().sum((1, 2, 3))
    torch.testing.assert_close(squared_gradient(d, x, labels), expected)


def test_the_exact_penalty_reaches_ds_weights_and_not_what_made_the_images() -> None:
    d, x = Quadratic(), images(4).requires_grad_()
    penalty = squared_gradient(d, x, None).mean()
    (on_a,) = torch.autograd.grad(penalty, d.a, retain_graph=True)
    torch.testing.assert_close(on_a, 2 * d.a.detach())  # of |a|^2
    with pytest.raises(RuntimeError):
        torch.autograd.grad(penalty, x)


@pytest.mark.parametrize("sigma", [0.01, 0.1])
def test_the_finite_difference_tends_to_the_exact_one(sigma: float) -> None:
    d, rng = Quadratic(0.05), torch.Generator().manual_seed(3)
    x = images(1).expand(4000, *SHAPE)
    here, there = d(x, None).logits, d(add_noise(x, sigma, rng), None).logits
    found = finite_difference(here, there, sigma)
    exact = squared_gradient(d, x[:1], None).item()
    error = found.std().item() / len(x) ** 0.5
    # beyond first order: E (b sigma |e|^2 / 2)^2 = (b sigma / 2)^2 (d^2 + 2 d), d pixels
    pixels = x[0].numel()
    bias = (0.05 * sigma / 2) ** 2 * (pixels**2 + 2 * pixels)
    assert abs(found.mean().item() - exact - bias) < 4 * error


def test_the_finite_difference_has_the_exact_ones_gradient_on_average() -> None:
    d, rng = Quadratic(), torch.Generator().manual_seed(4)
    x = images(1).expand(6000, *SHAPE)
    found = finite_difference(d(x, None).logits, d(add_noise(x, 0.05, rng), None).logits, 0.05).mean()
    (on_a,) = torch.autograd.grad(found, d.a)
    cosine = torch.nn.functional.cosine_similarity(on_a.flatten(), d.a.detach().flatten(), dim=0).item()
    assert cosine > 0.95
    assert on_a.norm().item() == pytest.approx(2 * d.a.norm().item(), rel=0.1)


def test_the_gradient_penalty_is_zero_where_the_slope_is_one() -> None:
    d, rng = Quadratic(), torch.Generator().manual_seed(0)
    for length in (0.5, 1.0, 3.0):
        d.a.data.mul_(length / d.a.data.norm())
        found = gradient_penalty(d, images(4), images(4, 1), None, rng)
        torch.testing.assert_close(found, torch.full((4,), (length - 1) ** 2), atol=1e-6, rtol=1e-4)


def test_the_gradient_penalty_looks_between_the_images() -> None:
    seen = []

    def d(x: Tensor, labels: Tensor | None) -> Critique:
        seen.append(x.detach())
        return Quadratic()(x, labels)

    real, fake = images(16), images(16, 1)
    gradient_penalty(d, real, fake, None, torch.Generator().manual_seed(0))
    at = ((seen[0] - fake) / (real - fake)).flatten(1)
    torch.testing.assert_close(at, at[:, :1].expand_as(at), atol=1e-3, rtol=1e-3)
    assert at.min() > -1e-3 and at.max() < 1.001 and at[:, 0].std() > 0.1


def test_noise_has_standard_deviation_sigma_and_cuts_the_graph() -> None:
    x = images(64).requires_grad_()
    moved = add_noise(x, 0.2, torch.Generator().manual_seed(0))
    assert not moved.requires_grad
    assert (moved - x).std().item() == pytest.approx(0.2, rel=0.02)
