"""The two errors that a user may see. Each message is one clear line: what, where, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GanvasError(Exception):
    """Something that ganvas cannot go on with; the command line prints it last and exits with 1."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the line says all, and the cell that raised it is above."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(GanvasError):
    """A request that cannot be right, such as an unknown name; the command line exits with 2."""


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """'; did you mean X?' for the nearest known word, whatever its case, or nothing."""
    if not isinstance(word, str) or len(word) > 100:  # no name is as long, and comparing it would take for ever
        return ""
    by_fold = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), list(by_fold), n=1, cutoff=0.5)
    return f"; did you mean {by_fold[near[0]]}?" if near else ""


def shape_text(shape: Iterable[int]) -> str:
    """A shape as text: 3x32x32."""
    return "x".join(map(str, shape))


def first_line(error: BaseException) -> str:
    """What an exception of a library says, as one short line; its type where it says nothing."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    text = f"{type(error).__name__} {text}".rstrip() if isinstance(error, KeyError) or not text else text
    return text if len(text) <= 300 else f"{text[:300]} ..."


def shown(value: object) -> str:
    """A value as an error shows it: short, whatever it is."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]} ..."


def kind(what: object) -> str:
    """What it is, in a few words: None, a str, an ndarray, the class Run."""
    if what is None:
        return "None"
    if isinstance(what, type):
        return f"the class {what.__name__}"
    name = type(what).__name__
    return f"a{'n' if name[0].lower() in 'aeiou' else ''} {name}"
