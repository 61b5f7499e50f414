"""Sentences that users read, by language.

en.json and ko.json hold what is general. A part with sentences of its own (a report section, a doctor rule, a loss)
registers them with `add`. Every language has the same keys and the same blanks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ganvas.errors import UsageError, did_you_mean
from ganvas.stats.finite import is_number

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Translator:
    """The sentences of one language. `say("trend.none", slope="0.01")` fills the named blanks."""

    lang: str
    sentences: dict[str, str]

    def __call__(self, key: str, /, **blanks: object) -> str:
        return self.sentences[key].format(**blanks)

    def __contains__(self, key: str) -> bool:
        return key in self.sentences


def figure(value: object) -> str:
    """A number as every page and table writes it: four significant digits, or a dash if it is not a finite number."""
    if not is_number(value):
        return "–"
    digits = f"{value:.4g}"
    return (f"{value:.0f}" if "e+" in digits and abs(value) < 1e6 else digits).replace("-", "−")


def languages() -> list[str]:
    """Codes of the available languages."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(lang: str) -> Translator:
    """All sentences of `lang`, general and registered; UsageError for an unknown language."""
    known = languages()
    if lang not in known:
        raise UsageError(f"unknown language {lang!r}{did_you_mean(lang, known)} (available: {', '.join(known)})")
    return Translator(lang, dict(_sentences(lang)))


def add(lang: str, sentences: Mapping[str, str]) -> None:
    """Register the sentences of a part. A key that exists already raises ValueError, and nothing is added."""
    known = _sentences(lang)
    if taken := sorted(known.keys() & sentences.keys()):
        raise ValueError(f"sentences registered twice ({lang}): {', '.join(taken)}")
    known.update(sentences)


def add_all(sentences: Mapping[str, Mapping[str, str]]) -> None:
    """Register the sentences of a part in every language. Raises as `add`."""
    for lang, texts in sentences.items():
        add(lang, texts)


@cache
def _sentences(lang: str) -> dict[str, str]:
    """The sentences of `lang` so far; `add` extends this dict."""
    sentences: dict[str, str] = json.loads((FOLDER / f"{lang}.json").read_text("utf-8"))
    return sentences
