"""From a config to a fresh generator and discriminator."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from ganvas.config import Config
from ganvas.config.validation import enforce
from ganvas.models.layers.dropout import Dropout
from ganvas.models.layers.head import MinibatchDiscrimination, MinibatchStd
from ganvas.models.layers.noise import MapNoise
from ganvas.models.layers.norm import SharedNorm
from ganvas.models.layers.sizes import fit_large
from ganvas.models.registry import family_of
from ganvas.ranks import World
from ganvas.rng import stream_seed


def num_classes(config: Config, class_names: Sequence[str]) -> int:
    """Number of classes that the networks are conditioned on; 0 where labels are not used."""
    return len(class_names) if config.data.labels == "use" else 0


def for_size(config: Config, size: int) -> Config:
    """The config with the channels and blocks that its networks have for images of `size` px, where that is above 64.

    See layers.sizes.fit_large. Up to 64 px the config is returned as it is, and the families fit its networks.
    """
    g, d = config.generator, config.discriminator
    if (fewer := family_of(g).g_fewer) is not None:
        (base, *widths), blocks = fit_large(size, fewer, (g.base, *g.widths), g.blocks)
        g = replace(g, base=base, widths=tuple(widths), blocks=blocks)
    if (fewer := family_of(d).d_fewer) is not None:
        reverse, blocks = fit_large(size, fewer, d.widths[::-1], d.blocks[::-1])
        d = replace(d, widths=reverse[::-1], blocks=blocks[::-1])
    return replace(config, generator=g, discriminator=d)


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
    """Make every layer of the network that draws, dropout and noise, draw from `generator`."""
    for module in network.modules():
        if isinstance(module, Dropout | MapNoise):
            module.generator = generator


def set_world(network: nn.Module, world: World) -> None:
    """Make every layer that looks at the whole batch, or draws for it, look at the batch of all ranks."""
    for module in list(network.modules()):
        if isinstance(module, Dropout | MapNoise | MinibatchStd | MinibatchDiscrimination):
            module.world = world
        for name, child in module.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                setattr(module, name, SharedNorm(child, world))


def count_weights(build: Callable[[], nn.Module]) -> int | float:
    """Number of weights of the network that `build` makes, without memory for them; infinite where it overflows."""
    try:
        with torch.device("meta"):
            return sum(weight.numel() for weight in build().parameters())
    except Exception as error:  # of a family of one's own; a real fault shows when it is built
        return math.inf if isinstance(error, OverflowError) or "overflow" in str(error).lower() else 0
