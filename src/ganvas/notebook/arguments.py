"""What people pass to the functions of `ganvas`: taken, or refused in one line that says what it should be."""

from __future__ import annotations

import os
from typing import Any

from ganvas.errors import UsageError, kind
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
