"""Keep, problem, try: the sections of notes.md, by the names that learners give them in English and Korean."""

from __future__ import annotations

import re
from typing import Literal

from ganvas.reports import markdown
from ganvas.reports.markdown import Part

Section = Literal["keep", "problem", "try"]
SECTIONS: tuple[Section, ...] = ("keep", "problem", "try")
NAMES: dict[Section, tuple[str, ...]] = {
    "keep": (
        "keep", "k", "kept", "went well", "what went well", "계속", "계속할 점", "유지", "유지할 점", "잘한 점",
        "잘된 점", "좋았던 점", "좋은 점",
    ),
    "problem": (
        "problem", "problems", "p", "went wrong", "what went wrong", "문제", "문제점", "어려웠던 점",
        "어려운 점", "아쉬운 점", "아쉬웠던 점", "힘들었던 점",
    ),
    "try": (
        "try", "t", "to try", "try next", "next", "시도", "시도할 점", "시도해 볼 점", "시도해볼 점",
        "다음에 시도할 점", "해볼 것", "개선할 점", "다음",
    ),
}  # fmt: skip
"""Words that a heading may consist of, or begin with before a bracket, colon, dash or dot."""
LINE = re.compile(
    r"\s*(?:[-*+]\s+)?(?:\*\*|__)?\s*([^\W\d_][^:*_]{0,30}?)\s*(?::\s*(?:\*\*|__)|(?:\*\*|__)\s*:?|:)\s*$"
)
"""A heading without #: **Keep**, Problem:, - 시도할 점:"""


def kind(title: str) -> Section | None:
    """Which of the three a heading names; None for any other."""
    words = re.sub(r"[^\w\s()\[\]:·/.,\-–—]", " ", title).strip().casefold()
    first = re.split(r"\s*[(\[:·/.,\-–—]\s*", words, maxsplit=1)[0]
    whole = " ".join(first.split())
    return next((section for section, names in NAMES.items() if whole in names), None)


def parts(notes: str) -> list[tuple[Section | None, Part]]:
    """The notes cut at their headings, each with the section that it is; bold lines and `Keep:` are headings too."""
    lines = []
    for line in notes.splitlines():
        match = LINE.match(line)
        lines.append(f"## {match[1]}" if match and kind(match[1]) else line)
    return [(kind(part.title), part) for part in markdown.split("\n".join(lines))]


def written(notes: str) -> dict[Section, list[Part]]:
    """What is written under each of the three headings; empty lists where nothing is."""
    found: dict[Section, list[Part]] = {section: [] for section in SECTIONS}
    for section, part in parts(notes):
        if section is not None and part.body.strip():
            found[section].append(part)
    return found
