"""Which class each picture belongs to: by folder, by a table or a file beside it, or by a pattern in its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ganvas.datasets.pictures import sidecars, tables
from ganvas.datasets.pictures.layout import Part
from ganvas.datasets.pictures.listing import Entry
from ganvas.datasets.pictures.names import readable
from ganvas.datasets.pictures.storage import are_storage
from ganvas.datasets.select import natural
from ganvas.errors import UsageError

MIN_SHARE = 0.5
"""Share of the pictures that a table or pattern must know; the others are then left out, with a line."""
MAX_DISTINCT = 0.5
"""Share of different values above which a column is no class but a description of each picture."""
FEW = 20
"""Pictures up to which that cannot be told."""


@dataclass(frozen=True)
class Source:
    """Where classes come from: the class of a picture, or None; how to say it."""

    class_of: Callable[[Entry], str | None]
    text: str


@dataclass(frozen=True)
class Labelled:
    """Pictures with their labels; both names and labels are empty without classes."""

    pictures: list[Entry]
    class_names: tuple[str, ...]
    labels: list[int]
    text: str
    notes: tuple[str, ...] = ()


def labelled(part: Part, others: Sequence[Entry], label_from: str, where: Path) -> Labelled:
    """The pictures of a split with their classes, numbered in natural order, those of the training split first.

    others: the files that are no pictures. Raises UsageError where `label_from` finds no classes.
    """
    asked = label_from not in ("auto", "folders")
    if asked:
        sources = [_asked(label_from, part, others, where)]
    elif label_from == "auto":
        found = tables.find(part.everything, others), sidecars.find(part.pictures, others)
        sources = [Source(*source) for source in found if source]
    else:
        sources = []
    notes: list[str] = []
    for source in sources:
        known = {e.name: source.class_of(e) for e in part.everything}
        if reason := _unfit([known[e.name] for e in part.pictures], len(part.pictures)):
            if asked:
                raise UsageError(f"data.label_from {label_from}: {reason} of {where}")
            notes.append(f"no classes {source.text}: {reason}")
            continue
        pictures = [e for e in part.pictures if known[e.name] is not None]
        if left := len(part.pictures) - len(pictures):
            notes.append(f"{left} pictures without a label {source.text} are left out")
        return _numbered(pictures, known, part, source.text, notes)
    return _by_folder(part, label_from, notes)


def _asked(label_from: str, part: Part, others: Sequence[Entry], where: Path) -> Source:
    """The one source that a setting names."""
    if label_from.startswith(("name:", "path:")):
        kind, _, pattern = label_from.partition(":")
        try:
            rule = re.compile(pattern)
        except re.error as error:
            raise UsageError(f"data.label_from: '{pattern}' is no regular expression ({error})") from error
        return Source(_by_pattern(rule, kind == "name"), f"by {kind} ('{pattern}')")
    return Source(*tables.named(label_from, part.everything, others, where))


def _by_pattern(rule: re.Pattern[str], only_name: bool) -> Callable[[Entry], str | None]:
    def class_of(entry: Entry) -> str | None:
        found = rule.search(PurePosixPath(entry.name).name if only_name else entry.name)
        if found is None:
            return None
        return next((group for group in found.groups() if group), None) if rule.groups else found[0] or None

    return class_of


def _unfit(names: Sequence[str | None], n: int) -> str:
    """Why these cannot be the classes of n pictures; empty if they can."""
    known = [name for name in names if name is not None]
    if not known or len(known) < MIN_SHARE * n:
        return f"it has a class for {len(known)} of {n} pictures"
    if n > FEW and len(set(known)) > MAX_DISTINCT * n:
        return f"it has {len(set(known))} values for {n} pictures"
    return ""


def _numbered(
    pictures: list[Entry], known: Mapping[str, str | None], part: Part, text: str, notes: Sequence[str]
) -> Labelled:
    """Labels in the natural order of the class names; known: name of a picture -> its class."""
    first = {name for e in part.train if (name := known[e.name]) is not None}
    own = [known[e.name] or "" for e in pictures]
    names = (*sorted(first, key=natural), *sorted(set(own) - first, key=natural))
    if len(names) < 2:
        return Labelled(pictures, (), [], f"all of one class {text}: {names[0]}", tuple(notes))
    number = {name: k for k, name in enumerate(names)}
    return Labelled(pictures, names, [number[name] for name in own], text, tuple(notes))


def _by_folder(part: Part, label_from: str, notes: Sequence[str]) -> Labelled:
    """Class folders, unless they only store pictures that were numbered one after the other."""
    tops = Counter(e.folder for e in part.pictures)
    folders = sorted((top for top in tops if top), key=natural)
    if len(tops) < 2 and len({e.folder for e in part.train}) < 2:
        return Labelled(part.pictures, (), [], "", tuple(notes))
    if "" in tops:
        text = f"{tops['']} pictures lie beside the folders"
        line = f"{tops['']} pictures beside its folders: all are taken without labels"
        return Labelled(part.pictures, (), [], text, (*notes, line))
    if label_from == "auto" and are_storage(part.pictures):
        text = f"folders {folders[0]} to {folders[-1]} are storage; data.label_from = folders makes them classes"
        return Labelled(part.pictures, (), [], text, tuple(notes))
    known = {e.name: readable(e.folder) for e in part.everything}
    return _numbered(part.pictures, known, part, "by folder", notes)
