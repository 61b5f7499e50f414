"""The members of zip and tar files, read where they lie: nothing is unpacked under a name, links are not followed."""

from __future__ import annotations

import io
import lzma
import os
import shutil
import struct
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from ganvas.datasets.pictures.names import decode_all, readable
from ganvas.errors import GanvasError

LARGEST_FILE = 128 << 20
"""Bytes of a member that is opened."""
LARGEST_RATIO = 200
"""Bytes to which a compressed tar may grow for each of its own, from SMALL_TAR on: pictures hardly grow."""
SMALL_TAR = 256 << 20
TAR = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz")
LOCK = threading.Lock()  # for systems without a read at a position
UTF8, UNICODE_PATH = 0x800, 0x7075  # a zip's flag, and the extra field that some writers use instead


@dataclass(frozen=True)
class Members:
    """(name, how to open it) of each file, "name: reason" of what is never opened, lines on how names were read."""

    files: list[tuple[str, Callable[[], BinaryIO]]]
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def is_tar(name: str) -> bool:
    """Whether a file of this name is a tar, compressed or not."""
    return name.lower().endswith(TAR)


@contextmanager
def members(where: Path, encoding: str = "auto") -> Iterator[Members]:
    """The files in a zip or a tar. Raises GanvasError where it cannot be read, UsageError for a wrong encoding."""
    with _tar(where, encoding) if is_tar(where.name) else _zip(where, encoding) as found:
        yield found


@contextmanager
def all_members(archives: Sequence[Path]) -> Iterator[list[Members]]:
    """Those of several archives."""
    with ExitStack() as stack:
        yield [stack.enter_context(members(path)) for path in archives]


@contextmanager
def _zip(where: Path, encoding: str) -> Iterator[Members]:
    try:
        with zipfile.ZipFile(where) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            names, guess = _names(infos, encoding)
            files = [
                (name, partial(_zip_member, archive, info))
                for name, info in zip(names, infos, strict=True)
                if not name.endswith("/")
            ]
            yield Members(cast("list[tuple[str, Callable[[], BinaryIO]]]", files), notes=_guessed(where, guess))
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise GanvasError(f"{where} is not a zip file that can be read: {error}") from error


def _guessed(where: Path, encoding: str) -> tuple[str, ...]:
    return (f"the names in {where.name} are read as {encoding}; data.encoding names another",) if encoding else ()


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    """Open a file within a zip. Nothing goes to disk, but memory is finite."""
    _check_size(info.file_size)
    return cast(BinaryIO, archive.open(info))


def _names(infos: Sequence[zipfile.ZipInfo], encoding: str) -> tuple[list[str], str]:
    """The name of each member, and the encoding that was guessed for those that do not say theirs.

    Backslashes separate folders for some writers. They are replaced only in the decoded name: the second byte of a
    Japanese or Chinese letter may be the code of a backslash.
    """
    told = [_told_name(info) for info in infos]
    raw = [info.orig_filename.encode("cp437") for info, name in zip(infos, told, strict=True) if name is None]
    decoded, guess = decode_all([name.split(b"\0")[0] for name in raw], encoding)
    rest = iter(decoded)
    return [(next(rest) if name is None else name).replace("\\", "/") for name in told], guess if raw else ""


def _told_name(info: zipfile.ZipInfo) -> str | None:
    """The name of a member whose writer said that it is UTF-8."""
    if info.flag_bits & UTF8:
        return info.orig_filename.split("\0")[0]
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == UNICODE_PATH and length > 5:
            crc = struct.unpack("<L", extra[5:9])[0]
            if crc == zlib.crc32(info.orig_filename.encode("cp437")):
                return extra[9 : 4 + length].decode("utf-8", "replace")
        extra = extra[4 + length :]
    return None


@contextmanager
def _tar(where: Path, encoding: str) -> Iterator[Members]:
    """A tar's members by their place in it; a compressed tar is unpacked once, into a temporary file without a name."""
    try:
        with ExitStack() as stack:
            file: BinaryIO = stack.enter_context(where.open("rb"))
            if where.suffix.lower() != ".tar":
                file = stack.enter_context(_unpacked(where, file))
            with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
                everything = [member for member in archive if not member.isdir()]
            raw = [member.name.encode("utf-8", "surrogateescape") for member in everything]
            names, guess = decode_all(raw, encoding)
            named = [(name.removeprefix("./"), member) for name, member in zip(names, everything, strict=True)]
            yield Members(
                [(name, partial(_part, file, m.offset_data, m.size)) for name, m in named if not _refusal(m)],
                tuple(f"{readable(name)}: {reason}" for name, m in named if (reason := _refusal(m))),
                _guessed(where, guess),
            )
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise GanvasError(f"{where} is not a tar file that can be read: {error}") from error


def _refusal(member: tarfile.TarInfo) -> str:
    """Why a member is never opened; empty for files and folders."""
    if member.issym() or member.islnk():
        return f"a link (to {member.linkname}), which is not followed"
    if member.issparse():
        return "a sparse file, which is not read"
    return "" if member.isfile() else "a device or pipe, which is not read"


@contextmanager
def _unpacked(where: Path, file: BinaryIO) -> Iterator[BinaryIO]:
    """The plain tar inside of a compressed one, for reading its members in any order."""
    import bz2
    import gzip

    suffix = where.suffix.lower()
    kinds: dict[str, Any] = {".gz": gzip.open, ".tgz": gzip.open, ".xz": lzma.open, ".txz": lzma.open}
    unpack = kinds.get(suffix, bz2.open)
    largest = max(SMALL_TAR, LARGEST_RATIO * where.stat().st_size)
    with tempfile.TemporaryFile(prefix="ganvas-") as plain:
        try:
            with unpack(file) as stream:
                while part := stream.read(1 << 20):
                    plain.write(part)
                    if plain.tell() > largest:
                        raise GanvasError(
                            f"{where} unpacks to more than {LARGEST_RATIO} times its size: unpack it first"
                        )
            plain.flush()
            plain.seek(0)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            if isinstance(error, OSError) and error.errno:
                free = shutil.disk_usage(tempfile.gettempdir()).free >> 20
                why = f"{error.strerror}, {free} MiB free in {tempfile.gettempdir()}"
                raise GanvasError(f"{where} cannot be unpacked ({why}): unpack it into a folder yourself") from error
            raise GanvasError(f"{where} is not a tar file that can be read: {error}") from error
        yield cast(BinaryIO, plain)


def _part(file: BinaryIO, offset: int, size: int) -> BinaryIO:
    """A member as a file; several threads may read at once."""
    _check_size(size)
    content = _pread(file, size, offset)
    if len(content) < size:
        raise ValueError("cut short")
    return io.BytesIO(content)


def _pread(file: BinaryIO, size: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), size, offset)
    with LOCK:
        file.seek(offset)
        return file.read(size)


def _check_size(size: int) -> None:
    if size > LARGEST_FILE:
        raise ValueError(f"unpacks to {size >> 20} MiB, more than {LARGEST_FILE >> 20}")
