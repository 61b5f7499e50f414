"""Tables of pixels as text, a row an image, as Kaggle gives MNIST and Fashion-MNIST: .csv, .csv.gz, a zip of them.

A label may stand in any column that the header names label (or class, target, y, digit); without a header, first or
last. Splits are files whose names differ in train and test. Rows are read in parts, so that memory holds the pixels and
little more.
"""

from __future__ import annotations

import gzip
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets.arrays.arrays import CHANNELS, sides, to_images
from ganvas.datasets.arrays.labels import Labels, fitting, to_labels
from ganvas.datasets.progress import Advance, Progress
from ganvas.datasets.raw import Raw
from ganvas.datasets.reader import Reader, found_split, register_reader
from ganvas.errors import GanvasError, UsageError, option

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
LABELS = ("label", "labels", "class", "target", "y", "digit", "category")
NUMBERS = ("", "id", "index", "unnamed: 0")
"""Names of columns that only count the rows."""
PART = 1 << 24  # bytes parsed at once
FEWEST = 64
"""Fields in a line from which it may be a row of pixels."""
NEWLINE = 10


@dataclass(frozen=True)
class Table:
    """What the first line says: the mark between fields, whether it is a header, which columns hold what."""

    mark: str
    header: bool
    width: int
    label: int | None
    others: tuple[int, ...] = ()
    """Columns that are neither pixels nor the label."""


def read(where: Path, config: DataConfig, progress: Progress) -> Raw:
    """Images [n, 1 or 3, side, side] and labels of a table, or of the table of a split in a folder or zip.

    Raises UsageError for a split that is not there, GanvasError for rows that are no square images.
    """
    name, open_it, size = _of_split(where, config.split)
    try:
        with open_it() as file, progress.bar(f"reading {name}", size) as advance:
            table, rest = _first_line(file, config)
            parts = list(_parts(file, rest, table, advance))
        if not parts:
            raise ValueError("it has no rows")
        images, notes = to_images(np.concatenate([pixels for pixels, _ in parts]))
        column = np.concatenate([labels for _, labels in parts]) if table.label is not None else None

        def labels() -> Labels:
            return (None, ()) if column is None else to_labels(column, len(images))

        (numbers, class_names), unused = fitting(labels, config.labels == "ignore")
    except (ValueError, OSError, EOFError, zlib.error, zipfile.BadZipFile, MemoryError) as error:
        raise GanvasError(f"{name} cannot be used: {error}") from error
    found = found_split(config.split, lambda split: _of_split(where, split)[0])
    said = "no column is a label" if table.label is None else f"column {table.label + 1} is the label"
    return Raw(images, numbers, class_names, f"{name}: {len(images)} rows", notes=(*notes, said, *unused), found=found)


def accepts(where: Path) -> bool:
    """A table of pixels, a folder or zip with one and no pictures. Only first lines are looked at."""
    try:
        return any(_is_table(open_it) for _, open_it, _ in _tables(where))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError):
        return False


def _tables(where: Path) -> list[tuple[str, Callable[[], IO[bytes]], int | None]]:
    """Name, a way to open it and its size of each table at a path; none where a folder or zip holds other things."""
    if where.is_file() and where.suffix.lower() == ".zip":
        with zipfile.ZipFile(where) as archive:
            named = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
        if not named or not all(info.filename.lower().endswith(SUFFIXES) for info in named):
            return []
        return [(f"{where}/{info.filename}", lambda i=info: _member(where, i), info.file_size) for info in named]  # type: ignore[misc]
    paths = [where] if where.is_file() else [path for path in where.iterdir() if not path.name.startswith(".")]
    if where.is_dir() and any(path.is_dir() for path in paths):
        return []
    found = sorted(path for path in paths if path.name.lower().endswith(SUFFIXES))
    return [(str(path), lambda p=path: _opened(p), _size(path)) for path in found]  # type: ignore[misc]


def _size(path: Path) -> int | None:
    return None if path.suffix == ".gz" else path.stat().st_size


@contextmanager
def _member(where: Path, info: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(where) as archive, archive.open(info) as file:
        if info.filename.lower().endswith(".gz"):
            with gzip.open(file) as unpacked:
                yield cast(IO[bytes], unpacked)
        else:
            yield file


def _opened(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))


def _is_table(open_it: Callable[[], Any]) -> bool:
    with open_it() as file:
        line: bytes = file.readline(1 << 17)
    return max(line.count(mark) for mark in (b",", b";", b"\t")) >= FEWEST


def _of_split(where: Path, split: str) -> tuple[str, Callable[[], Any], int | None]:
    if where.is_file() and where.suffix.lower() != ".zip":
        pair = where.with_name(where.name.replace("train", "test"))
        if split == "test" and "test" not in pair.name:
            raise UsageError(
                f"{where} has no split 'test': name the table of its test images, or use {option('--split train')}"
            )
        if split == "test" and not pair.is_file():
            raise UsageError(f"{where} has no split 'test' ({pair.name} is not there): use {option('--split train')}")
        return _tables(pair if split == "test" else where)[0]
    tables = [table for table in _tables(where) if _is_table(table[1])]
    test = [table for table in tables if "test" in Path(table[0]).name.lower()]
    found = test if split == "test" else [table for table in tables if table not in test]
    if len(found) != 1:
        names = ", ".join(Path(table[0]).name for table in tables)
        raise UsageError(f"{where} has {len(found)} tables for the split '{split}' ({names}): name the file itself")
    return found[0]


