"""The template environment of all pages, pictures inside a page, and JSON values as text."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ganvas.report import markdown

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> Environment:
    """Jinja with the files of templates/. Everything is escaped; a variable without a value is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["inline"] = markdown.inline
    return found


def template(name: str) -> Template:
    """A page of templates/."""
    return environment().get_template(name)


def as_uri(content: bytes, kind: str) -> str:
    """A picture inside a page; `kind`: png, webp."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def plain(value: Any) -> str:
    """A JSON value as a reader would write it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value)) or "()"
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else str(value)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested JSON objects as one level: {"step": {"batch": 64}} -> {"step.batch": "64"}."""
    rows: dict[str, str] = {}
    for key, value in values.items():
        rows |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: plain(value)}
    return rows
