"""Images that may not fit in memory: rows appended to a file beside the cache, then mapped.

A mapped array is an ndarray like any other. What it reads stays in memory only until RESIDENT bytes were read since;
so whoever goes through it in parts, or takes a batch at a time, needs little memory.
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets import cache
from ganvas.datasets.pixels import PART, Images
from ganvas.datasets.progress import warn
from ganvas.errors import GanvasError

IN_MEMORY = 64 << 20
"""Bytes up to which images stay in memory."""
RESIDENT = 64 << 20
"""Bytes read through a mapped array after which the system may take its pages back."""
SPARE = 512 << 20
"""Bytes that a disk keeps free."""


class Mapped(np.memmap[Any, np.dtype[np.uint8]]):
    """A file of images [n, c, h, w] as a read-only array that keeps few of its pages in memory."""

    _file: BinaryIO | None = None
    _read = 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, np.ndarray) and index.dtype.kind == "i" and self._file is not None:
            return self._rows(index, self._file.fileno())
        found = super().__getitem__(index)
        if isinstance(found, np.ndarray):
            found = found.view(np.ndarray)
            self._read += found.nbytes
            if self._read > RESIDENT:
                self.release()
                self._read = found.nbytes
        return found

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _rows(self, index: NDArray[np.signedinteger[Any]], file: int) -> Images:
        """Single images are read, not mapped: the system maps up to half a megabyte around each."""
        if index.size and not -len(self) <= index.min() <= index.max() < len(self):
            raise IndexError(f"image {index.min()} to {index.max()} of {len(self)}")
        found = np.empty((*index.shape, *self.shape[1:]), np.uint8)
        size = int(np.prod(self.shape[1:]))
        for row, at in zip(found.reshape(index.size, size), (index.reshape(-1) % len(self)).tolist(), strict=True):
            if os.preadv(file, [row.data], at * size) != size:
                raise OSError(f"{self.filename} was cut short while it was in use")
        return found

    def release(self) -> None:
        """Let the system take back what was read; it is read from the file again when needed."""
        with suppress(AttributeError, OSError, ValueError):  # not on every system; nothing is lost without it
            self._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined,unused-ignore]


def map_file(path: Path, shape: tuple[int, ...]) -> Mapped:
    """The images of this shape in a file. Raises OSError, or ValueError for a file of another size."""
    mapped = Mapped(path, np.uint8, "r", shape=shape)
    if hasattr(os, "preadv"):
        mapped._file = path.open("rb", buffering=0)
        weakref.finalize(mapped, mapped._file.close)
    return mapped


class Store:
    """Takes images a part at a time: `expected` of this shape, or more or fewer. They may then stand on disk.

    Where the disk has no room or cannot be written, they stay in memory and one line says so.
    """

    def __init__(self, shape: tuple[int, ...], expected: int) -> None:
        self.shape, self.n = shape, 0
        self.row = int(np.prod(shape))
        self.file: BinaryIO | None = None
        self.array: Images = np.empty((0, *shape), np.uint8)
        if self.row * expected > IN_MEMORY:
            self._open(expected)
        if self.file is None:
            self.array = np.empty((expected, *shape), np.uint8)

    def append(self, images: Images) -> None:
        """Images [k, ...] after those that are there."""
        self.n += len(images)
        self.put(self.n - len(images), images)

    def put(self, at: int, images: Images) -> None:
        """Images [k, ...] in the place of those from number `at` on."""
        if self.file is not None:
            try:
                self.file.seek(at * self.row)
                self.file.write(np.ascontiguousarray(images).data)
                return
            except OSError as error:
                self._to_memory(at, error)
        if self.n > len(self.array):
            larger = np.empty((max(self.n, 3 * len(self.array) // 2), *self.shape), np.uint8)
            larger[: len(self.array)] = self.array
            self.array = larger
        self.array[at : at + len(images)] = images

    def finish(self) -> Images:
        """All images [n, ...]; nothing can be appended from now on."""
        if self.file is None:
            return self.array[: self.n]
        path = Path(self.file.name)
        try:
            self.file.flush()
        except OSError as error:
            self._to_memory(self.n, error)
            return self.array[: self.n]
        self.file.close()
        mapped = map_file(path, (self.n, *self.shape))
        weakref.finalize(mapped, _remove, path)
        return mapped

    def _open(self, expected: int) -> None:
        try:
            folder = scratch_folder()
            if shutil.disk_usage(folder).free < self.row * expected + SPARE:
                raise OSError(0, f"{self.row * expected >> 20} MiB do not fit")
            handle, name = tempfile.mkstemp(".u8", f"{os.getpid()}-", folder)
            os.close(handle)
            self.file = open(name, "w+b", buffering=0)  # noqa: SIM115  closed by `finish`
        except (OSError, GanvasError) as error:
            why = getattr(error, "strerror", None) or error
            warn(f"the images stay in memory, {self.row * expected >> 20} MiB: no room in the data cache ({why})")

    def _to_memory(self, n: int, error: OSError) -> None:
        """What was written so far, n images, taken back into memory."""
        assert self.file is not None
        warn(f"the images stay in memory: {self.file.name} cannot be written ({error.strerror or error})")
        path = Path(self.file.name)
        self.file.close()
        self.file = None
        written = np.fromfile(path, np.uint8)[: n * self.row]
        self.array = np.empty((max(self.n, n), *self.shape), np.uint8)
        self.array.reshape(-1)[: written.size] = written
        _remove(path)


def scratch_folder() -> Path:
    """Where images stand that are not in the cache yet; what processes that died left there is removed. OSError."""
    folder = cache.root() / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.u8"):
        if not _alive(path.name.split("-")[0]):
            _remove(path)
    return folder


def gather(parts: Iterable[Images], shape: tuple[int, ...], expected: int) -> Images:
    """Parts [k, ...] of images of this shape as one array, in memory or mapped."""
    store = Store(shape, expected)
    for part in parts:
        store.append(part)
    return store.finish()


def take(images: Images, index: NDArray[np.integer[Any]]) -> Images:
    """images[index], a part at a time where they are mapped."""
    if not isinstance(images, Mapped):
        return np.asarray(images[index])
    parts = (index[at : at + PART] for at in range(0, len(index), PART))
    return gather((images[part] for part in parts), images.shape[1:], len(index))


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _alive(pid: str) -> bool:
    """Whether a process of this number runs here; where that cannot be known, yes."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True
