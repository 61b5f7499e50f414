"""The text of a learner's networks and losses, kept in the run, so that what ran can be read and handed in."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from torch import nn

from ganvas.notebook.identity import LIBRARIES

HEAD = "# The networks and losses of this run, as they were defined when it began.\n"
MOST = 200_000
"""Characters that are kept."""


def text_of(parts: Iterable[Any]) -> str:
    """The code of functions, classes and modules, and of what they use from the same place; empty without any.

    What cannot be read, such as code typed at a bare prompt, is left out. What is used stands above its user.
    """
    found: dict[int, str] = {}
    for part in parts:
        for each in _with_used(part, set()):
            try:
                found.setdefault(id(each), textwrap.dedent(_source(each)).rstrip())
            except (OSError, TypeError):
                continue
    return "\n\n\n".join([HEAD.rstrip(), *found.values()])[:MOST] + "\n" if found else ""


def _source(part: Any) -> str:
    """The text of a function or class. Raises OSError or TypeError where there is none."""
    try:
        return inspect.getsource(part)
    except (OSError, TypeError):
        if (text := _of_class(part)) is None:
            raise
        return text


def _of_class(part: Any) -> str | None:
    """The text of a class of a notebook, by the lines of its methods: before Python 3.13 a class knows no place."""
    for method in vars(part).values() if inspect.isclass(part) else ():
        if not inspect.isfunction(method):
            continue
        code = method.__code__
        lines = linecache.getlines(code.co_filename)
        with suppress(SyntaxError):
            for node in ast.walk(ast.parse("".join(lines))):
                if isinstance(node, ast.ClassDef) and node.name == part.__name__:
                    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                    if first <= code.co_firstlineno <= (node.end_lineno or 0):
                        return "".join(lines[first - 1 : node.end_lineno])
    return None


def _with_used(part: Any, seen: set[int]) -> Iterator[Any]:
    """Functions and classes of one piece of code, those that it uses first."""
    if isinstance(part, nn.Module):
        for one in dict.fromkeys(type(module) for module in part.modules()):
            yield from _with_used(one, seen)
        return
    part = inspect.unwrap(getattr(part, "func", part)) if callable(part) else part
    if not inspect.isfunction(part) and not inspect.isclass(part):
        part = type(part) if callable(part) else None
    if part is None or id(part) in seen or str(part.__module__).split(".")[0] in {*LIBRARIES, "builtins"}:
        return
    seen.add(id(part))
    functions = [part] if inspect.isfunction(part) else [f for f in vars(part).values() if inspect.isfunction(f)]
    for function in functions:
        outside = inspect.getclosurevars(function)
        for used in (*outside.globals.values(), *outside.nonlocals.values()):
            if getattr(used, "__module__", None) == part.__module__ and (
                inspect.isfunction(used) or inspect.isclass(used)
            ):
                yield from _with_used(used, seen)
    yield part
