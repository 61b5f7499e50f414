"""The files of a folder or a zip: name, path below the top, and how to open each. Hidden files are left out."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from ganvas.errors import GanvasError

SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".gif", ".bmp", ".dib", ".webp", ".tif",
    ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico", ".jp2", ".j2k", ".avif", ".qoi",
})  # fmt: skip
NOT_PICTURES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
LARGEST_FILE = 128 << 20  # bytes


@dataclass(frozen=True)
class Entry:
    """One file: the name to report it by, its path below what counts as the top, how to open it."""

    name: str
    path: PurePosixPath
    open: Callable[[], BinaryIO]

    @property
    def looks_like_a_picture(self) -> bool:
        return self.path.suffix.lower() in SUFFIXES and not self.leads_outside

    @property
    def leads_outside(self) -> bool:
        return ".." in self.path.parts or self.path.is_absolute()

    def below(self, top: str) -> Entry:
        inside = len(self.path.parts) > 1 and self.path.parts[0] == top
        return replace(self, path=PurePosixPath(*self.path.parts[1:])) if inside else self


@contextmanager
def entries(where: Path) -> Iterator[list[Entry]]:
    """The files of a folder or a zip. Raises GanvasError for a zip that cannot be read."""
    if where.is_dir():
        below = ((path.relative_to(where).as_posix(), path) for path in _walk(where, set()))
        yield [Entry(name, PurePosixPath(name), partial(_file, path)) for name, path in below]
        return
    try:
        with zipfile.ZipFile(where) as archive:
            named = [(info.filename.replace("\\", "/"), info) for info in archive.infolist() if not info.is_dir()]
            yield [Entry(name, PurePosixPath(name), partial(_member, archive, info)) for name, info in named]
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise GanvasError(f"{where} is not a zip file that can be read: {error}") from error


def _file(path: Path) -> BinaryIO:
    return path.open("rb")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    """Open a file within a zip. Nothing goes to disk, but memory is finite."""
    if info.file_size > LARGEST_FILE:
        raise ValueError(f"unpacks to {info.file_size >> 20} MiB, more than {LARGEST_FILE >> 20}")
    return cast(BinaryIO, archive.open(info))


def _walk(folder: Path, seen: set[str]) -> Iterator[Path]:
    """Every file below, through links to folders too, but never twice through one folder."""
    if (place := os.path.realpath(folder)) in seen:
        return
    seen.add(place)
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        if path.is_dir():
            yield from _walk(path, seen)
        elif path.is_file() or not path.exists():  # a dead link is worth a line, a pipe would wait for ever
            yield path


def hidden(path: PurePosixPath) -> bool:
    """Whether this is a file that systems leave behind, not the user."""
    return any((part.startswith(".") and part != "..") or part.lower() in NOT_PICTURES for part in path.parts)
