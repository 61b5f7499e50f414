"""From a config to a fresh generator and discriminator: the families by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ganvas.config import Config
from ganvas.models.families import dcgan, lean, r3, resnet
from ganvas.rng import stream_seed

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
