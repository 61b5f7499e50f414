"""Train, prove, compare and show GANs for small images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "GAN", "RECIPES", "Config", "Family", "GanvasError", "Generator", "Loss", "Recipe", "Rule", "Run", "UsageError",
    "animate", "compare", "data", "doctor", "evaluate", "experiment", "export", "from_keras", "load", "quiz", "recipes",
    "register_family", "register_loss", "register_recipe", "register_rule", "report", "resume", "runs", "sample",
    "submit", "train", "tricks", "ui",
]  # fmt: skip

if TYPE_CHECKING:
    from ganvas.config import Config
    from ganvas.config.recipes import RECIPES, Recipe, register_recipe
    from ganvas.diagnostics import Rule, register_rule
    from ganvas.errors import GanvasError, UsageError
    from ganvas.models import Family, register_family
    from ganvas.notebook.commands import (
        doctor,
        evaluate,
        experiment,
        recipes,
        report,
        resume,
        runs,
        sample,
        train,
        tricks,
    )
    from ganvas.notebook.compare import compare
    from ganvas.notebook.data import data
    from ganvas.notebook.exports import animate, export
    from ganvas.notebook.from_keras import from_keras
    from ganvas.notebook.gan import GAN
    from ganvas.notebook.generator import Generator, load
    from ganvas.notebook.run import Run
    from ganvas.notebook.submission import quiz, submit
    from ganvas.training.losses import Loss, register_loss
    from ganvas.ui.command import ui

_HOMES = {  # name -> its module, and its name there; none: the module itself
    "GAN": ("ganvas.notebook.gan", "GAN"),
    "RECIPES": ("ganvas.config.recipes", "RECIPES"),
    "Config": ("ganvas.config", "Config"),
    "Family": ("ganvas.models", "Family"),
    "GanvasError": ("ganvas.errors", "GanvasError"),
    "Generator": ("ganvas.notebook.generator", "Generator"),
    "Loss": ("ganvas.training.losses", "Loss"),
    "Recipe": ("ganvas.config.recipes", "Recipe"),
    "Rule": ("ganvas.diagnostics", "Rule"),
    "Run": ("ganvas.notebook.run", "Run"),
    "UsageError": ("ganvas.errors", "UsageError"),
    "animate": ("ganvas.notebook.exports", "animate"),
    "compare": ("ganvas.notebook.compare", "compare"),
    "data": ("ganvas.notebook.data", "data"),
    "doctor": ("ganvas.notebook.commands", "doctor"),
    "evaluate": ("ganvas.notebook.commands", "evaluate"),
    "experiment": ("ganvas.notebook.commands", "experiment"),
    "export": ("ganvas.notebook.exports", "export"),
    "from_keras": ("ganvas.notebook.from_keras", "from_keras"),
    "load": ("ganvas.notebook.generator", "load"),
    "quiz": ("ganvas.notebook.submission", "quiz"),
    "recipes": ("ganvas.notebook.commands", "recipes"),
    "register_family": ("ganvas.models", "register_family"),
    "register_loss": ("ganvas.training.losses", "register_loss"),
    "register_recipe": ("ganvas.config.recipes", "register_recipe"),
    "register_rule": ("ganvas.diagnostics", "register_rule"),
    "report": ("ganvas.notebook.commands", "report"),
    "resume": ("ganvas.notebook.commands", "resume"),
    "runs": ("ganvas.runs", ""),
    "sample": ("ganvas.notebook.commands", "sample"),
    "submit": ("ganvas.notebook.submission", "submit"),
    "train": ("ganvas.notebook.commands", "train"),
    "tricks": ("ganvas.notebook.commands", "tricks"),
    "ui": ("ganvas.ui", ""),
}


def __getattr__(name: str) -> Any:
    """Public names arrive when they are first asked for, so that `import ganvas` brings no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ganvas' has no attribute {name!r}")
    import importlib

    module, attribute = _HOMES[name]
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found
