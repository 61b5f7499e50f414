"""Families of networks: each file holds a generator and its discriminator side by side."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ganvas.config import Config
from ganvas.models import dcgan
from ganvas.rng import stream_seed
from ganvas.run import Layer

GENERATORS = {"dcgan": dcgan.Generator}
DISCRIMINATORS = {"dcgan": dcgan.Discriminator}


def build_generator(config: Config, shape: tuple[int, int, int]) -> nn.Module:
    """A fresh G for images of `shape` [c, h, w]; its weights are a function of the seed."""
    return _seeded(config, "init/generator", lambda: GENERATORS[config.generator.family](config.generator, shape))


def build_discriminator(config: Config, shape: tuple[int, int, int]) -> nn.Module:
    """A fresh D for images of `shape` [c, h, w]; its weights are a function of the seed."""
    kind = DISCRIMINATORS[config.discriminator.family]
    return _seeded(config, "init/discriminator", lambda: kind(config.discriminator, shape))


def _seeded(config: Config, stream: str, build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed, stream))
        return build()


def set_dropout_generator(network: nn.Module, generator: torch.Generator) -> None:
    """Let every dropout of the network draw from `generator`."""
    for module in network.modules():
        if isinstance(module, dcgan.Dropout):
            module.generator = generator


def count(module: nn.Module) -> int:
    """Parameters as Keras counts them: weights and BatchNorm's running statistics, no step counters."""
    buffers = sum(b.numel() for b in module.buffers() if b.is_floating_point())
    return sum(p.numel() for p in module.parameters()) + buffers


def summary(config: Config, shape: tuple[int, int, int]) -> dict[str, list[Layer]]:
    """Every layer of both networks with its output shape and parameters, read off the networks by running them."""
    generator, discriminator = build_generator(config, shape).eval(), build_discriminator(config, shape).eval()
    with torch.no_grad():
        return {
            "generator": _trace(generator, torch.zeros(1, config.generator.latent_dim)),
            "discriminator": _trace(discriminator, torch.zeros(1, *shape)),
        }


def _trace(network: nn.Module, x: torch.Tensor) -> list[Layer]:
    rows: list[Layer] = []

    def note(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
            rows.append(Layer(name, dcgan.describe(module), tuple(output.shape[1:]), count(module)))

        return hook

    handles = [m.register_forward_hook(note(n)) for n, m in network.named_modules() if not list(m.children())]
    network(x, None)
    for handle in handles:
        handle.remove()
    return rows
