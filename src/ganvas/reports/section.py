"""What a section of the report is. Each one is a file in sections/, which registers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from ganvas import i18n
from ganvas.i18n import Translator
from ganvas.reports.facts import Facts
from ganvas.reports.html import environment, plain


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading, and everything that only this part needs."""

    name: str
    """Id of the HTML element, and the anchor that links go to."""
    order: int
    """Sections stand on the page from low to high."""
    title: str
    """Key of the heading's sentence; its blanks are filled from the values."""
    values: Callable[[Facts, Translator], dict[str, Any] | None]
    """From a run to the variables of the template; None if the section does not apply to the run."""
    template: str
    """Jinja source of what stands below the heading. It also gets `say`, `facts` and `plain`."""
    sentences: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """language -> key -> sentence."""
    wide: bool = False
    """Whether the section is wider than a column of text."""


SECTIONS: dict[str, Section] = {}


def register(section: Section) -> Section:
    """Add a section, with its sentences, to every report. A name that is taken raises ValueError."""
    if section.name in SECTIONS:
        raise ValueError(f"section {section.name!r} exists already")
    i18n.add_all(section.sentences)
    SECTIONS[section.name] = section
    return section


def in_order() -> list[Section]:
    """All sections, as the page shows them."""
    return sorted(SECTIONS.values(), key=lambda section: section.order)


def render(section: Section, facts: Facts, say: Translator) -> Markup | None:
    """The section as HTML; None if it does not apply to this run."""
    values = section.values(facts, say)
    if values is None:
        return None
    body = environment().from_string(section.template).render(values, say=say, facts=facts, plain=plain)
    wide = Markup(' class="wide"') if section.wide else ""
    return Markup('<section id="{}"{}>\n  <h2>{}</h2>\n{}\n</section>').format(
        section.name, wide, say(section.title, **values), Markup(body.strip("\n"))
    )
