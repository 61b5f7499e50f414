"""The files of a folder or an archive: name, path below the top, and how to open each. Hidden files are left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ganvas.datasets.pictures import archives
from ganvas.datasets.pictures.names import readable
from ganvas.datasets.pictures.split_names import word_of

SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".gif", ".bmp", ".dib", ".webp", ".tif",
    ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico", ".jp2", ".j2k", ".avif", ".qoi", ".heic",
    ".heif", ".hif",
})  # fmt: skip
NOT_PICTURES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
LARGEST_FILE = archives.LARGEST_FILE


@dataclass(frozen=True)
class Entry:
    """One file: the name to report it by, its path below what counts as the top, how to open it."""

    name: str
    path: PurePosixPath
    open: Callable[[], BinaryIO]

    @cached_property
    def looks_like_a_picture(self) -> bool:
        return self.path.suffix.lower() in SUFFIXES and not self.leads_outside

    @property
    def on_disk(self) -> str | None:
        """Where it is as a file of its own; None within an archive."""
        opened = self.open
        return opened.args[0] if isinstance(opened, partial) and opened.func is _file else None

    @property
    def leads_outside(self) -> bool:
        return ".." in self.path.parts or self.path.is_absolute()

    @cached_property
    def folder(self) -> str:
        """The first folder of its path; empty for a file at the top."""
        return self.path.parts[0] if len(self.path.parts) > 1 else ""

    def below(self, top: str) -> Entry:
        """The same file with its path below a folder; unchanged if it lies elsewhere."""
        if not top or self.folder != top:
            return self
        return Entry(self.name, PurePosixPath(*self.path.parts[1:]), self.open)


@dataclass(frozen=True)
class Listing:
    """What there is: the files, "file: reason" for members never opened, lines on how names were read."""

    entries: list[Entry]
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@contextmanager
def entries(where: Path, encoding: str = "auto") -> Iterator[Listing]:
    """The files of a folder, a zip, a tar, or a folder of tar shards; they can be opened within this context.

    `encoding` is that of a zip's names where they are not UTF-8. Raises GanvasError for an archive that cannot be
    read, UsageError for an encoding that does not fit.
    """
    if not where.is_dir():
        with archives.members(where, encoding) as found:
            yield _listing([("", found)])
        return
    below = _walk(str(where), "", set())
    files = [Entry(readable(name), PurePosixPath(name), partial(_file, path)) for name, path in below]
    shards = [] if any(e.looks_like_a_picture for e in files) else [e for e in files if archives.is_tar(e.path.name)]
    if not shards:
        yield Listing(files)
        return
    with archives.all_members([where / e.path for e in shards]) as found_in:
        yield _listing([(e.path.as_posix(), found) for e, found in zip(shards, found_in, strict=True)])


def _listing(found: Sequence[tuple[str, archives.Members]]) -> Listing:
    """Members of several archives as files.

    Each archive counts as a folder of its name without the suffix, below one of its split where all names say one.
    """
    files: list[Entry] = []
    splits = [word_of(PurePosixPath(shard).name) for shard, _ in found]
    for (shard, members), split in zip(found, splits, strict=True):
        top = PurePosixPath(split if all(splits) else "", shard.split(".tar")[0]).as_posix() if shard else ""
        for name, opener in members.files:
            path = PurePosixPath(top, name) if top and not name.startswith("/") else PurePosixPath(name)
            files.append(Entry(readable(f"{shard}/{name}" if shard else name), path, opener))
    refused = tuple(f"{shard}/{line}" if shard else line for shard, members in found for line in members.refused)
    return Listing(files, refused, tuple(dict.fromkeys(line for _, members in found for line in members.notes)))


def _file(path: str) -> BinaryIO:
    return open(path, "rb")


def _walk(folder: str, below: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    """(name below the top, path) of every file, through links to folders too, but never twice through one folder."""
    if (place := os.path.realpath(folder)) in seen:
        return
    seen.add(place)
    with os.scandir(folder) as found:
        entries = sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    for entry in entries:
        if entry.is_dir():
            yield from _walk(entry.path, f"{below}{entry.name}/", seen)
        elif entry.is_file() or not os.path.exists(entry.path):  # a dead link is worth a line, a pipe would wait
            yield below + entry.name, entry.path


def hidden(path: PurePosixPath) -> bool:
    """Whether this is a file that systems leave behind, not the user."""
    return any((part.startswith(".") and part != "..") or part.lower() in NOT_PICTURES for part in path.parts)
