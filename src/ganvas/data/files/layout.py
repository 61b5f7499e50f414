"""Which files are the pictures of a split, and to which class each belongs, by the folders they lie in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ganvas.data.files.listing import Entry
from ganvas.data.progress import warn
from ganvas.errors import UsageError


def pictures_of(entries: Sequence[Entry]) -> list[Entry]:
    """Those to open, by path: files named like pictures, or files without any suffix where there are none."""
    named = [e for e in entries if e.looks_like_a_picture]
    bare = [e for e in entries if not e.path.suffix and not e.leads_outside]
    return sorted(named or bare, key=lambda e: e.path.parts)


def of_split(entries: Iterable[Entry], split: str, where: Path) -> list[Entry]:
    """The entries of a split, below what they all have in common."""
    entries = _step_in(list(entries))
    tops = {e.path.parts[0] if len(e.path.parts) > 1 else "" for e in entries if e.looks_like_a_picture}
    if tops == {"train", "test"}:
        return [e.below(split) for e in entries if e.path.parts[0] == split]
    if split != "train":
        raise UsageError(
            f"{where} has no split '{split}': put its pictures in two folders, train and test, or use --split train"
        )
    return entries


def _step_in(entries: list[Entry]) -> list[Entry]:
    """Below the one folder that holds all pictures, as many times as there is one."""
    while True:
        pictures = [e for e in entries if e.looks_like_a_picture] or entries
        tops = {e.path.parts[0] if len(e.path.parts) > 1 else "" for e in pictures}
        if len(tops) != 1 or tops == {""}:
            return entries
        top = tops.pop()
        entries = [e.below(top) for e in entries]


def classes_of(pictures: Sequence[Entry], where: Path) -> tuple[tuple[str, ...], list[int]]:
    """Class names and a label per picture, both empty where the pictures are not in class folders."""
    tops = [e.path.parts[0] if len(e.path.parts) > 1 else "" for e in pictures]
    names = tuple(sorted(set(tops)))
    if len(names) < 2:
        return (), []
    if "" in names:
        warn(f"{where} has {tops.count('')} pictures beside its folders: all are taken without labels")
        return (), []
    return names, [names.index(top) for top in tops]
