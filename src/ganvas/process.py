"""What a process that trains is set up with; nothing of it happens on import."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def prepare() -> None:
    """Set up this process for training. Call it before torch is imported where possible: OpenMP reads it once then."""
    if "torch" not in sys.modules:
        # How long a waiting thread spins before it sleeps. The many short parallel regions of a training step want some
        # spinning on an idle machine; the default's far longer spin halves the speed on a busy one
        # (records/2026-11-22-step.md).
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        # What sockets of torch.distributed complain of is said by an error, or was no trouble
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
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


def memory_limit(proc: Path = PROC, cgroup: Path = CGROUP) -> int | None:
    """Bytes that this process can have at most: of the machine with its swap, its control groups, its own limit.

    None where the system does not say.
    """
    limits = []
    found = dict(re.findall(r"^(MemTotal|SwapTotal):\s*(\d+) kB", read_text(proc / "meminfo"), re.MULTILINE))
    if "MemTotal" in found:
        limits.append(1024 * sum(map(int, found.values())))
    else:
        with suppress(AttributeError, ValueError, OSError):
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for group in control_groups(proc, cgroup):
        memory, swap = (read_text(group / f"memory.{name}max").strip() for name in ("", "swap."))
        if memory.isdecimal():
            limits.append(int(memory) + (int(swap) if swap.isdecimal() else 0))
    with suppress(ImportError):  # Windows
        import resource

        if (own := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY:
            limits.append(own)
    return min(limits, default=None)


def control_groups(proc: Path = PROC, cgroup: Path = CGROUP) -> list[Path]:
    """The control group (version 2) of this process and those above it."""
    own = re.search(r"^0::/(.*)$", read_text(proc / "self" / "cgroup"), re.MULTILINE)
    below = cgroup / own[1] if own else cgroup
    return [group for group in (below, *below.parents) if group == cgroup or cgroup in group.parents]


def read_text(path: Path) -> str:
    """The content of a system file; empty if it does not exist."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
