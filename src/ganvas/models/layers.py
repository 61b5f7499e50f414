"""What every family uses: activations, and first weights of a given kind."""

from __future__ import annotations

from torch import nn

from ganvas.models.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.norm import ConditionalNorm, VirtualNorm


def activation(slope: float, inplace: bool = True) -> nn.Module:
    """LeakyReLU of that negative slope; ReLU for 0."""
    return nn.LeakyReLU(slope, inplace=inplace) if slope else nn.ReLU(inplace=inplace)


def normal_weights(network: nn.Module) -> None:
    """N(0, 0.02) for convolutions and dense layers (Radford et al. 2016, arXiv 1511.06434, section 4), no biases.

    Scales of normalisations become N(1, 0.02). Embeddings of classes stay as they are.
    """
    for module in network.modules():
        match module:
            case SameConv2d() | SameConvTranspose2d() | nn.Conv2d() | nn.Linear():
                nn.init.normal_(module.weight, 0, 0.02)
            case nn.BatchNorm1d() | nn.BatchNorm2d() | VirtualNorm() if module.weight is not None:
                nn.init.normal_(module.weight, 1, 0.02)
            case ConditionalNorm():
                nn.init.normal_(module.scale.weight, 0, 0.02)
                continue
            case _:
                continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
