"""Every sentence that a user reads in a report or page, by language: en.json and ko.json hold the same keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ganvas.errors import UsageError, did_you_mean
from ganvas.runs.run import is_number

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Locale:
    """The sentences of one language. `say("trend.none", slope="0.01")` fills the named blanks."""

    lang: str
    sentences: dict[str, str]

    def __call__(self, key: str, /, **blanks: object) -> str:
        return self.sentences[key].format(**blanks)

    def __contains__(self, key: str) -> bool:
        return key in self.sentences


def figure(value: object) -> str:
    """A number as every page and table writes it: four significant digits; a dash for what is no number."""
    if not is_number(value):
        return "–"
    digits = f"{value:.4g}"
    return (f"{value:.0f}" if "e+" in digits and abs(value) < 1e6 else digits).replace("-", "−")


def languages() -> list[str]:
    """Codes of the languages there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(lang: str) -> Locale:
    """The sentences of `lang`; UsageError for a language that is not there."""
    known = languages()
    if lang not in known:
        raise UsageError(f"unknown language {lang!r}{did_you_mean(lang, known)} (there are: {', '.join(known)})")
    return Locale(lang, json.loads((FOLDER / f"{lang}.json").read_text("utf-8")))
