"""`--processes N`: the same command in N processes on this machine, which train one network together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from ganvas.errors import UsageError

FLAG = "--processes"
PATIENCE = 60.0
"""Seconds that the others have to end by themselves after one has failed."""


def asked(argv: Sequence[str]) -> tuple[list[str], int]:
    """The arguments without `--processes N`, and N; 1 where it is not given, and in a process that was started so."""
    rest, counts = [], []
    words = iter(argv)
    for word in words:
        if word == FLAG or word.startswith(f"{FLAG}="):
            counts.append(word.partition("=")[2] if "=" in word else next(words, ""))
        else:
            rest.append(word)
    if len(counts) > 1:
        raise UsageError(f"{FLAG} is given twice: give it once")
    if counts and not (counts[0].isdecimal() and int(counts[0]) > 0):
        raise UsageError(f"{FLAG} needs a number of processes, at least 1, not {counts[0]!r}")
    if counts and "RANK" in os.environ:
        raise UsageError(f"{FLAG} and torchrun both start processes: use one of them")
    return rest, int(counts[0]) if counts else 1


def run(argv: Sequence[str], count: int) -> int:
    """Run `ganvas argv` in `count` processes until all have ended; the exit code of the first that failed.

    Ctrl-C reaches them from the terminal; SIGTERM is passed on.
    """
    common = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1"}
    common |= {"MASTER_PORT": str(_free_port())}
    children: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, frame: Any) -> None:
        for child in children:
            child.send_signal(number)

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on), signal.SIGINT: signal.getsignal(signal.SIGINT)}
    signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        for rank in range(count):
            here = {**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            children.append(subprocess.Popen([sys.executable, "-m", "ganvas", *argv], env=here))
        return _wait(children)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(children: Sequence[subprocess.Popen[bytes]]) -> int:
    first, since = 0, float("inf")
    while any(child.poll() is None for child in children):
        failed = [child.returncode for child in children if child.returncode]
        if failed and not first:
            first, since = failed[0], time.monotonic()
        if time.monotonic() - since > PATIENCE:
            for child in children:
                child.terminate()
            since = float("inf")
        time.sleep(0.05)
    code = first or next((child.returncode for child in children if child.returncode), 0)
    return 128 - code if code < 0 else code


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
