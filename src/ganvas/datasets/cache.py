"""The cache of known data sets: canonical files, verified whenever they are read, replaced as a whole.

$GANVAS_DATA or the user's cache folder/
  cifar10/            data_batch_1.bin, ..., source.txt
  cifar10.lock        held while a process fetches; others wait and then find the data
  .cifar10-x7f2k/     a fetch under way; what an interrupted one left behind goes with the next fetch
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ganvas.datasets.progress import Progress, warn
from ganvas.errors import GanvasError
from ganvas.files import sync_folder, try_lock

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class SourceError(Exception):
    """Why a source did not give the files, in a few words."""


class NotOfferedError(SourceError):
    """A source that this user or machine does not have, which is no news while the next one is tried."""


@dataclass(frozen=True)
class Source:
    """One way to obtain a file set: `get(folder, progress)` fills it, or raises SourceError or OSError."""

    label: str
    get: Callable[[Path, Progress], None]


@dataclass(frozen=True)
class FileSet:
    """Files known by content: canonical name -> SHA-256 in hex, and where to look for them, in order."""

    name: str
    sha256: Mapping[str, str]
    sources: tuple[Source, ...]
    advice: str = ""


def root() -> Path:
    """The cache folder: $GANVAS_DATA, else `ganvas` in the user's cache folder. Nothing is created here."""
    if chosen := os.environ.get("GANVAS_DATA"):
        return Path(chosen).expanduser().absolute()
    try:
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "ganvas"
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ganvas" / "Cache"
        base = Path(os.environ.get("XDG_CACHE_HOME", ""))
        return (base if base.is_absolute() else Path.home() / ".cache") / "ganvas"
    except RuntimeError as error:
        raise GanvasError("no home folder for the data cache: set GANVAS_DATA to a folder you can write in") from error


def present(files: FileSet) -> bool:
    """Whether every file is in the cache; whether its content is right shows when it is read."""
    return all((root() / files.name / name).is_file() for name in files.sha256)


def read(files: FileSet, names: Sequence[str], progress: Progress) -> tuple[dict[str, bytes], str]:
    """The verified content of the named files, fetched first where it is absent or corrupt, and its origin.

    Raises GanvasError where no source gives the files or the cache folder cannot be written.
    """
    for attempt in range(2):
        if attempt:
            fetch(files, progress)
        folder = root() / files.name
        contents = {name: _content(folder / name) for name in names}
        wrong = [name for name, content in contents.items() if not _matches(content, files.sha256[name])]
        if not wrong:
            return {name: content for name, content in contents.items() if content is not None}, origin(files)
    raise GanvasError(f"{folder / wrong[0]} was written and reads back different: check that disk, or set GANVAS_DATA")


def fetch(files: FileSet, progress: Progress) -> str:
    """Make the cache hold every file of the set, from the first source that gives the right bytes.

    Returns its origin. Raises GanvasError: no source gave them (each named, with its reason), or the cache
    cannot be written.
    """
    folder = root() / files.name
    if (digests := _digests(folder, files)) == files.sha256:
        return origin(files)
    damaged = [name for name, digest in digests.items() if digest not in (None, files.sha256[name])]
    for name in damaged:
        warn(
            f"{folder / name} is corrupt (its SHA-256 is {str(digests[name])[:12]}..., not"
            f" {files.sha256[name][:12]}...) and is fetched again"
        )
    with locked(root() / f"{files.name}.lock", lambda: progress.say(f"{files.name}: waiting for another fetch")):
        if _digests(folder, files) == files.sha256:
            return origin(files)
        _discard_leftovers(files.name)
        failures = [f"the cache: {', '.join(damaged)} corrupt" if damaged else f"the cache: not in {folder}"]
        for source in files.sources:
            if not (failure := _try(source, folder, files, progress)):
                return origin(files)
            failures.append(f"{source.label}: {failure}")
    tried = [f"  - {failure}" for failure in failures]
    raise GanvasError("\n".join([f"{files.name} could not be fetched; tried in order:", *tried, files.advice]).rstrip())


def _try(source: Source, folder: Path, files: FileSet, progress: Progress) -> str:
    """Fetch from one source, verify, install; empty, or why not. GanvasError: unwritable cache."""
    with _staging(files.name) as work:
        try:
            source.get(work, progress)
            _verify(work, files)
        except NotOfferedError as error:
            return str(error)
        except (SourceError, OSError) as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise _unwritable(root(), error) from error
            progress.say(f"{files.name}: not from {source.label} ({error})")
            return str(error)
        with _writable(root()):
            _install(work, folder, files, source.label)
    progress.say(f"{files.name}: verified by SHA-256, kept in {folder}")
    return ""


def origin(files: FileSet) -> str:
    """One line: which source the cached files came from."""
    note = root() / files.name / "source.txt"
    came_from = note.read_text(encoding="utf-8").strip() if note.is_file() else "placed in the cache by hand"
    return f"{came_from}; verified by SHA-256"


@contextmanager
def locked(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold an exclusive lock on a file between processes; the system frees it when a process dies."""
    with _writable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+b")
    with handle:
        with _writable(path.parent):
            free = try_lock(handle.fileno())
        if not free:
            on_wait()
        while not free:
            time.sleep(0.1)
            free = try_lock(handle.fileno())
        yield


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _matches(content: bytes | None, sha256: str) -> bool:
    return content is not None and hashlib.sha256(content).hexdigest() == sha256


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digests(folder: Path, files: FileSet) -> dict[str, str | None]:
    return {name: _digest(folder / name) for name in files.sha256}


def _verify(work: Path, files: FileSet) -> None:
    for name, expected in files.sha256.items():
        digest = _digest(work / name)
        if digest is None:
            raise SourceError(f"gives no {name}")
        if digest != expected:
            raise SourceError(f"gives a wrong {name} (SHA-256 {digest[:12]}..., not {expected[:12]}...)")


def _install(work: Path, folder: Path, files: FileSet, label: str) -> None:
    folder.mkdir(exist_ok=True)
    (work / "source.txt").write_text(label + "\n", encoding="utf-8")
    for name in (*files.sha256, "source.txt"):
        with (work / name).open("rb+") as file:
            os.fsync(file.fileno())
        (work / name).replace(folder / name)
    sync_folder(folder)


@contextmanager
def _staging(name: str) -> Iterator[Path]:
    with _writable(root()):
        work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root()))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _discard_leftovers(name: str) -> None:
    for leftover in root().glob(f".{name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> GanvasError:
    return GanvasError(
        f"cannot write in the data cache {folder} ({error.strerror}): free some space or set GANVAS_DATA"
        " to another folder"
    )
