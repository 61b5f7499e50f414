"""Run all checks of a data set or of the installation."""

from __future__ import annotations

from typing import Any

from ganvas.config import DataConfig, recipes
from ganvas.datasets import ImageSet, as_images, load
from ganvas.diagnostics.checks.check import Check, Result, checks_in_order
from ganvas.diagnostics.checks.data.dataset import DataSet
from ganvas.diagnostics.checks.environment.system import Installation, import_torch, last_line


def check_data(data: Any, recipe: str = "quick", name: str = "") -> list[Result]:
    """Check a known data set, a path, a DataConfig, or images given in Python (`as_images`), for a recipe.

    `name`: what images that were read already are called.

    Raises UsageError for an unknown recipe, and like `ganvas.datasets.load`.
    """
    config = recipes.get(recipe).config
    if isinstance(data, str):
        data = DataConfig(data)
    images = data if isinstance(data, ImageSet) else load(data) if isinstance(data, DataConfig) else as_images(data)
    name = name or (data.name if isinstance(data, DataConfig) else images.name)
    dataset = DataSet(name, images, config)
    return [result for check in checks_in_order("data") for result in check.examine(dataset)]


def check_environment() -> list[Result]:
    """Check this installation and machine. No check raises: one that fails says so."""
    installation = import_torch()
    return [result for check in checks_in_order("env") for result in _examine(check, installation)]


def _examine(check: Check, installation: Installation) -> list[Result]:
    try:
        return list(check.examine(installation))
    except Exception as error:  # unusual machines raise unexpected errors
        return [Result("unexpected", "advice", {"what": check.name, "why": last_line(error)})]
