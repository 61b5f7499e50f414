"""From a config to a fresh generator and discriminator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from ganvas.config import Config
from ganvas.config.validation import enforce
from ganvas.models.layers.dropout import Dropout
from ganvas.models.registry import family_of
from ganvas.rng import stream_seed


def num_classes(config: Config, class_names: Sequence[str]) -> int:
    """Number of classes that the networks are conditioned on; 0 where labels are not used."""
    return len(class_names) if config.data.labels == "use" else 0


def build_generator(config: Config, shape: tuple[int, int, int], classes: int = 0) -> nn.Module:
    """A fresh G for images of `shape` [c, h, w]; its weights are a function of the seed.

    Raises UsageError for an unknown family and for settings that the family does not have.
    """
    family = family_of(config.generator)
    enforce(family.check_generator(config.generator))
    return _seeded(config, "init/generator", lambda: family.generator(config.generator, shape, classes))


def build_discriminator(config: Config, shape: tuple[int, int, int], classes: int = 0) -> nn.Module:
    """A fresh D for images of `shape` [c, h, w]; its weights are a function of the seed.

    Raises UsageError for an unknown family and for settings that the family does not have.
    """
    family = family_of(config.discriminator)
    enforce(family.check_discriminator(config.discriminator))
    return _seeded(config, "init/discriminator", lambda: family.discriminator(config.discriminator, shape, classes))


def _seeded(config: Config, stream: str, build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed, stream))
        return build()


def set_dropout_generator(network: nn.Module, generator: torch.Generator) -> None:
    """Make every `Dropout` of the network draw from `generator`."""
    for module in network.modules():
        if isinstance(module, Dropout):
            module.generator = generator
