"""What tells one piece of a learner's code from another: its text, and the plain values that it uses."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

from torch import nn

LIBRARIES = ("torch", "keras", "ganvas")
"""Networks of these are told apart by their layers."""
EVERY = frozenset(vars(nn.Module()))
"""Attributes that every network has."""


def of_function(function: Callable[..., Any] | None, seen: set[int] | None = None) -> str:
    """The text of a function, the numbers and texts that it takes from around it, and the functions that it calls."""
    seen = set() if seen is None else seen
    if function is None or id(function) in seen:
        return ""
    seen.add(id(function))
    if isinstance(function, functools.partial):
        return of_function(function.func, seen) + repr(function.args) + repr(function.keywords)
    plain = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(plain, FunctionType):
        call = vars(type(plain)).get("__call__")
        own = of_function(call, seen) if isinstance(call, FunctionType) else repr(plain)
        return own + _values(getattr(plain, "__dict__", {}), seen)
    outside = inspect.getclosurevars(plain)
    defaults = {"": plain.__defaults__, **(plain.__kwdefaults__ or {})}
    used = {**outside.globals, **outside.nonlocals}
    return _text(plain) + _values(used, seen, plain.__module__) + _values(defaults, seen)


def of_network(network: nn.Module) -> str:
    """What layers and sizes do not tell of a network: how its own modules use them."""
    own = [m for m in network.modules() if str(type(m).__module__).split(".")[0] not in LIBRARIES]
    values = ({name: v for name, v in vars(m).items() if name not in EVERY} for m in own)
    return "".join(of_function(type(m).forward) + _values(named, set()) for m, named in zip(own, values, strict=True))


def _text(function: FunctionType) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return _compiled(function.__code__)


def _compiled(code: CodeType) -> str:
    constants = [_compiled(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return code.co_code.hex() + repr((code.co_names, constants))


def _values(named: Mapping[str, Any], seen: set[int], module: str = "") -> str:
    """Names and values, of those that are plain or functions of the same module."""
    found = []
    for name, value in sorted(named.items()):
        if isinstance(value, FunctionType) and value.__module__ == module:
            found.append((name, of_function(value, seen)))
        elif _is_plain(value):
            found.append((name, repr(value)))
    return repr(found) if found else ""


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)
