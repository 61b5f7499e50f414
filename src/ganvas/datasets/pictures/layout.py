"""Which files are pictures, of which split: by names of files and of the folders they lie in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ganvas.datasets.pictures.listing import Entry
from ganvas.datasets.pictures.split_names import kind_of
from ganvas.errors import UsageError, option

OTHER = ("test", "validation")
"""The kinds that "test" asks for: the first that there is."""


@dataclass(frozen=True)
class Part:
    """The pictures of one split, with their paths below it."""

    pictures: list[Entry]
    split: str = ""
    """The name of its folder; empty where there are no splits."""
    splits: tuple[str, ...] = ()
    train: Sequence[Entry] = ()
    """The pictures of the training split, whose classes come first in the numbering."""
    notes: tuple[str, ...] = ()

    @property
    def everything(self) -> list[Entry]:
        """Its pictures and those of the training split, each once."""
        return list({e.name: e for e in (*self.train, *self.pictures)}.values())


@dataclass
class Splits:
    """Split folders that were found: the name of each kind, its pictures, and what lies beside them."""

    names: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, list[Entry]] = field(default_factory=dict)
    beside: list[Entry] = field(default_factory=list)

    def add(self, name: str, entry: Entry) -> None:
        """One more picture of the split that a folder of this name holds."""
        kind = kind_of(name)
        self.names.setdefault(kind, name)
        self.pictures.setdefault(kind, []).append(entry)


def pictures_of(entries: Sequence[Entry]) -> list[Entry]:
    """Those to open, by path: files named like pictures, or files without any suffix where there are none."""
    named = [e for e in entries if e.looks_like_a_picture]
    bare = [e for e in entries if not e.path.suffix and not e.leads_outside]
    return sorted(named or bare, key=lambda e: e.path.parts)


def part_of(pictures: Sequence[Entry], split: str, where: Path) -> Part:
    """The pictures of a split, below what they all have in common. Raises UsageError for a split that is not there.

    Folders named train, val, test or alike are splits where there is a training one beside another kind, where there
    is no other folder, or where each class folder holds both. Without a training folder, what lies beside a test folder
    is for training. A lone `train` among other folders is a class. "test" is the test split, else the validation split.
    """
    found = _splits(pictures)
    if found is None:
        if split != "train":
            raise UsageError(
                f"{where} has no split '{split}': put its pictures in two folders, "
                f"train and test, or use {option('--split train')}"
            )
        everything = _step_in(pictures)
        return Part(everything, train=everything)
    names = tuple(found.names.values())
    wanted = ("train",) if split == "train" else OTHER
    kind = next((kind for kind in wanted if kind in found.pictures), "")
    notes = []
    if not kind:
        if split != "train" or len(names) > 1:
            raise UsageError(
                f"{where} has no split '{split}', only {', '.join(names)}: name one of these folders itself"
            )
        kind = next(iter(found.pictures))
        notes.append(f"there is no train split: '{names[0]}' is what is read")
    if found.beside:
        tops = Counter(e.folder or "the top" for e in found.beside)
        listed = ", ".join(f"{n} in {top}" for top, n in tops.most_common(3)) + (", ..." if len(tops) > 3 else "")
        notes.append(f"{len(found.beside)} pictures beside the splits are left out ({listed})")
    train = _step_in(found.pictures.get("train", []))
    classes = {e.folder for e in train}
    chosen = train if kind == "train" else _step_in(found.pictures[kind], classes)
    return Part(chosen, found.names[kind], names, train or chosen, tuple(notes))


def _splits(pictures: Sequence[Entry]) -> Splits | None:
    """The split folders, looked for below a lone folder too; None where there are none."""
    by_top: dict[str, list[Entry]] = {}
    for entry in pictures:
        by_top.setdefault(entry.folder, []).append(entry)
    folders = [top for top in by_top if top]
    kinds = {kind_of(name) for name in folders} - {""}
    if "train" in kinds and (len(kinds) > 1 or all(kind_of(name) for name in folders)):
        found = Splits()
        for top, entries in by_top.items():
            for entry in entries:
                if kind_of(top):
                    found.add(top, entry.below(top))
                else:
                    found.beside.append(entry)
        return found
    if "test" in kinds or (kinds and "train" not in kinds and all(kind_of(name) for name in folders)):
        return _loose_and_other(by_top)
    if (by_class := _class_first(by_top)) is not None:
        return by_class
    if len(folders) == 1 and (inside := _splits([e.below(folders[0]) for e in by_top[folders[0]]])) is not None:
        inside.beside += by_top.get("", [])
        return inside
    return None


def _loose_and_other(by_top: Mapping[str, list[Entry]]) -> Splits:
    """Held-out folders beside the training pictures or class folders themselves."""
    found = Splits()
    for top, entries in by_top.items():
        for entry in entries:
            found.add(top, entry.below(top)) if kind_of(top) else found.add("train", entry)
    return found


def _class_first(by_top: Mapping[str, list[Entry]]) -> Splits | None:
    """cat/train/1.png: classes whose folders are all splits. The paths then begin with the class."""
    found = Splits()
    classes = [top for top in by_top if top]
    for top, entries in by_top.items():
        inner = {e.below(top).folder for e in entries}
        if top and (inner == {""} or not all(kind_of(name) for name in inner - {""})):
            return None
        for entry in entries:
            second = entry.below(top).folder
            if top and second:
                found.add(second, replace(entry, path=top / entry.below(top).below(second).path))
            else:
                found.beside.append(entry)
    return found if len(classes) > 1 and "train" in found.names and len(found.names) > 1 else None


def _step_in(pictures: Sequence[Entry], classes: Iterable[str] = ()) -> list[Entry]:
    """Below the one folder that holds all pictures, as many times as there is one that is no class."""
    found = list(pictures)
    while True:
        tops = {e.folder for e in found}
        if len(tops) != 1 or tops & {"", *classes}:
            return found
        top = tops.pop()
        found = [e.below(top) for e in found]
