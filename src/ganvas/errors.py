"""The two errors that a user may see. Each message is one clear line: what, where, what to do."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

TYPED: ContextVar[bool] = ContextVar("typed", default=False)
"""Whether this is a command in a terminal, whose options are flags."""
ARGUMENTS = {"with": "tricks", "from": "init_from"}
"""Flag -> the argument of another name in Python."""
SWITCHES = ("force", "clear")
"""Flags without a value."""
SEVERAL = ("tricks", "features", "metrics", "classes")
"""Arguments that take a list."""


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


@contextmanager
def command_line() -> Iterator[None]:
    """While this lasts, options are named as flags."""
    before = TYPED.set(True)
    try:
        yield
    finally:
        TYPED.reset(before)


def option(flag: str) -> str:
    """An option as the one who reads it writes it: `--sets 1` in a terminal, sets=1 in Python."""
    return flag if TYPED.get() else as_argument(flag)


def command(name: str, target: object = "") -> str:
    """A command as its reader writes it: `ganvas resume a` in a terminal, ganvas.resume("a") in Python."""
    if TYPED.get():
        return f"ganvas {name} {target}".rstrip()
    return f"ganvas.{name}({target if not target or str(target).isupper() else json.dumps(str(target))})"


def as_argument(flag: str) -> str:
    """A flag as an argument in Python: `--data.frames all` -> frames="all", `--step.batch` -> settings={...}.

    Fields of `data` are arguments of `ganvas.data`. A value in capital letters stands for one that the user knows.
    """
    name, _, value = flag.removeprefix("--").partition(" ")
    name = name.replace("-", "_")
    name = ARGUMENTS.get(name, name).removeprefix("data.")
    if not value.replace(".", "").isdigit() and value:
        value = "..." if value.isupper() else f'"{value}"'
    if "." in name:
        return f'settings={{"{name}": {value or "..."}}}'
    if name in SWITCHES:
        return f"{name}=True"
    return f"{name}=[{value}]" if name in SEVERAL and value else f"{name}={value}"
