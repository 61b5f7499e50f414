"""What a check of `doctor --data` or `doctor --env` is. Each one is a file in data/ or environment/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ganvas import i18n

State = Literal["good", "advice", "bad"]
Group = Literal["data", "env"]


@dataclass(frozen=True)
class Result:
    """One line that a check prints."""

    name: str
    """Key of its sentence: "doctor.GROUP.NAME.STATE"."""
    state: State
    blanks: Mapping[str, object] = field(default_factory=dict)
    """Values for the blanks of the sentence."""


@dataclass(frozen=True)
class Check:
    """One thing to check in a data set or an installation, with its sentences."""

    name: str
    group: Group
    order: int
    """Checks run, and are listed, from low to high."""
    examine: Callable[[Any], Iterable[Result]]
    """The results for a `DataSet` or an `Installation`; none if there is nothing to say."""
    sentences: Mapping[str, Mapping[str, str]]
    """language -> "NAME.STATE" of a result -> sentence with named blanks. English is used for a language that is
    missing."""


CHECKS: dict[tuple[str, str], Check] = {}
"""(group, name) -> check."""


def register_check(check: Check) -> Check:
    """Add a check, with its sentences, to the doctor. A name that is taken raises ValueError."""
    if (check.group, check.name) in CHECKS:
        raise ValueError(f"check {check.group}.{check.name} exists already")
    for lang in i18n.languages():
        sentences = check.sentences.get(lang, check.sentences["en"])
        i18n.add(lang, {f"doctor.{check.group}.{key}": sentence for key, sentence in sentences.items()})
    CHECKS[check.group, check.name] = check
    return check


def checks_in_order(group: Group) -> list[Check]:
    """All checks of a group, in the order in which they are listed."""
    return sorted((check for check in CHECKS.values() if check.group == group), key=lambda check: check.order)
