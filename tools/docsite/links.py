"""Checks a built site: every link, picture, script and anchor is there, and nothing is loaded from another host."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src")}
"""What a browser asks for without a click."""
HARMLESS = {"alternate", "canonical", "prev", "next"}


class Page(HTMLParser):
    """The places (ids) of a page, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.references: list[tuple[str, bool]] = []
        """(address, whether it is loaded without a click)"""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {values[key] or "" for key in ("id", "name") if key in values}
        for key in ("href", "src"):
            address = values.get(key)
            if address is not None:
                loaded = (tag, key) in LOADED and values.get("rel") not in HARMLESS
                self.references.append((address, loaded))


def faults(site: Path) -> Iterator[str]:
    """One line for each link that leads nowhere and each file of another host."""
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        if path.name == "404.html":  # made for servers, with addresses from the root
            continue
        name = path.relative_to(site)
        for address, loaded in page.references:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if loaded and parts.scheme != "data":
                    yield f"{name}: loads {address}"
                continue
            found = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if not found.is_relative_to(site.resolve()) or not found.is_file():
                yield f"{name}: {address} leads nowhere"
            elif parts.fragment and found.suffix == ".html":
                ids = pages[site / found.relative_to(site.resolve())].ids
                if unquote(parts.fragment) not in ids and not parts.fragment.startswith("__"):
                    yield f"{name}: {address} has no such place"
