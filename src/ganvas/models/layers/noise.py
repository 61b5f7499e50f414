"""Noise for the maps of a generator, drawn so that it can be repeated."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.ranks import ALONE, World


class MapNoise(nn.Module):
    """x plus a learned multiple of N(0, 1) noise, the same for all channels (Karras et al. 2019, arXiv 1812.04948).

    While training, every image has noise of its own, drawn from `generator` for the whole batch; each rank uses that of
    its rows. Otherwise all images share one map, which is drawn when the network is built and saved with it.
    """

    fixed: Tensor
    description = "Noise"

    def __init__(self, size: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(1))
        self.register_buffer("fixed", torch.randn(size, size))
        self.generator: torch.Generator | None = None
        self.world: World = ALONE

    def forward(self, x: Float[Tensor, "n c h h"]) -> Float[Tensor, "n c h h"]:
        noise = self.fixed
        if self.training:
            shape = (len(x) * self.world.size, 1, *self.fixed.shape)
            noise = torch.randn(shape, generator=self.generator, device=x.device, dtype=self.fixed.dtype)
            noise = noise[self.world.own]
        return x + (self.strength * noise).to(x.dtype)
