"""Labels in a file beside each picture: webdataset's key.cls and key.json beside key.png."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import cache, partial

from ganvas.datasets.pictures.listing import Entry
from ganvas.datasets.pictures.names import decode_text
from ganvas.datasets.pictures.tables import label_in

SUFFIXES = (".cls", ".json")
OTHERS = (".txt", ".caption", ".xml", ".npy", ".npz", ".pyd", ".pth", ".json", ".cls")
"""What else data sets keep beside a picture under its name; such files are not worth a line."""
LARGEST = 1 << 20
"""Bytes that are read of each."""


def find(pictures: Sequence[Entry], others: Sequence[Entry]) -> tuple[Callable[[Entry], str | None], str] | None:
    """Classes from files beside the pictures, where the first picture has such a file with a class in it."""
    if not pictures:
        return None
    for suffix in SUFFIXES:
        by_key = {_key(e): e for e in others if e.path.suffix.lower() == suffix}
        first = by_key.get(_key(pictures[0]))
        if first is None or _label(first) is None:
            continue
        return cache(partial(_class_of, by_key)), f"in the {suffix} file beside each"
    return None


def _class_of(by_key: dict[str, Entry], picture: Entry) -> str | None:
    beside = by_key.get(_key(picture))
    return _label(beside) if beside else None


def belongs_to(other: Entry, keys: set[str]) -> bool:
    """Whether a file lies beside a picture of the same name and is expected there."""
    return other.path.suffix.lower() in OTHERS and _key(other) in keys


def keys_of(pictures: Sequence[Entry]) -> set[str]:
    """The names without suffix that such files share with their pictures."""
    return {_key(e) for e in pictures}


def _key(entry: Entry) -> str:
    return os.path.splitext(entry.name)[0]


def _label(entry: Entry) -> str | None:
    with suppress(OSError, ValueError, RecursionError):
        with closing(entry.open()) as file:
            text = decode_text(file.read(LARGEST))
        if entry.path.suffix.lower() == ".cls":
            return text.strip() or None
        record = json.loads(text)
        return label_in(record) if isinstance(record, dict) else None
    return None
