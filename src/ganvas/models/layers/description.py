"""A layer in a few words, for tables and diagrams."""

from __future__ import annotations

from torch import nn


def describe(module: nn.Module) -> str:
    """The module's own `description` (a str) if it has one; else torch's layers by their settings, or the type."""
    own = getattr(module, "description", None)
    if isinstance(own, str):
        return own
    match module:
        case nn.Conv2d():
            groups = f", {module.groups} groups" if module.groups > 1 else ""
            return f"Conv {module.kernel_size[0]}x{module.kernel_size[1]} s{module.stride[0]}{groups}"
        case nn.ConvTranspose2d():
            return f"ConvT {module.kernel_size[0]}x{module.kernel_size[1]} s{module.stride[0]}"
        case nn.Dropout():
            return f"Dropout {module.p:g}"
        case nn.Linear():
            return "Dense"
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return "BatchNorm"
        case nn.LeakyReLU():
            return f"LeakyReLU {module.negative_slope:g}"
        case nn.Embedding():
            return f"Embedding of {module.num_embeddings} classes"
        case _:
            return type(module).__name__
