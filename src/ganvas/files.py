"""Files that are whole or not there: errors in one line, flushed writes, atomic replacement, locks."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError, UsageError, first_line, option

MOST_BYTES = 64_000_000
"""Of a JSON file that is read whole."""

MARK = "made by ganvas"
"""Stands in the first or last kilobyte of every picture, array and page that ganvas writes where a user says."""


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn a failed write (full disk, no permission) into one clear GanvasError."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        hint = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another folder"
        raise GanvasError(f"cannot write {error.filename or path}: {why}; {hint}") from error


def read_file(path: Path) -> bytes:
    """The content of a file. OSError where it is missing or anything but a file, such as a pipe, which would wait."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return path.read_bytes()


def read_object(path: Path, most: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object in a file; GanvasError naming it where it is missing, broken, huge, or another kind of value.

    NaN and infinities, which JSON does not have, are None.
    """
    try:
        size = path.stat().st_size
        if size > most:
            raise GanvasError(f"{path} has {size / 1e6:.0f} MB, too much for what it should hold: is it damaged?")
        values = parse_json(read_file(path))
    except (OSError, ValueError) as error:
        raise GanvasError(f"{path} cannot be read ({first_line(error)}): is it whole?") from error
    if not isinstance(values, dict):
        raise GanvasError(f"{path} is not a JSON object: is it whole?")
    return values


def parse_json(content: bytes | str) -> Any:
    """The value of a JSON text; ValueError where it is broken or nested too deep. NaN and infinities are None."""
    try:
        return json.loads(content, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("nested too deep") from None


def utf8(text: str) -> bytes:
    r"""Text as UTF-8. The bytes of a name that is not UTF-8 (lone surrogates) become \\udcff, which JSON reads back."""
    return text.encode("utf-8", "backslashreplace")


def write_file(path: Path, content: bytes, flush: bool = True) -> None:
    """Write, and flush to disk."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        if flush:
            os.fsync(file.fileno())


def replace_file(path: Path, content: bytes, flush: bool = True) -> None:
    """Write a file aside, flush and rename it: a reader sees the old one or the new one. OSError where that fails."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write_file(part, content, flush)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def is_ours(path: Path) -> bool:
    """Whether a file carries the mark of ganvas."""
    try:
        with open(path, "rb") as file:
            ends = file.read(1024)
            file.seek(max(0, os.fstat(file.fileno()).st_size - 1024))
            return MARK.encode() in ends + file.read(1024)
    except OSError:
        return False


def check_replaceable(path: Path, force: bool = False) -> None:
    """UsageError where a file exists that ganvas did not write, unless `force`; a folder is never replaced."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder: choose another {option('--out')}")
    if not force and os.path.lexists(path) and not is_ours(path):
        raise UsageError(
            f"{path} exists and was not made by ganvas: choose another {option('--out')}, "
            f"or replace it with {option('--force')}"
        )


def sync_folder(path: Path) -> None:
    """Flush a rename to disk where the system can."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def try_lock(handle: int, shared: bool = False) -> bool:
    """Take the lock of an open file without waiting; False where another process has it. OSError where none can be."""
    try:
        import fcntl
    except ImportError:  # Windows: one byte beyond the pid, never shared
        import msvcrt

        os.lseek(handle, 64, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_NB | (fcntl.LOCK_SH if shared else fcntl.LOCK_EX))
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock of a file right now; False where there is no such file."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not try_lock(handle, shared=True)
    finally:
        os.close(handle)
