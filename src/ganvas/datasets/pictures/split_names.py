"""Names that say of which split something is."""

from __future__ import annotations

import re

KINDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Folder name, in any case -> kind of split."""


def kind_of(folder: str) -> str:
    """The kind of split that a folder's name says; empty for any other name."""
    return KINDS.get(folder.casefold(), "")


def word_of(name: str) -> str:
    """The word that says the split in a longer name, such as train in cats-train-0001; empty without one."""
    words = [word for word in re.split(r"[^a-zA-Z]+", name) if kind_of(word)]
    return words[0] if len({kind_of(word) for word in words}) == 1 else ""
