"""The user's own sets as they were decoded, kept in the data cache: the second start maps them instead of decoding.

<data cache>/decoded/
  3f2a.../            images.u8, labels.npy (where there are labels), facts.json
  3f2a....lock        held while a process decodes; others wait and then find the set
  .3f2a...-x7f2k/     a set being written; renamed when it is whole

A set is known by what its files are (names, sizes, times of change), by what they are read as, and by the versions of
what reads them. Sets that were not used for longest go first when all together exceed LIMIT.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ganvas
from ganvas.config import DataConfig
from ganvas.datasets import cache
from ganvas.datasets.pixels import Images
from ganvas.datasets.progress import Progress, warn
from ganvas.datasets.scratch import IN_MEMORY, Mapped, map_file
from ganvas.errors import GanvasError

VERSION = 2
"""Raised when what is kept, or how it is made, changes."""
LIMIT = 20 << 30
"""Bytes of all kept sets together; the newest one may exceed it alone."""
SLOW = 2.0
"""Seconds of reading from which on a small set is kept too."""
BLOCK, CHECKED = 16 << 20, 64
"""Bytes of a block of images with a digest of its own, and the number of blocks that are checked at a start."""
BESIDE = ("label", "metadata", "dataset.json", "test", "t10k", "mapping")
"""Files beside a file that may belong to it have these in their names, or begin with its name."""
NO_PIXELS = ("name", "labels", "flip", "held_out")
"""Settings that do not change what is kept."""


@dataclass(frozen=True)
class Key:
    """A set as it would be kept: its name in the cache; files and bytes that would be read."""

    name: str
    files: int
    bytes: int

    @property
    def folder(self) -> Path:
        return home() / self.name


@dataclass(frozen=True)
class Kept:
    """images [n, c, h, w], labels [n] or None, and what else was found, as JSON values."""

    images: Images
    labels: NDArray[np.int64] | None
    facts: dict[str, Any]


def key_of(path: Path, config: DataConfig, reader: str) -> Key:
    """What decides how the set at a path is decoded. Raises OSError where it cannot be listed."""
    import PIL

    root = os.path.realpath(path)
    settings = {name: value for name, value in asdict(config).items() if name not in NO_PIXELS}
    settings |= {"unlabelled": config.labels == "ignore", "reader": reader, "kept": VERSION}
    settings |= {"ganvas": ganvas.__version__, "pillow": PIL.__version__}
    digest, files, size = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()), 0, 0
    for name, stat in sorted(_listing(root), key=lambda found: found[0]):
        digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
        files, size = files + 1, size + stat.st_size
    if os.path.isfile(config.label_from):
        stat = os.stat(config.label_from)
        digest.update(f"labels\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return Key(digest.hexdigest()[:32], files, size)


def find(key: Key) -> Kept | None:
    """The set if it is kept and undamaged; a damaged one is removed with a line."""
    facts_file = key.folder / "facts.json"
    try:
        facts = json.loads(facts_file.read_bytes())
    except (OSError, ValueError):
        return None
    try:
        shape, images_file = tuple(facts["shape"]), key.folder / "images.u8"
        if not _whole(images_file, int(np.prod(shape)), facts["blocks"]):
            raise ValueError("its content changed")
        labels = np.load(key.folder / "labels.npy", allow_pickle=False) if facts["labelled"] else None
        small = int(np.prod(shape)) <= IN_MEMORY
        images = np.fromfile(images_file, np.uint8).reshape(shape) if small else map_file(images_file, shape)
    except (OSError, ValueError, KeyError, TypeError) as error:
        warn(f"{key.folder} is damaged ({error}): the files are read again")
        shutil.rmtree(key.folder, ignore_errors=True)
        return None
    with suppress(OSError):
        os.utime(facts_file)
    return Kept(images, labels, facts)


def worth_keeping(images: Images, seconds: float) -> bool:
    """Whether reading took long, or the set is large."""
    return images.nbytes > IN_MEMORY or seconds > SLOW


def keep(key: Key, images: Images, labels: NDArray[np.int64] | None, facts: dict[str, Any]) -> Images:
    """Keep a set for the next start. Returns its images, mapped if they are large; where that fails, as they were."""
    folder = key.folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make_room(images.nbytes)
        if shutil.disk_usage(folder.parent).free < (0 if isinstance(images, Mapped) else images.nbytes):
            raise OSError(0, f"{images.nbytes >> 20} MiB do not fit")
        work = Path(tempfile.mkdtemp(prefix=f".{key.name}-", dir=folder.parent))
        try:
            _write(work, images, labels, facts)
            shutil.rmtree(folder, ignore_errors=True)
            work.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except (OSError, GanvasError) as error:
        warn(f"the decoded images are not kept for the next start ({getattr(error, 'strerror', None) or error})")
        return images
    return map_file(folder / "images.u8", images.shape) if images.nbytes > IN_MEMORY else images


@contextmanager
def making(key: Key, progress: Progress) -> Iterator[None]:
    """While a set is decoded: other processes that need it wait. Small sets, and read-only caches, have no lock."""
    with ExitStack() as stack:
        if key.bytes > IN_MEMORY:
            with suppress(GanvasError):  # it shows again, with a line, where something would be written
                lock = home() / f"{key.name}.lock"
                stack.enter_context(cache.locked(lock, lambda: progress.say("waiting for another process to read it")))
                for left in home().glob(f".{key.name}-*"):
                    shutil.rmtree(left, ignore_errors=True)
        yield


def listed() -> list[tuple[Path, int, dict[str, Any]]]:
    """(folder, bytes, facts) of each kept set, the one that was used last first."""
    found = []
    for facts_file in home().glob("*/facts.json"):
        with suppress(OSError, ValueError):
            size = sum(file.stat().st_size for file in facts_file.parent.iterdir())
            found.append((facts_file.stat().st_mtime, facts_file.parent, size, json.loads(facts_file.read_bytes())))
    return [(folder, size, facts) for _, folder, size, facts in sorted(found, key=lambda row: row[0], reverse=True)]


def clear() -> int:
    """Remove every kept set. Returns the bytes that this frees."""
    freed = sum(size for _, size, _ in listed())
    shutil.rmtree(home(), ignore_errors=True)
    return freed


def home() -> Path:
    """The folder of the kept sets."""
    return cache.root() / "decoded"


def _make_room(size: int) -> None:
    """Remove the sets that were not used for longest, until one of this size fits below LIMIT."""
    rows = listed()
    while rows and sum(row[1] for row in rows) + size > LIMIT:
        folder, freed, facts = rows.pop()
        warn(f"{freed >> 20} MiB of decoded images of {facts.get('where')} leave the data cache, to make room")
        shutil.rmtree(folder, ignore_errors=True)


def _write(work: Path, images: Images, labels: NDArray[np.int64] | None, facts: dict[str, Any]) -> None:
    file = work / "images.u8"
    if isinstance(images, Mapped):
        os.replace(str(images.filename), file)
    else:
        images.tofile(file)
    if labels is not None:
        np.save(work / "labels.npy", labels, allow_pickle=False)
    blocks = [_digest(file, i) for i in range(-(-images.nbytes // BLOCK))]
    about = {**facts, "shape": list(images.shape), "labelled": labels is not None, "blocks": blocks}
    (work / "facts.json").write_text(json.dumps(about), "utf-8")


def _whole(file: Path, size: int, blocks: list[str]) -> bool:
    """Whether the images have the size and digests they were kept with; of large files, some blocks all over it."""
    if file.stat().st_size != size or len(blocks) != -(-size // BLOCK):
        return False
    chosen = np.unique(np.linspace(0, len(blocks) - 1, min(len(blocks), CHECKED)).astype(int))
    return all(_digest(file, int(i)) == blocks[i] for i in chosen)


def _digest(file: Path, block: int) -> str:
    with file.open("rb") as content:
        content.seek(block * BLOCK)
        return hashlib.sha256(content.read(BLOCK)).hexdigest()


def _listing(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """(path below the root, its stat) of each file of a set, hidden ones left out."""
    if os.path.isdir(root):
        yield from _below(root, "", set())
        return
    own = os.path.basename(root)
    stem = own.split(".")[0]
    for name in os.listdir(os.path.dirname(root) or "."):
        if name == own or name.startswith(stem) or any(word in name.lower() for word in BESIDE):
            path = os.path.join(os.path.dirname(root), name)
            if os.path.isfile(path):
                yield name, os.stat(path)


def _below(folder: str, prefix: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, os.stat_result]]:
    """Every file, through links to folders too, but never twice through one folder."""
    place = os.stat(folder)
    if (place.st_dev, place.st_ino) in seen:
        return
    seen.add((place.st_dev, place.st_ino))
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _below(entry.path, f"{prefix}{entry.name}/", seen)
            else:
                with suppress(OSError):  # a dead link
                    yield prefix + entry.name, entry.stat()
