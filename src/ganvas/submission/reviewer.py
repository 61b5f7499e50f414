"""reviewer.md: the empty checklist for a reviewer, in the form of the course's peer review template."""

from __future__ import annotations

from ganvas.comparison.formats import as_markdown
from ganvas.i18n import Translator
from ganvas.reports.sections.rubric import RUBRIC
from ganvas.submission import words
from ganvas.submission.material import Material

__all__ = ["render", "words"]


def render(material: Material, say: Translator) -> str:
    """Markdown with a box for each rubric item and each question, and room for reason and evidence."""
    room = [f"    - {say('review.why')}:", f"    - {say('review.evidence')}:"]
    folder = f"runs/{as_markdown(material.main.folder)}"
    files = {"samples": f"{folder}/samples.png", "gif": "progress.gif", "curves": "curves.png"}
    lines = [
        f"# {say('review.title')}",
        "",
        f"- {say('review.coder')}: {as_markdown(material.name)}",
        f"- {say('review.reviewer')}:",
        f"- {say('review.date')}:",
        "",
        say("review.how"),
        "",
        f"## {say('review.rubric')}",
        "",
    ]
    for number, (english, korean) in enumerate(RUBRIC, 1):
        first, second = (korean, english) if say.lang == "ko" else (english, korean)
        look = say(f"review.look.{number}", **files)
        lines += [f"- [ ] **{number}. {first}**", f"    - {second}", f"    - {look}", *room, ""]
    lines += [f"## {say('review.questions')}", ""]
    for number in range(1, 6):
        lines += [f"- [ ] **{number}. {say(f'point.{number}')}**", f"    - {say(f'review.ask.{number}')}", *room, ""]
    return "\n".join([*lines, f"## {say('review.thanks')}", "", "-", ""])
