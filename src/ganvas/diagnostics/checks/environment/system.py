"""The installation that checks examine, and what several checks read from the system."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ganvas import process
from ganvas.diagnostics.checks.check import State
from ganvas.process import CGROUP as CGROUP
from ganvas.process import PROC as PROC
from ganvas.process import read_text as read_text

TIMEOUT = 60.0
"""Seconds that another program gets to answer: torch took five to import on two busy cores."""


@dataclass(frozen=True)
class Installation:
    """torch, or why it cannot be used."""

    torch: ModuleType | None
    error: str = ""
    """Why torch does not import; empty if it is not installed."""


def import_torch() -> Installation:
    """torch, if it imports."""
    try:
        if importlib.util.find_spec("torch") is None:
            return Installation(None)
        return Installation(importlib.import_module("torch"))
    except Exception as error:  # a missing library, a build for another system, half an installation
        return Installation(None, last_line(error))


def control_groups() -> list[Path]:
    """The control group (version 2) of this process and those above it."""
    return process.control_groups(PROC, CGROUP)


def free_space(folder: Path) -> int | None:
    """Bytes free in a folder that exists or could be made; None if it cannot be written to."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return shutil.disk_usage(existing).free if writable else None


def state_of(value: float, bad_below: float, advice_below: float) -> State:
    """How much is left, as the state of a check."""
    return "bad" if value < bad_below else "advice" if value < advice_below else "good"


def gigabytes(n: float) -> str:
    """1.5e9 -> "1.5 GB"."""
    return f"{n / 1e9:.1f} GB"


def dotted(version: tuple[int, ...]) -> str:
    """(3, 11) -> "3.11"."""
    return ".".join(map(str, version))


def last_line(message: str | BaseException) -> str:
    """The last line of a message, which usually says what is wrong; for an error without one its type."""
    line = (str(message).strip().splitlines() or [""])[-1].strip()[:200]
    return line or (type(message).__name__ if isinstance(message, BaseException) else "")
