"""The two errors that a user may see. Each message is one clear line: what, where, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GanvasError(Exception):
    """Something that ganvas cannot go on with; the command line prints it last and exits with 1."""


class UsageError(GanvasError):
    """A request that cannot be right, such as an unknown name; the command line exits with 2."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?' for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
