"""Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957): weights divided by their largest singular value."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from ganvas.models.layers.description import describe
from ganvas.models.ops.conv import SameConv2d

WARM_UP = 15
"""Power iterations before the first use, so that the first logits already come from normalised weights."""


class SpectralNorm(nn.Module):
    """A layer whose weight W [out, ...] is divided by sigma = u^T W v, an estimate of its largest singular value.

    Algorithm 1 of the paper: each forward pass in training mode makes one power iteration, v <- W^T u / |W^T u|,
    u <- W v / |W v|; none in eval mode. The gradient flows through sigma with u and v held constant.
    W is read as a matrix [out, everything else], its columns in the order in which channels_last keeps them.
    """

    u: Tensor
    v: Tensor
    gain: float = 1.0
    """Factor on the normalised weight: its largest singular value."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        matrix = self._matrix().detach()
        self.register_buffer("u", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(matrix.shape[1]), dim=0))
        for _ in range(WARM_UP):
            self._sigma(matrix)

    @property
    def description(self) -> str:
        return f"{describe(self.layer)} / sigma" + (f" x {self.gain:g}" if self.gain != 1 else "")

    def _matrix(self) -> Tensor:
        weight = self.layer.weight
        assert isinstance(weight, Tensor)
        return weight.movedim(1, -1).flatten(1)

    def _sigma(self, matrix: Tensor) -> Tensor:
        if not self.training:
            return self.u.clone() @ (matrix @ self.v.clone())
        v = F.normalize(self.u @ matrix.detach(), dim=0)
        product = matrix @ v
        u = F.normalize(product.detach(), dim=0)
        with torch.no_grad():  # in place: backward needs the new tensors u and v, not the buffers
            self.u.copy_(u)
            self.v.copy_(v)
        return u @ product

    def forward(self, *inputs: Tensor) -> Tensor:
        weight = self.layer.weight
        assert isinstance(weight, Tensor)
        with torch.autocast(weight.device.type, enabled=False):
            normalised = weight / (self._sigma(self._matrix()) / self.gain)
        return functional_call(self.layer, {"weight": normalised}, inputs, tie_weights=False)  # type: ignore[no-any-return]


def add_spectral_norm(network: nn.Module) -> None:
    """Wrap every convolution, dense layer and embedding of a complete network in `SpectralNorm`."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, SameConv2d | nn.Conv2d | nn.Linear | nn.Embedding):
                setattr(parent, name, SpectralNorm(child))
