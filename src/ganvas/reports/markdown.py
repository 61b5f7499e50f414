"""A small Markdown as safe HTML: headings, paragraphs, lists, **strong** and `code`; everything else as written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True)
class Part:
    """A heading and the HTML of the text below it, which may be empty."""

    title: str
    body: Markup


def split(text: str) -> list[Part]:
    """Cut notes at their `#` headings; text before the first one has an empty title."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        if match := re.match(r"#{1,6}\s+(.*?)\s*#*\s*$", line):
            found.append((match[1], []))
        else:
            found[-1][1].append(line)
    return [Part(title, body(lines)) for title, lines in found if title or any(line.strip() for line in lines)]


def body(lines: list[str]) -> Markup:
    """Paragraphs and flat lists of the lines, every character of the user's escaped."""
    html: list[Markup] = []
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        for kind, items in _runs(block.splitlines()):
            if kind == "p":
                html.append(Markup("<p>%s</p>") % Markup("<br>").join(map(inline, items)))
            else:
                rows = Markup("").join(Markup("<li>%s</li>") % inline(item) for item in items)
                html.append(Markup(f"<{kind}>%s</{kind}>") % rows)
    return Markup("\n").join(html)


def _runs(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Neighbouring lines of one kind: p, ul or ol. An indented line goes on with the list item before it."""
    runs: list[tuple[str, list[str]]] = []
    for line in lines:
        bullet, number = re.match(r"\s*[-*+]\s+(.*)", line), re.match(r"\s*\d+[.)]\s+(.*)", line)
        kind, content = ("ul", bullet[1]) if bullet else ("ol", number[1]) if number else ("p", line.strip())
        if not content:
            continue
        if kind == "p" and line[:1].isspace() and runs and runs[-1][0] != "p":
            runs[-1][1][-1] += " " + content
        elif runs and runs[-1][0] == kind:
            runs[-1][1].append(content)
        else:
            runs.append((kind, [content]))
    return runs


def inline(text: str) -> Markup:
    """**strong** and `code`; the rest as written."""
    safe = str(escape(text))
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", safe)
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe))