def _first_line(file: IO[bytes], config: DataConfig) -> tuple[Table, bytes]:
    """The table, and the first line if it is a row already."""
    line = file.readline(1 << 22).removeprefix(b"\xef\xbb\xbf")
    text = line.decode("utf-8", "replace").strip("\r\n")
    mark = max(",;\t", key=text.count)
    fields = [field.strip().strip("\"'") for field in text.split(mark)]
    header = sum(not _is_number(field) for field in fields) > 1 or fields[0].lower() in LABELS
    width = len(fields)
    if header:
        names = [field.lower() for field in fields]
        label = next((names.index(name) for name in _label_names(config) if name in names), None)
        others = tuple(i for i, name in enumerate(names) if i != label and (name in NUMBERS or _is_other(name, names)))
    else:
        label, others = None, ()
        if not sides(width) and sides(width - 1):
            label = 0 if _is_whole(fields[0]) or not _is_whole(fields[-1]) else width - 1
    pixels = width - (label is not None) - len(others)
    if not sides(pixels):
        raise ValueError(
            f"its rows have {pixels} pixels, which make no square image of {' or '.join(map(str, CHANNELS[:2]))} "
            "channels: save them as an npz file, [n, h, w, c]"
        )
    return Table(mark, header, width, label, others), b"" if header else line


def _label_names(config: DataConfig) -> tuple[str, ...]:
    chosen = config.label_from.lower()
    return LABELS if chosen in ("auto", "folders") else (chosen,)


def _is_other(name: str, names: list[str]) -> bool:
    """A column without a number in its name, among columns that are numbered."""
    return not re.search(r"\d", name) and sum(bool(re.search(r"\d", each)) for each in names) > len(names) // 2


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_whole(text: str) -> bool:
    return text.isdecimal() or not _is_number(text)


def _parts(file: IO[bytes], rest: bytes, table: Table, advance: Advance) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """(pixels [m, d], labels [m]) of some rows at a time."""
    row = 1
    while content := file.read(PART):
        advance(len(content))
        whole, newline, left = (rest + content).rpartition(b"\n")
        rest = left if newline else rest + content
        if whole.strip():
            yield (part := _parsed(whole, table, row))
            row += len(part[0])
    if rest.strip():
        yield _parsed(rest, table, row)


def _parsed(content: bytes, table: Table, row: int) -> tuple[NDArray[Any], NDArray[Any]]:
    content = content.replace(b"\r\n", b"\n").strip(b"\n") + b"\n"
    values = _small_numbers(content, table)
    if values is not None:
        apart = [i for i in (table.label, *table.others) if i is not None]
        labels = values[:, table.label] if table.label is not None else values[:, 0]
        pixels = np.delete(values, apart, axis=1)
        if pixels.max() < 256:
            return pixels.astype(np.uint8), labels.astype(np.int64)
        return pixels, labels.astype(np.int64)
    return _any_numbers(content, table, row)


def _small_numbers(content: bytes, table: Table) -> NDArray[np.uint16] | None:
    """Rows of whole numbers of one to three digits, [m, width], all at once; None where there is anything else."""
    text = np.frombuffer(content, np.uint8)
    digit = text - np.uint8(48)  # wraps: whatever is no digit becomes 10 or more
    ends = np.flatnonzero(digit > 9)
    if len(ends) % table.width:
        return None
    lengths = np.diff(ends, prepend=-1) - 1
    last = text[ends].reshape(-1, table.width)
    lines_end = (last[:, -1] == NEWLINE).all() and (last[:, :-1] == ord(table.mark)).all()
    if not lines_end or lengths.min() < 1 or lengths.max() > 3:
        return None
    values = digit[ends - 1].astype(np.uint16)
    values += np.where(lengths > 1, digit[ends - 2], np.uint8(0)) * np.uint16(10)
    values += np.where(lengths > 2, digit[ends - 3], np.uint8(0)) * np.uint16(100)
    return values.reshape(-1, table.width)


def _any_numbers(content: bytes, table: Table, row: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows of any numbers, with labels that may be text: a line at a time."""
    labels: list[str] = []
    lines = content.decode("utf-8", "replace").splitlines()
    pixels = np.empty((len(lines), table.width - (table.label is not None) - len(table.others)), np.float32)
    for i, line in enumerate(lines):
        fields = line.replace('"', "").split(table.mark)
        if len(fields) != table.width:
            raise ValueError(f"row {row + i} has {len(fields)} values, not {table.width}")
        labels.append(fields[table.label].strip() if table.label is not None else "")
        apart = {table.label, *table.others}
        pixels[i] = _numbers([field for k, field in enumerate(fields) if k not in apart], row + i)
    column = np.array(labels)
    whole = all(_is_number(label) and float(label).is_integer() for label in labels)
    return _as_integers(pixels), column.astype(np.float64).astype(np.int64) if whole else column


def _numbers(fields: list[str], row: int) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = np.fromstring(" ".join(fields), sep=" ")
        except (ValueError, DeprecationWarning):
            values = np.empty(0)
    if len(values) != len(fields):
        bad = next(field.strip() for field in fields if not _is_number(field))
        raise ValueError(f"row {row} holds {repr(bad[:20]) if bad else 'nothing'} in the place of a number")
    return values


def _as_integers(values: NDArray[np.float32]) -> NDArray[Any]:
    if (values == np.rint(values)).all() and values.min() >= 0 and values.max() <= 65535:
        return values.astype(np.uint16 if values.max() > 255 else np.uint8)
    return values


register_reader(Reader("CSV", accepts, read))
