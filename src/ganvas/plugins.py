"""Parts that register themselves: the folders of built-in ones, and a user's own file (`--plugin my_parts.py`)."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def discover(package: ModuleType) -> None:
    """Import every module of a package, in the order of their names, so that what they define is registered."""
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        importlib.import_module(f"{package.__name__}.{module.name}")
