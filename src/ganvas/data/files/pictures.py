"""The user's own pictures, in a folder or a zip file: whatever Pillow reads safely, file by file.

Class subfolders become labels (sorted by name; deeper folders count for the class above them). A lone folder
with everything in it is stepped into. Folders `train` and `test`, with nothing beside them, are the splits.
Hidden files are ignored. A file that cannot be read is skipped and reported with its reason.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ganvas.data.files.pixels import square, to_rgb
from ganvas.data.progress import Progress, warn
from ganvas.data.raw import Raw
from ganvas.data.reader import OWN_SIZE, Reader, register_reader
from ganvas.data.select import balanced, matching_classes
from ganvas.errors import GanvasError, UsageError

FORMATS = (
    "PNG",
    "JPEG",
    "MPO",
    "GIF",
    "BMP",
    "DIB",
    "WEBP",
    "TIFF",
    "PPM",
    "TGA",
    "ICO",
    "JPEG2000",
    "AVIF",
    "QOI",
)
SUFFIXES = frozenset(
    [
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".gif",
        ".bmp",
        ".dib",
        ".webp",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".tga",
        ".ico",
        ".jp2",
        ".j2k",
        ".avif",
        ".qoi",
    ]
)
NOT_PICTURES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
LARGEST_PICTURE = 89_478_485  # pixels: Pillow's own guard, an error here rather than a warning
LARGEST_FILE = 128 << 20  # bytes
WORKERS = 4  # each may hold one of the largest pictures
MIN_IMAGES = 2


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


def read(where: Path, split: str, size: int, classes: Sequence[str], limit: int | None, progress: Progress) -> Raw:
    """Pictures of a folder or zip file as RGB, uint8 [n, 3, size, size].

    `limit` takes the classes in turn, by path within a class; a skipped file leaves its place to the next.
    Raises UsageError (unknown class or split) or GanvasError (fewer than two readable pictures).
    """
    with _entries(where) as everything:
        entries = _split([e for e in everything if not _hidden(e.path)], split, where)
        pictures = _pictures(entries)
        others = sorted(set(entries) - set(pictures), key=lambda e: e.name)
        skipped = [f"{e.name}: {'a path' if e.leads_outside else 'a kind of file'} that is not read" for e in others]
        class_names, labels = _classes(pictures, where)
        chosen = matching_classes(classes, class_names, str(where))
        if classes:
            keep = [i for i, label in enumerate(labels) if label in chosen]
            pictures, labels = [pictures[i] for i in keep], [chosen.index(labels[i]) for i in keep]
            class_names = tuple(class_names[k] for k in chosen)
        if limit is not None and limit < len(pictures):
            order = balanced(labels or [0] * len(pictures))
            pictures, labels = [pictures[i] for i in order], [labels[i] for i in order] if labels else []
        images, kept, shapes, unreadable = _decode(pictures, size, limit, progress, str(where))
    skipped += unreadable
    if len(images) < MIN_IMAGES:
        raise GanvasError(_too_few(where, len(images), skipped))
    own_labels = np.array([labels[i] for i in kept], np.int64) if labels else None
    source = f"{where}: {len(images)} pictures, {_span(shapes)}"
    return Raw(images, own_labels, class_names, source, tuple(skipped), tuple(sorted(set(shapes))))


def decode(file: BinaryIO, size: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """One picture as RGB uint8 [3, size, size], and its own width and height. Raises what Pillow raises."""
    from PIL import Image

    with Image.open(file, formats=_formats()) as picture:
        shape = picture.size
        if shape[0] * shape[1] > LARGEST_PICTURE:
            raise ValueError(f"{shape[0]} x {shape[1]} pixels, more than {LARGEST_PICTURE / 1e6:.0f} million")
        picture.draft(None, (4 * size, 4 * size))  # lets a large JPEG decode at a fraction of its size
        small = square(to_rgb(picture), size)
    return np.asarray(small).transpose(2, 0, 1), shape


def _decode(
    pictures: Sequence[Entry], size: int, limit: int | None, progress: Progress, where: str
) -> tuple[NDArray[np.uint8], list[int], list[tuple[int, int]], list[str]]:
    """(images [n, 3, size, size], their positions, their own shapes, "file: reason" of the unreadable)."""
    wanted = len(pictures) if limit is None else min(limit, len(pictures))
    images = np.empty((wanted, 3, size, size), np.uint8)
    kept: list[int] = []
    shapes: list[tuple[int, int]] = []
    skipped: list[str] = []
    with (
        progress.bar(f"reading {where}", wanted, "pictures") as advance,
        _bombs_are_errors(),
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        while (start := len(kept) + len(skipped)) < len(pictures) and len(kept) < wanted:
            part = pictures[start : start + min(256, wanted - len(kept))]
            for i, result in enumerate(pool.map(partial(_try, size=size), part), start):
                if isinstance(result, str):
                    skipped.append(f"{pictures[i].name}: {result}")
                else:
                    images[len(kept)] = result[0]
                    kept.append(i)
                    shapes.append(result[1])
                    advance(1)
    return images[: len(kept)], kept, shapes, skipped


def _try(entry: Entry, size: int) -> tuple[NDArray[np.uint8], tuple[int, int]] | str:
    """The decoded picture, or why there is none."""
    from PIL import UnidentifiedImageError

    try:
        with entry.open() as file:
            content = file.read(LARGEST_FILE + 1)
        if not content:
            return "empty file"
        if len(content) > LARGEST_FILE:
            return f"larger than {LARGEST_FILE >> 20} MiB"
        return decode(io.BytesIO(content), size)
    except UnidentifiedImageError:
        return "not a picture"
    except Exception as error:  # a hostile file may raise anything; none may stop the others
        return " ".join(str(error).split())[:160] or type(error).__name__


@contextmanager
def _bombs_are_errors() -> Iterator[None]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _formats() -> list[str]:
    from PIL import Image

    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


@contextmanager
def _entries(where: Path) -> Iterator[list[Entry]]:
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


def _hidden(path: PurePosixPath) -> bool:
    return any((part.startswith(".") and part != "..") or part.lower() in NOT_PICTURES for part in path.parts)


def _pictures(entries: Sequence[Entry]) -> list[Entry]:
    """Those to open, by path: files named like pictures, or files without any suffix where there are none."""
    named = [e for e in entries if e.looks_like_a_picture]
    bare = [e for e in entries if not e.path.suffix and not e.leads_outside]
    return sorted(named or bare, key=lambda e: e.path.parts)


def _split(entries: Iterable[Entry], split: str, where: Path) -> list[Entry]:
    """The entries of a split, below what they all have in common."""
    entries = _step_in(list(entries))
    tops = {e.path.parts[0] if len(e.path.parts) > 1 else "" for e in entries if e.looks_like_a_picture}
    if tops == {"train", "test"}:
        return [e.below(split) for e in entries if e.path.parts[0] == split]
    if split != "train":
        raise UsageError(
            f"{where} has no split '{split}': put its pictures in two folders, train and test, or use --split train"
        )
    return entries


def _step_in(entries: list[Entry]) -> list[Entry]:
    """Below the one folder that holds all pictures, as many times as there is one."""
    while True:
        pictures = [e for e in entries if e.looks_like_a_picture] or entries
        tops = {e.path.parts[0] if len(e.path.parts) > 1 else "" for e in pictures}
        if len(tops) != 1 or tops == {""}:
            return entries
        top = tops.pop()
        entries = [e.below(top) for e in entries]


def _classes(pictures: Sequence[Entry], where: Path) -> tuple[tuple[str, ...], list[int]]:
    """Class names and a label per picture, both empty where the pictures are not in class folders."""
    tops = [e.path.parts[0] if len(e.path.parts) > 1 else "" for e in pictures]
    names = tuple(sorted(set(tops)))
    if len(names) < 2:
        return (), []
    if "" in names:
        warn(f"{where} has {tops.count('')} pictures beside its folders: all are taken without labels")
        return (), []
    return names, [names.index(top) for top in tops]


def _span(shapes: Sequence[tuple[int, int]]) -> str:
    smallest, largest = min(shapes, key=lambda s: s[0] * s[1]), max(shapes, key=lambda s: s[0] * s[1])
    low, high = f"{smallest[0]}x{smallest[1]}", f"{largest[0]}x{largest[1]}"
    return low if low == high else f"{low} to {high}"


def _too_few(where: Path, n: int, skipped: Sequence[str]) -> str:
    found = {0: "no picture that can be read", 1: "only one picture that can be read"}[n]
    reasons = f" ({len(skipped)} skipped, such as {'; '.join(skipped[:3])})" if skipped else ""
    return f"{where} holds {found}{reasons}: a GAN needs at least {MIN_IMAGES}, and hundreds to learn from"


register_reader(
    Reader(
        "pictures",
        lambda path: path.is_dir() or path.suffix.lower() == ".zip",
        lambda path, config, progress: read(
            path, config.split, config.size or OWN_SIZE, config.classes, config.limit, progress
        ),
    )
)
