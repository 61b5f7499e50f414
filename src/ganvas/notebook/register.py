"""A learner's own networks and losses as parts of ganvas: a family and a recipe, a loss, registered under a name.

The name is a hash of what the part is, so that the same cell, run again, gives the same name, and a run finds its
networks again as long as they are defined.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect as python
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganvas.config import Config
from ganvas.config.recipes import RECIPES, Recipe, get
from ganvas.errors import UsageError
from ganvas.models.registry import FAMILIES, Family
from ganvas.notebook.check import Interface
from ganvas.notebook.fresh import FreshNetwork
from ganvas.notebook.identity import of_function
from ganvas.runs.run import OWN
from ganvas.training.losses import LOSSES, get_loss


def own_recipe(G: FreshNetwork, D: FreshNetwork, interface: Interface, base: str, given_weights: bool) -> Config:
    """Register both networks as a family and a recipe; returns the recipe's config.

    base: the recipe that gives losses, optimisers and batch. given_weights: start from the weights of the modules that
    were given (no factory), whatever the seed.
    """
    name = OWN + _digest(base, G.text, D.text, repr(interface))

    def seed() -> int | None:
        return None if given_weights else torch.initial_seed() % 2**63  # the seed of the moment: models.networks

    FAMILIES[name] = Family(
        name,
        generator=lambda config, shape, classes: interface.generator(G.make(seed())),
        discriminator=lambda config, shape, classes: interface.discriminator(D.make(seed())),
        global_rng=True,
    )
    config = get(base).config
    config = dataclasses.replace(
        config,
        recipe=name,
        generator=dataclasses.replace(config.generator, family=name, latent_dim=interface.latent_dim),
        discriminator=dataclasses.replace(config.discriminator, family=name),
        data=dataclasses.replace(config.data, labels="use" if any(interface.conditional) else "ignore"),
    )
    if interface.float32:
        config = dataclasses.replace(config, engine=dataclasses.replace(config.engine, dtype="float32", conv="direct"))
    RECIPES[name] = Recipe(
        config, f"your own networks: {G.name} and {D.name}", f"trained as {base}", get(base).year, "-"
    )
    return config


def own_loss(base: str, d_loss: Callable[..., Any] | None, g_loss: Callable[..., Any] | None) -> str:
    """Register a loss of a learner's own functions; returns its name. What is not given is the recipe's.

    d_loss(real, fake) and g_loss(fake), or g_loss(real, fake), get logits [n]; each returns its mean or [n].
    """
    known = get_loss(base)
    d = known.d if d_loss is None else _with_targets(d_loss)
    g = known.g if g_loss is None else _of_pairs(g_loss)
    name = OWN + _digest(base, of_function(d_loss), of_function(g_loss))
    changes: dict[str, Any] = {"name": name, "d": d, "g": g, "formula": ("", ""), "reading": {}}
    if d_loss is not None:
        changes |= {"has_targets": False, "rises_with_fake": False, "rising_d": None}
    if g_loss is not None:
        changes |= {"compares": _arguments(g_loss) > 1}
    LOSSES[name] = dataclasses.replace(known, **changes)
    return name


def _with_targets(d_loss: Callable[..., Any]) -> Callable[[Tensor, Tensor, Any], Tensor]:
    return lambda real, fake, targets: _each(d_loss(real, fake), real, "d_loss")


def _of_pairs(g_loss: Callable[..., Any]) -> Callable[[Tensor, Tensor], Tensor]:
    if _arguments(g_loss) > 1:
        return lambda real, fake: _each(g_loss(real, fake), fake, "g_loss")
    return lambda real, fake: _each(g_loss(fake), fake, "g_loss")


def _each(loss: Any, logits: Tensor, name: str) -> Tensor:
    """A loss for each image: a mean counts for all of them."""
    if not isinstance(loss, Tensor):
        raise UsageError(
            f"{name} returns a {type(loss).__name__}: return a tensor, the mean loss or one for each image"
        )
    if loss.numel() == 1:
        return loss.reshape(()).expand(len(logits))
    if loss.numel() != len(logits):
        raise UsageError(f"{name} returns {list(loss.shape)} for {len(logits)} images: return its mean, or [n]")
    return loss.reshape(len(logits))


def _arguments(function: Callable[..., Any]) -> int:
    try:
        parameters = python.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]
