"""The layers of a network as a table, as Keras's `model.summary()` prints them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ganvas.config import Config
from ganvas.models.families.dcgan import Dropout
from ganvas.models.families.r3 import Basis
from ganvas.models.layers.spectral import Spectral
from ganvas.models.networks import build_discriminator, build_generator
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d
from ganvas.models.ops.folded import DoublingConv2d, HalvingConv2d
from ganvas.runs.run import Layer


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


def count(module: nn.Module) -> int:
    """Parameters as Keras counts them: weights and running statistics, no other buffers."""
    statistics = (b.numel() for name, b in module.named_buffers() if name.endswith(("running_mean", "running_var")))
    return sum(p.numel() for p in module.parameters()) + sum(statistics)


def summary(config: Config, shape: tuple[int, int, int], classes: int = 0) -> dict[str, list[Layer]]:
    """Every layer of both networks with its output shape and parameters, read off the networks by running them."""
    generator, discriminator = build_generator(config, shape, classes), build_discriminator(config, shape, classes)
    labels = torch.zeros(1, dtype=torch.int64) if classes else None
    with torch.no_grad():
        return {
            "generator": _trace(generator.eval(), torch.zeros(1, config.generator.latent_dim), labels),
            "discriminator": _trace(discriminator.eval(), torch.zeros(1, *shape), labels),
        }


def _trace(network: nn.Module, x: torch.Tensor, labels: torch.Tensor | None) -> list[Layer]:
    rows: list[Layer] = []

    def note(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
            rows.append(Layer(name, describe(module), tuple(output.shape[1:]), count(module)))

        return hook

    leaves = [(name, m) for name, m in network.named_modules() if not list(m.children())]
    empty = nn.Identity, nn.Sequential, nn.ModuleList
    handles = [m.register_forward_hook(note(name)) for name, m in leaves if not isinstance(m, empty)]
    network(x, labels)
    for handle in handles:
        handle.remove()
    return rows
