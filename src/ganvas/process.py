"""What a process that trains is set up with; nothing of it happens on import."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache


def prepare() -> None:
    """Set up this process for training. Call it before torch is imported where possible: OpenMP reads it once then."""
    if "torch" not in sys.modules:
        # How long a waiting thread spins before it sleeps. The many short parallel regions of a training step want some
        # spinning on an idle machine; the default's far longer spin halves the speed on a busy one
        # (records/2026-11-22-step.md).
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    keep_freed_memory()


@cache
def keep_freed_memory() -> None:
    """Let glibc keep what is freed instead of giving it back to the system: a step asks for the same blocks again.

    Otherwise large tensors are mapped again every time, and page faults take an eighth of a step.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-4, 0)  # M_MMAP_MAX: no block is mapped on its own
        mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: the heap does not shrink
