"""The activation of every hidden layer."""

from torch import nn


def activation(slope: float, inplace: bool = True) -> nn.Module:
    """LeakyReLU of that negative slope; ReLU for 0. Not in place right after a transposed convolution.

    What that returns may be a view from a custom autograd Function, which must not be changed (conv.patches).
    """
    return nn.LeakyReLU(slope, inplace=inplace) if slope else nn.ReLU(inplace=inplace)
