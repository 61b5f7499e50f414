"""A page as one file: templates in which everything is escaped, a policy that lets only our own script run, links."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ganvas.files import MARK
from ganvas.reports import markdown
from ganvas.terminal import CONTROL

TEMPLATES = Path(__file__).parent / "templates"
HEAD = '<meta charset="utf-8">'
PLACE = re.compile(r' style="((?:[a-z-]+: ?-?[\d.]+%?(?:; )?)+)"')
"""A style attribute that places something by numbers. A policy of hashes allows no style attributes."""


@cache
def environment(*folders: Path) -> Environment:
    """Jinja with the files of `folders` and of templates/. Everything is escaped, control characters included; a
    variable without a value is an error."""
    found = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    found.filters["inline"] = markdown.inline
    found.filters["link"] = relative_link
    return found


def page(
    name: str,
    values: Mapping[str, Any],
    styles: Sequence[str] = ("report.css",),
    folders: Sequence[Path] = (),
    scripts: Sequence[str] = ("report.js",),
) -> str:
    """The page of a template of `folders` or templates/, with its style sheets, its scripts as one, and a policy.

    The policy names the hashes of this script and of this style sheet: the browser runs no other script, whatever the
    page holds, loads nothing, and shows pictures that are inside the page alone.
    """
    templates = environment(*folders)
    style, script = ("".join(_source(templates, file) for file in files) for files in (styles, scripts))
    rules: dict[str, int] = {}

    def placed(found: re.Match[str]) -> str:
        return f' data-place="{rules.setdefault(found[1], len(rules))}"'

    body = PLACE.sub(placed, templates.get_template(name).render(values, script=Markup(script)))
    style += "".join(f'[data-place="{i}"]{{{rule}}}\n' for rule, i in rules.items())
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [HEAD, f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f'<meta name="generator" content="{MARK}">', f"<style>{style}</style>"]  # fmt: skip
    before, after = body.split(HEAD, 1)
    return before + "\n".join(head) + after


def relative_link(path: object) -> str:
    """A path relative to the page as a link, percent-encoded so that it can be no other kind; empty for all else."""
    if not isinstance(path, str) or not path or path.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", path):
        return ""
    return quote(path, errors="surrogateescape")


def as_uri(content: bytes, kind: str) -> str:
    """A picture inside a page; `kind`: png, webp."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def plain(value: Any) -> str:
    """A JSON value as a reader would write it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value)) or "–"
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else str(value)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested JSON objects as one level: {"step": {"batch": 64}} -> {"step.batch": "64"}."""
    rows: dict[str, str] = {}
    for key, value in values.items():
        rows |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: plain(value)}
    return rows


def _source(templates: Environment, name: str) -> str:
    assert templates.loader is not None
    return templates.loader.get_source(templates, name)[0]


def _digest(content: str) -> str:
    """The hash of a script or style sheet, as a content policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _visible(value: Any) -> Any:
    """A value of a template; control characters but line ends and tabs, which a page ignores, as escapes."""
    if not isinstance(value, str):
        return value
    text = CONTROL.sub(lambda found: found[0] if found[0] in "\n\t" else f"\\u{ord(found[0]):04x}", value)
    return type(value)(text)
