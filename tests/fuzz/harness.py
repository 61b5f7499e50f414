"""One hostile case of the command line, in this process: how it must end, whatever it is given."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ganvas.cli import main as cli

SECONDS = 60
"""After which a case counts as hanging; the slowest takes about four on an idle core."""
SEED = 21

Case = Callable[[random.Random, Path], list[str]]
"""(random numbers, an empty folder) -> the words of a command; what it reads is made in the folder."""


class Hangs(BaseException):
    """Not an Exception: nothing may catch it and go on."""


def failures(kind: str, make: Case, numbers: range, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One line for each case that did not end as it must. `number` alone decides what a case is."""
    return [line for number in numbers if (line := failure(kind, make, number, tmp, monkeypatch))]


def failure(kind: str, make: Case, number: int, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is wrong with the end of one case; empty if nothing is."""
    base = tmp / f"{kind}-{number}"
    folder = base / "folder"
    for each in (folder, base / "home", base / "temporary"):
        each.mkdir(parents=True)
    (base / "home" / "precious.txt").write_text("mine")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(base / "home"))
    for name in ("TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GANVAS_DATA"):
        monkeypatch.setenv(name, str(base / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    words = make(random.Random(f"{SEED}/{kind}/{number}"), folder)
    outside = _content(base / "home")
    code, err = run(words)
    wrong = _wrong(code, err) or ("touched what is outside" if _content(base / "home") != outside else "")
    return f"{kind} {number}: {wrong}\n    {words!r}\n    {err[-600:]!r}" if wrong else ""


def run(words: list[str]) -> tuple[int | None, str]:
    """(exit code or None where it hangs, stderr) of one command."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: int | None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _alarm():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                code = cli.main(words)
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        except Hangs:
            code = None
    err.flush()
    return code, err.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]


def _wrong(code: int | None, err: str) -> str:
    if code is None:
        return f"hangs for {SECONDS} s"
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if "Traceback" in err or "unexpected error" in err or "Warning:" in err:
        return "a fault of ours"
    errors = [line for line in err.splitlines() if line.startswith("ganvas: ")]
    if len(errors) > 1 or (errors and code == 0):
        return "more than one line"
    if errors and (err.splitlines()[-1] != errors[0] or len(errors[0]) > 6000):
        return "more than its line"
    return ""


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _content(folder: Path) -> dict[str, bytes]:
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found[os.path.join(place, name)] = Path(place, name).read_bytes()
    return found
