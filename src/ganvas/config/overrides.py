"""Settings by dotted name: replace them, list them, compare two configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganvas.config.plain import flat, to_dict
from ganvas.config.schema import Config
from ganvas.config.serialization import from_dict
from ganvas.errors import GanvasError, UsageError, did_you_mean


def override(config: Config, settings: Mapping[str, Any]) -> Config:
    """The config with fields replaced by dotted name; UsageError for an unknown name or a wrong value."""
    values = to_dict(config)
    for name, value in settings.items():
        if name not in setting_names(config):
            raise UsageError(f"no setting is called {name!r}{did_you_mean(name, setting_names(config))}")
        *sections, key = name.split(".")
        target = values
        for section in sections:
            target = target[section]
        target[key] = _plain(value)
    try:
        changed: Config = from_dict(values)
    except UsageError:
        raise
    except GanvasError as error:
        raise UsageError(str(error)) from error
    return changed


def _plain(value: Any) -> Any:
    """A tuple as a list; a number of NumPy or torch, such as one of a curve, as Python's."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.item() if getattr(value, "ndim", None) == 0 else value


def setting_names(config: Config) -> list[str]:
    """The dotted name of every setting."""
    return list(flat(to_dict(config)))


def diff(old: Config, new: Config) -> dict[str, tuple[Any, Any]]:
    """Dotted name -> (old, new) of every setting that differs; the recipe's own name is left out."""
    before, after = flat(to_dict(old)), flat(to_dict(new))
    return {k: (before[k], after[k]) for k in before if before[k] != after[k] and k != "recipe"}
