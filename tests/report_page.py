"""A rendered report, read as a visitor reads it."""

from __future__ import annotations

from html.parser import HTMLParser

from ganvas import i18n
from ganvas.reports.facts import gather
from ganvas.reports.page import render
from ganvas.runs.run import Run

VOID = {"meta", "link", "img", "input", "br", "wbr", "path", "rect"}


class Page(HTMLParser):
    """Tags, attributes and visible words of a page; `unclosed` must be empty at its end."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.unclosed: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.unclosed and self.unclosed[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        """The words of the page with single spaces."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def page(run: Run, lang: str = "en") -> Page:
    read = Page(render(gather(run), i18n.load(lang)))
    assert read.unclosed == []
    return read
