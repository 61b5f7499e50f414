"""What people pass to the functions of `ganvas`: taken, or refused in one line that says what it should be."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from ganvas.errors import UsageError, did_you_mean, kind
from ganvas.notebook.run import Run
from ganvas.runs.run import Run as RunFolder


def is_path(what: Any) -> bool:
    """Whether it is a name or a path."""
    return isinstance(what, str | os.PathLike)


def named(what: Any, function: str, wanted: str = "a name or a path") -> str:
    """The name or path as text; UsageError for anything else."""
    if not is_path(what):
        raise UsageError(f"{function}() takes {wanted}, not {kind(what)}")
    return os.fsdecode(what)


def as_run(what: Any, function: str) -> Run:
    """The run that is meant by a Run or the path of one; UsageError for anything else."""
    if isinstance(what, RunFolder):
        return Run.open(what.path)
    return Run.open(named(what, function, "a run, or the path of one"))


P = ParamSpec("P")
R = TypeVar("R")


def only_known(*deeper: Callable[..., Any], name: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuse arguments by names that a function does not have, in one line with the nearest one.

    deeper: functions that take its **settings after their first argument. name: what it is called, where that is not
    its own name.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        own = [*signature(function, follow_wrapped=False).parameters.values(), *signature(function).parameters.values()]
        every = [*own, *(each for one in deeper for each in [*signature(one).parameters.values()][1:])]
        known = {each.name: None for each in every if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
        known.pop("self", None)

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for word in kwargs:
                if word not in known:
                    raise UsageError(
                        f"{name or function.__name__}() takes no {word}={did_you_mean(word, known)} "
                        f"(it takes {', '.join(known)})"
                    )
            return function(*args, **kwargs)

        return checked

    return decorate
