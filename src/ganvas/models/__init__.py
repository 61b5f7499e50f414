"""Families of networks: each file holds a generator and its discriminator side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ganvas.config import Config
from ganvas.models import dcgan, lean, r3, resnet
from ganvas.models.describe import describe
from ganvas.rng import stream_seed
from ganvas.run import Layer

FAMILIES = {"dcgan": dcgan, "resnet": resnet, "r3": r3, "lean": lean}


def classes(config: Config, class_names: Sequence[str]) -> int:
    """How many classes the networks are told apart; 0 where labels are not used."""
    return len(class_names) if config.data.labels == "use" else 0


def build_generator(config: Config, shape: tuple[int, int, int], classes: int = 0) -> nn.Module:
    """A fresh G for images of `shape` [c, h, w]; its weights are a function of the seed."""
    family = FAMILIES[config.generator.family]
    return _seeded(config, "init/generator", lambda: family.Generator(config.generator, shape, classes))


def build_discriminator(config: Config, shape: tuple[int, int, int], classes: int = 0) -> nn.Module:
    """A fresh D for images of `shape` [c, h, w]; its weights are a function of the seed."""
    family = FAMILIES[config.discriminator.family]
    return _seeded(config, "init/discriminator", lambda: family.Discriminator(config.discriminator, shape, classes))


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
