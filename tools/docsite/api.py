"""The Python API as a page, from the signatures and docstrings of the names in ganvas.__all__."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from typing import Any

import ganvas


def markdown() -> str:
    """Classes first, then functions, then the rest; each with what it says of itself."""
    values = {name: getattr(ganvas, name) for name in ganvas.__all__}
    values |= {name: type(value).__call__ for name, value in values.items() if inspect.ismodule(value)}
    classes = [name for name, value in values.items() if inspect.isclass(value)]
    functions = [name for name, value in values.items() if inspect.isroutine(value)]
    others = [name for name in values if name not in {*classes, *functions}]
    parts = [
        "## Functions", *(_function(f"ganvas.{name}", values[name], "###") for name in functions),
        "## Classes", *(_class(name, values[name]) for name in classes),
        "## Values", *(f"### ganvas.{name}\n\nA `{type(values[name]).__name__}`." for name in others),
    ]  # fmt: skip
    return "\n\n".join(parts)


def _function(title: str, function: Any, level: str) -> str:
    called = title.removeprefix("ganvas.")
    return f"{level} {title}\n\n{_code(_signature(called, function))}\n\n{_text(function)}"


def _class(name: str, kind: type) -> str:
    parts = [f"### ganvas.{name}"]
    if not issubclass(kind, Exception):
        parts.append(_code(_signature(name, kind)))
    parts.append(_text(kind))
    parts += [f"- `{field}`: {words}" for field, words in _fields(kind).items()]
    for member, value in _members(kind):
        if isinstance(value, property):
            parts.append(f"#### {name}.{member} (property)\n\n{_text(value)}")
        else:
            parts.append(_function(f"{name}.{member}", inspect.unwrap(getattr(kind, member)), "####"))
    return "\n\n".join(parts)


def _members(kind: type) -> list[tuple[str, Any]]:
    """Public methods and properties with a docstring, its own and those that it has from other classes of ganvas."""
    found: dict[str, Any] = {}
    for owner in reversed(kind.__mro__):
        if owner.__module__.startswith("ganvas"):
            found |= {name: value for name, value in vars(owner).items() if not name.startswith("_")}
    kinds = (property, staticmethod, classmethod)
    return [
        (name, value)
        for name, value in found.items()
        if (inspect.isfunction(value) or isinstance(value, kinds)) and inspect.getdoc(value)
    ]


def _fields(kind: type) -> dict[str, str]:
    """Fields of a dataclass with the text that stands below each in the source."""
    if not dataclasses.is_dataclass(kind):
        return {}
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for node, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[ast.unparse(node.target)] = " ".join(inspect.cleandoc(str(after.value.value)).split())
    return found


def _signature(name: str, value: Any) -> str:
    """`name(a, *, b: int = 0) -> str`, over several lines where one would be too long."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return f"{name}(...)"
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    text = str(signature.replace(parameters=parameters)).replace("'", '"')
    text = re.sub(r'(?<=: )"([^"]*)"|(?<=-> )"([^"]*)"', lambda m: m[1] or m[2], text)
    if len(name + text) <= 88:
        return name + text
    inside, arrow, result = text[1:].rpartition(") -> ") if ") -> " in text else (text[1:-1], "", "")
    return f"{name}(\n    " + ",\n    ".join(_split(inside)) + "\n)" + (f" -> {result}" if arrow else "")


def _split(text: str) -> list[str]:
    """Parameters, parted at the commas that stand in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[({") - (letter in "])}")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _text(value: Any) -> str:
    """A docstring as Markdown; its examples become blocks of code."""
    parts = (inspect.getdoc(value) or "").split("\n\n")
    return "\n\n".join(_code(part) if part.startswith(">>>") else part.replace("<", "&lt;") for part in parts)
