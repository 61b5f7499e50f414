"""Layers in words, for summaries."""

from __future__ import annotations

from torch import nn

from ganvas.models.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.dcgan import Dropout
from ganvas.models.folded import DoublingConv2d, HalvingConv2d
from ganvas.models.r3 import Basis
from ganvas.models.spectral import Spectral


def describe(module: nn.Module) -> str:
    """A layer in a few words."""
    match module:
        case DoublingConv2d():
            return f"Twice the side, Conv {module.weight.shape[-1]}x{module.weight.shape[-1]}"
        case HalvingConv2d():
            return f"Conv {module.weight.shape[-1]}x{module.weight.shape[-1]}, half the side"
        case SameConvTranspose2d():
            return f"ConvT {module.weight.shape[-1]}x{module.weight.shape[-1]} s{module.stride}"
        case SameConv2d():
            return f"Conv {module.weight.shape[-1]}x{module.weight.shape[-1]} s{module.stride}"
        case nn.Conv2d():
            groups = f", {module.groups} groups" if module.groups > 1 else ""
            return f"Conv {module.kernel_size[0]}x{module.kernel_size[1]} s{module.stride[0]}{groups}"
        case nn.Linear():
            return "Dense"
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return "BatchNorm"
        case nn.LeakyReLU():
            return f"LeakyReLU {module.negative_slope:g}"
        case nn.Embedding():
            return f"Embedding of {module.num_embeddings} classes"
        case Dropout():
            return f"Dropout {module.p:g}"
        case Basis():
            return "Learned map"
        case Spectral():
            return f"{describe(module.layer)} / sigma"
        case _:
            return type(module).__name__
