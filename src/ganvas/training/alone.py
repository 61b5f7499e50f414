"""One training at a time in a process: two would share torch's random numbers and threads, and change each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from ganvas.errors import UsageError

RUNNING = Lock()
ANOTHER = "a training is running in this process already: wait for it or stop it, or start this one in another process"


def check_alone() -> None:
    """UsageError while a training runs in this process."""
    if RUNNING.locked():
        raise UsageError(ANOTHER)


@contextmanager
def alone() -> Iterator[None]:
    """No other training begins in this process while this lasts; UsageError where one is running."""
    if not RUNNING.acquire(blocking=False):
        raise UsageError(ANOTHER)
    try:
        yield
    finally:
        RUNNING.release()
