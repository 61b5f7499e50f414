"""Families of networks by name: what the rest of the package needs to know of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.config.validation import Rule
from ganvas.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Family:
    """A generator and its discriminator. Both are built from (config, shape [c, h, w] of the images, classes or 0).

    G maps (z [n, latent_dim], labels [n] or None) to images [n, c, h, w]; D maps (images, labels) to a Critique.
    """

    name: str
    generator: Callable[[GeneratorConfig, tuple[int, int, int], int], nn.Module]
    discriminator: Callable[[DiscriminatorConfig, tuple[int, int, int], int], nn.Module]
    g_norms: tuple[str, ...] = ("batch", "none")
    """Values of `generator.norm` that G follows; empty: G has no normalisation, whatever the config says."""
    d_batch_norm: bool = False
    """Whether D follows `discriminator.norms`."""
    d_dropout: bool = False
    """Whether D follows `discriminator.dropout`."""
    global_rng: bool = False
    """Whether layers draw from torch's global generator (nn.Dropout): every update then seeds it, so that resuming
    repeats the draws."""
    odd_kernels: bool = False
    """Whether kernels must have an odd side."""
    g_rules: Callable[[GeneratorConfig], Iterator[Rule]] | None = None
    """Further rules of G's settings: (does it hold, setting, its value, what it must be)."""
    d_rules: Callable[[DiscriminatorConfig], Iterator[Rule]] | None = None
    """Further rules of D's settings."""

    g_fewer: int | None = None
    """By how many G's maps are fewer than those of layers.sizes.map_sizes; None: they follow another rule."""
    d_fewer: int | None = None
    """The same of D's."""

    def check_generator(self, config: GeneratorConfig) -> Iterator[Rule]:
        """The rules of this family for G's settings."""
        norm = config.norm != "virtual" or "virtual" in self.g_norms
        yield norm, "generator.norm", config.norm, f"batch or none: the family {self.name} has no virtual one"
        yield self._kernel_fits(config.kernel), "generator.kernel", config.kernel, "odd and more than 0"
        if self.g_rules is not None:
            yield from self.g_rules(config)

    def check_discriminator(self, config: DiscriminatorConfig) -> Iterator[Rule]:
        """The rules of this family for D's settings."""
        yield self._kernel_fits(config.kernel), "discriminator.kernel", config.kernel, "odd and more than 0"
        fits = not self.d_batch_norm or len(config.norms) == len(config.widths)
        yield fits, "discriminator.norms", config.norms, "as long as discriminator.widths"
        if self.d_rules is not None:
            yield from self.d_rules(config)

    def generator_uses_batch(self, config: GeneratorConfig) -> bool:
        """Whether an image of G depends on the other latents of its batch while training."""
        return config.norm == "batch" and "batch" in self.g_norms

    def discriminator_uses_batch(self, config: DiscriminatorConfig) -> bool:
        """Whether D's logit of an image depends on the other images of its batch."""
        return (self.d_batch_norm and any(config.norms)) or config.minibatch != "none"

    def has_dropout(self, config: DiscriminatorConfig) -> bool:
        """Whether D drops activations while training."""
        return self.d_dropout and config.dropout > 0

    def _kernel_fits(self, kernel: int) -> bool:
        return kernel % 2 == 1 or not self.odd_kernels


FAMILIES: dict[str, Family] = {}


def register_family(family: Family) -> Family:
    """Make networks available as `generator.family` and `discriminator.family` of the config.

    A name that is taken or holds a slash raises ValueError.
    """
    if family.name in FAMILIES or "/" in family.name:
        raise ValueError(f"family name {family.name!r} is taken or holds a slash")
    FAMILIES[family.name] = family
    return family


def family_of(config: GeneratorConfig | DiscriminatorConfig) -> Family:
    """The family that a network's config names; UsageError with the nearest name where there is none."""
    name, network = config.family, "generator" if isinstance(config, GeneratorConfig) else "discriminator"
    if name not in FAMILIES:
        near = did_you_mean(name, FAMILIES) or "; a family of your own needs --plugin FILE"
        raise UsageError(f"{network}.family = {name}: no such family{near}")
    return FAMILIES[name]
