"""Penalties on D's gradient by its inputs, exact (through a second backward pass) or from finite differences."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.config import PenaltyConfig
from ganvas.models.critique import Critique
from ganvas.ranks import ALONE, World

D = Callable[[Tensor, Tensor | None], Critique]
Images = Float[Tensor, "n c h w"]
Labels = Int[Tensor, "n"] | None


def penalised(config: PenaltyConfig, n: int) -> int:
    """How many of n images r1, r2 and gp are taken of: `share` of them, at least one; 0 without these penalties."""
    return max(round(config.share * n), 1) if config.r1 or config.r2 or config.gp else 0


def squared_gradient(d: D, images: Images, labels: Labels) -> Float[Tensor, "n"]:
    """|grad_x D(x)|^2 of each image, itself differentiable by D's weights: R1 and R2 are gamma / 2 times its mean.

    Mescheder et al. 2018 (arXiv 1801.04406), eq. 9 and 10; R2 with R1 as in Huang et al. 2024 (arXiv 2501.05441).
    """
    images = images.detach().requires_grad_()
    logits = d(images, labels).logits
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.float().square().sum(dim=(1, 2, 3))


def gradient_penalty(
    d: D, real: Images, fake: Images, labels: Labels, rng: torch.Generator, world: World = ALONE
) -> Float[Tensor, "n"]:
    """(|grad_x D(x)| - 1)^2 at a random point between each real and fake image.

    Gulrajani et al. 2017 (arXiv 1704.00028), eq. 3 without its factor lambda.
    """
    at = torch.rand(len(real) * world.size, 1, 1, 1, generator=rng, device=real.device)[world.own]
    return (squared_gradient(d, torch.lerp(fake.detach(), real, at), labels).add(1e-12).sqrt() - 1).square()


def add_noise(images: Images, sigma: float, rng: torch.Generator, world: World = ALONE) -> Images:
    """The images plus Gaussian noise of standard deviation sigma."""
    shape = (len(images) * world.size, *images.shape[1:])
    noise = torch.randn(shape, generator=rng, device=images.device)[world.own]
    return images.detach() + sigma * noise.contiguous(memory_format=torch.channels_last)


def finite_difference(here: Float[Tensor, "n"], there: Float[Tensor, "n"], sigma: float) -> Float[Tensor, "n"]:
    """((D(x + sigma e) - D(x)) / sigma)^2, e ~ N(0, 1): its mean over e tends to |grad_x D(x)|^2 as sigma -> 0.

    First order only, so any convolution and any dtype will do (Lin et al. 2025, "APT", arXiv 2501.08316, section 3.4).
    """
    return ((there - here) / sigma).square()
