"""The activation of every hidden layer."""

from torch import nn


def activation(slope: float, inplace: bool = True) -> nn.Module:
    """LeakyReLU of that negative slope; ReLU for 0."""
    return nn.LeakyReLU(slope, inplace=inplace) if slope else nn.ReLU(inplace=inplace)
