"""Whether a network lets a gradient penalty be differentiated, for the tests of every family."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn


def check_gradient_penalty(D: nn.Module, images: Tensor, labels: Tensor | None, weight: Tensor) -> None:
    """The gradient by `weight` of |grad_x D(x)|^2 is its slope along a random direction. D and images in float64."""
    images = images.requires_grad_()

    def penalty() -> Tensor:
        (gradient,) = torch.autograd.grad(D(images, labels).logits.sum(), images, create_graph=True)
        return gradient.square().sum()

    (gradient,) = torch.autograd.grad(penalty(), weight)
    step, along = 1e-6, torch.randn_like(weight)
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight.add_(sign * step * along)
        values.append(penalty().item())
        with torch.no_grad():
            weight.sub_(sign * step * along)
    assert (gradient * along).sum().item() == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-3)
