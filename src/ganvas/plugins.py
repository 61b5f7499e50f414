"""Parts that register themselves: the folders of built-in ones, and a user's own file (`--plugin my_parts.py`)."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

from ganvas.errors import GanvasError, UsageError
from ganvas.terminal import show

VARIABLE = "GANVAS_PLUGINS"
"""Environment variable with the plugins of this process, so that the trainings it starts load them as well."""


def discover(package: ModuleType) -> None:
    """Import every module of a package, in the order of their names, so that what they define is registered."""
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        importlib.import_module(f"{package.__name__}.{module.name}")


def load(path: str) -> None:
    """Run a user's Python file, once, so that the losses, recipes, families... that it registers can be named.

    Raises UsageError where there is no such file, GanvasError where it fails.
    """
    file = Path(path).resolve()
    name = f"ganvas_plugin_{file.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(file):
        return
    if not file.is_file():
        raise UsageError(f"plugin {path} does not exist: name a Python file of yours")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"plugin {path} is no Python file: its name must end in .py")
    show(f"running the code of plugin {path}", file=sys.stderr)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise GanvasError(f"plugin {path} failed: {type(error).__name__}: {error}") from error
