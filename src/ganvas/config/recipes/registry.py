"""What a recipe is, and where recipes are registered."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.config import Config
from ganvas.errors import UsageError, command, did_you_mean, kind


@dataclass(frozen=True)
class Recipe:
    """A config under a name, with its source and its results."""

    config: Config
    """Its field `recipe` is the name."""
    title: str
    source: str
    year: int
    reported: str
    """The result that the source reports, and its cost; "-" if there is none."""
    measured: str = ""
    """The result that we measured, with its cost and hardware."""
    korean: str = ""
    """The title in Korean; empty = the English one."""


RECIPES: dict[str, Recipe] = {}


def register_recipe(recipe: Recipe) -> Recipe:
    """Make a recipe available under its config's name. A name that is taken or contains a slash raises ValueError."""
    name = recipe.config.recipe
    if name in RECIPES or "/" in name:
        raise ValueError(f"recipe name {name!r} is taken or contains a slash")
    RECIPES[name] = recipe
    return recipe


def get(name: str) -> Recipe:
    """The recipe called `name`; UsageError with the nearest name otherwise."""
    if not isinstance(name, str):
        raise UsageError(f"a recipe is named by a text such as 'quick', not {kind(name)}")
    if name not in RECIPES:
        raise UsageError(f"unknown recipe {name!r}{did_you_mean(name, RECIPES)} ({command('recipes')} lists them)")
    return RECIPES[name]
