"""Dropout that can be repeated."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganvas.ranks import ALONE, World


class Dropout(nn.Module):
    """Inverted dropout that draws from `generator`, so that a resumed run drops the same activations.

    Sixteen random bits decide each element: p is met to 2**-16 (p = 0.3 becomes 0.29999). Each rank draws for the whole
    batch and uses the part of its own rows.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.cut = round(p * 2**16)
        self.p = p
        self.generator: torch.Generator | None = None
        self.world: World = ALONE

    @property
    def description(self) -> str:
        return f"Dropout {self.p:g}"

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.cut == 0:
            return x
        n, count = x.shape[0] * self.world.size, x.numel() * self.world.size
        shape = [n, *x.shape[2:], x.shape[1]]  # channels last, as the map lies in memory
        draws = torch.empty(-(-count // 4), dtype=torch.int64, device=x.device)
        bits = draws.random_(-(2**63), None, generator=self.generator).view(torch.int16)[:count].view(shape)
        keep = (bits[self.world.own] >= self.cut - 2**15).movedim(-1, 1)
        return x * keep.to(x.dtype).mul_(2**16 / (2**16 - self.cut))
