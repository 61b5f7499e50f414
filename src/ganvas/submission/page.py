"""submission.html: the checklist, before and after, then the report of the run that is handed in, and the words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from ganvas import media
from ganvas.comparison import page as comparison_page
from ganvas.comparison.tables import method, preface, tables, verdict_sentences
from ganvas.i18n import Translator
from ganvas.media import enlarge
from ganvas.reports import html, markdown, retrospective, section
from ganvas.reports.page import figures
from ganvas.submission import checklist, words
from ganvas.submission.material import Material, Shown

__all__ = ["render", "words"]

TEMPLATES = Path(__file__).parent / "templates"
OWN = ("rubric", "points", "notes")
"""Sections of a report in whose place the hand-in has its own."""


def render(material: Material, say: Translator) -> str:
    """The page."""
    facts = material.main.facts
    bodies = [section.render(part, facts, say) for part in section.in_order() if part.name not in OWN]
    values: dict[str, Any] = {
        "say": say,
        "facts": facts,
        "plain": html.plain,
        "material": material,
        "title": title(material, say),
        "figures": figures(facts, say),
        "items": checklist.items(material, say),
        "questions": checklist.questions(material, say),
        "comparison": _comparison(material, say),
        "sections": [body for body in bodies if body is not None],
        "retrospective": notes(material, say),
        "code": material.code,
    }
    folders = (TEMPLATES, comparison_page.TEMPLATES)
    return html.page("submission.html", values, ("report.css", "compare.css", "submission.css"), folders)


def title(material: Material, say: Translator) -> str:
    """The heading, with the author's name where it was given."""
    return say("submit.title", name=material.name) if material.name else say("submit.title.nameless")


def _comparison(material: Material, say: Translator) -> dict[str, Any] | None:
    """Tables and last samples of the groups; None without a comparison."""
    found = material.comparison
    if found is None:
        return None
    return {
        "sentences": verdict_sentences(found, say),
        "preface": preface(found, say),
        "method": method(found, say),
        "tables": tables(found, say),
        "bars": comparison_page.bars(found, say),
        "last": [{"name": shown.group, "src": src} for shown in material.shown if (src := _last(shown))],
    }


def _last(shown: Shown) -> str:
    """The last grid of a run inside the page; empty without one."""
    grids = shown.facts.grids
    if not grids:
        return ""
    return html.as_uri(media.encode(enlarge(grids[-1][1], shown.facts.shape[1], 32)), "png")


def notes(material: Material, say: Translator) -> list[tuple[str, list[tuple[str, Markup]]]]:
    """Heading and [(run, text)] of keep, problem and try, then of what else the notes hold.

    A section that no run has says what to write there, and where.
    """
    found: list[tuple[str, list[tuple[str, Markup]]]] = []
    written = [(shown.folder, retrospective.written(shown.facts.notes)) for shown in material.shown]
    for name in retrospective.SECTIONS:
        texts = [(folder, part.body) for folder, parts in written for part in parts[name]]
        if not texts:
            hint = say(f"submit.empty.{name}", run=material.main.folder) + " " + say("submit.empty.how")
            texts = [("", Markup('<p class="empty">%s</p>') % markdown.inline(hint))]
        found.append((say(f"notes.{name}"), texts))
    for shown in material.shown:
        found += [
            (part.title, [(shown.folder, part.body)])
            for kind, part in retrospective.parts(shown.facts.notes)
            if kind is None and part.body.strip()
        ]
    return found
