"""The named trainings. Each file of this folder registers some; `registry.py` says what a recipe is."""

import sys

from ganvas.config.recipes.registry import RECIPES, Recipe, get, register_recipe
from ganvas.plugins import discover

discover(sys.modules[__name__])

__all__ = ["RECIPES", "Recipe", "get", "register_recipe"]
