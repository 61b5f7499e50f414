"""Initial weights: of one layer, or of a whole network."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ganvas.models.layers.norm import ConditionalNorm, VirtualNorm
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d


def fan_in_normal(layer: nn.Module, gain: float = 1.0) -> nn.Module:
    """The layer with weights from N(0, gain^2 / fan_in) and zero biases; fan_in = the number of inputs of one output.

    He et al. 2015 (arXiv 1502.01852): a gain of sqrt(2 / (1 + slope^2)) keeps the signal's variance through leaky ReLU.
    """
    weight = layer.weight
    assert isinstance(weight, Tensor)
    fan_in: float = weight[0].numel()
    if isinstance(layer, SameConvTranspose2d):  # [in, out, k, k]; an output meets every stride-th pixel of the kernel
        fan_in = weight[:, 0].numel() / layer.stride**2
    nn.init.normal_(weight, std=gain / math.sqrt(fan_in))
    if isinstance(layer.bias, Tensor):
        nn.init.zeros_(layer.bias)
    return layer


def glorot_uniform(layer: nn.Module) -> nn.Module:
    """The dense layer with glorot-uniform weights and zero biases (Glorot & Bengio 2010), as in Keras."""
    assert isinstance(layer.weight, Tensor) and isinstance(layer.bias, Tensor)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def normal_weights(network: nn.Module) -> None:
    """N(0, 0.02) for convolutions and dense layers (Radford et al. 2016, arXiv 1511.06434, section 4); zero biases.

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
