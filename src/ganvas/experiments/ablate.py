"""Ablations: a recipe, and the recipe without each of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ganvas.config import Config, diff, recipes
from ganvas.errors import UsageError

Settings = Mapping[str, Any]

PARTS: dict[str, Settings | Callable[[Config], Settings]] = {
    "classes": {
        "data.labels": "ignore", "generator.condition": "concat", "discriminator.classify": 0.0, "loss.g_classify": 0.0,
    },
    "the class in G's norms": {"generator.condition": "concat"},
    "D's classification loss": {"discriminator.classify": 0.0, "loss.g_classify": 0.0},
    "eigenimages": lambda c: {"generator.eigenimages": 0, "loss.rebuild": 0.0} if c.generator.eigenimages else {},
    "rebuilt thumbnails": {"loss.rebuild": 0.0},
    "skip outputs": {"generator.skip": False},
    "batch norm in G": {"generator.norm": "none", "generator.condition": "concat"},
    "its loss": {"loss.name": "bce"},
    "R1 + R2": {"penalty.r1": 0.0, "penalty.r2": 0.0, "penalty.adapt": 0.0},
    "gradient penalty": {"penalty.gp": 0.0},
    "spectral norm": {"discriminator.spectral": False},
    "two learning rates": lambda c: {"d_optim.lr": c.g_optim.lr},
    "zero momentum": lambda c: (
        {"g_optim.beta1": 0.5, "d_optim.beta1": 0.5} if c.g_optim.beta1 == c.d_optim.beta1 == 0 else {}
    ),
    "decay": {"g_optim.decay": "constant", "d_optim.decay": "constant"},
    "moving average": {"step.ema_kimg": 0.0},
    "augmentation": {"augment.p": 0.0, "augment.adapt": 0.0, "data.held_out": 0.0},
    "mirrored images": {"data.flip": False},
    "several D steps": {"step.d_steps": 1},
}  # fmt: skip
"""Part -> the settings that remove it, or a function from the config to them."""


def ablation(recipe: str) -> dict[str, Any]:
    """The values of a plan (see plan.make_plan): the recipe, and the recipe without each part that it has."""
    from ganvas.training.setup import configure

    config = recipes.get(recipe).config
    cells: list[dict[str, Any]] = [{"name": recipe, "recipe": recipe}]
    for part, without in PARTS.items():
        settings = dict(without(config) if callable(without) else without)
        try:
            changed = diff(config, configure(recipe, overrides=settings))
        except UsageError:
            continue  # the recipe does not work without it
        if changed:
            cells.append({"name": f"without {part}", "recipe": recipe, "settings": settings})
    return {"title": f"{recipe}, without one part at a time", "cells": cells}
