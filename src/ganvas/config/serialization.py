"""From plain JSON values back to a config."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal

from ganvas.config.schema import Config
from ganvas.config.validation import validate
from ganvas.errors import GanvasError, did_you_mean, shown

MOST = 2**64
"""Bound of whole numbers: a seed may have 64 bits."""
LONGEST = 4096
"""Characters of a text, such as a path."""


def from_dict(values: Any, kind: type = Config, where: str = "config") -> Any:
    """The config of `kind` that `to_dict` gave `values` for. An unknown key or a wrong type raises GanvasError."""
    hints = typing.get_type_hints(kind)
    if not isinstance(values, dict):
        raise GanvasError(f"{where}: expected an object, found {shown(values)}")
    for key in values:
        if key not in hints:
            raise GanvasError(f"{where}.{key[:100]}: no such setting{did_you_mean(key, hints)}")
    made = kind(**{key: _read(value, hints[key], f"{where}.{key}") for key, value in values.items()})
    if isinstance(made, Config):
        validate(made)
    return made


def _read(value: Any, hint: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return from_dict(value, typing.cast(type, hint), where)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_read(item, args[0], where) for item in value)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in args:
            return None
        return _read(value, next(a for a in args if a is not type(None)), where)
    if origin is Literal:
        if value in args:
            return value
        raise GanvasError(f"{where} = {shown(value)}: it must be one of {', '.join(map(str, args))}")
    if hint is float and type(value) is int and abs(value) < MOST:
        return float(value)
    if type(value) is hint and not (hint is int and abs(value) >= MOST) and not (hint is str and len(value) > LONGEST):
        return value
    raise GanvasError(f"{where} = {shown(value)}: expected {getattr(hint, '__name__', hint)}")
