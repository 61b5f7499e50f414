"""Tables of encoded pictures and labels, as Hugging Face keeps image data sets: .parquet and .arrow, with pyarrow.

A column of pictures is binary, or a struct of bytes and path. Names of classes come from the schema. Splits are found
by the names of files or of the folders they lie in: train-00000-of-00002.parquet, data/test-..., train/data-....arrow.
Row groups are read as they are needed, so that memory does not hold the files.
"""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets.arrays.labels import Labels, fitting, names_of, to_labels
from ganvas.datasets.pictures.gather import gather_as
from ganvas.datasets.pictures.listing import Entry
from ganvas.datasets.pictures.split_names import kind_of, word_of
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Found, Raw
from ganvas.datasets.reader import Reader, register_reader
from ganvas.datasets.select import balanced, matching_classes, natural
from ganvas.errors import GanvasError, UsageError

SUFFIXES = (".parquet", ".arrow")
IMAGES = ("image", "img", "picture", "images", "jpg", "png")
LABELS = ("label", "labels", "fine_label", "class", "target", "category", "y")
AUTO = ("auto", "folders")
KEPT = 1 << 30  # bytes of row groups in memory
INSTALL = "pip install 'ganvas[data]'"


@dataclass(frozen=True)
class Group:
    """Rows that are read together."""

    name: str
    rows: int
    size: int
    """Bytes in memory; 0 where they are mapped."""
    table: Callable[[list[str]], Any]
    """These columns, as a pyarrow.Table."""


class Rows:
    """The content of one row of the column of pictures at a time; the last groups that were read are kept."""

    def __init__(self, groups: Sequence[Group], column: str):
        self.groups = groups
        self.column = column
        self.starts = np.cumsum([0, *(group.rows for group in groups)])
        self.kept: OrderedDict[int, Any] = OrderedDict()
        self.lock = Lock()

    def open(self, row: int) -> io.BytesIO:
        """The picture of a row, as a file. Raises ValueError where the row names a file instead of holding it."""
        k = int(np.searchsorted(self.starts, row, side="right")) - 1
        with self.lock:
            if k not in self.kept:
                self.kept[k] = self.groups[k].table([self.column]).column(self.column)
                while len(self.kept) > 1 and sum(self.groups[i].size for i in self.kept) > KEPT:
                    self.kept.popitem(last=False)
            self.kept.move_to_end(k)
            value = self.kept[k][row - int(self.starts[k])].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if content is None:
            path = value.get("path") if isinstance(value, dict) else None
            raise ValueError(f"names the file {path} instead of holding it" if path else "holds no picture")
        return io.BytesIO(content)


def read(where: Path, config: DataConfig, progress: Progress) -> Raw:
    """Pictures of the tables at a path as RGB, uint8 [n, 3, size, size], and their labels.

    `label_from` may name the column of labels. Raises UsageError for a split or column that is not there or where
    pyarrow is not, GanvasError for tables without pictures.
    """
    files, split, splits = _of_split(where, config.split)
    try:
        groups, schema = _groups(files)
        column = _picture_column(schema)
        label_column = _label_column(schema, config.label_from, where)

        def read_labels() -> Labels:
            if label_column is None:
                return None, ()
            return _labels([group.table([label_column]).column(0) for group in groups], label_column, schema)

        (labels, class_names), notes = fitting(read_labels, config.labels == "ignore")
    except (ValueError, OSError, KeyError) as error:  # pyarrow's errors are of these kinds
        raise GanvasError(f"{where} cannot be used: {error}") from error
    chosen = matching_classes(config.classes, class_names, str(where))
    order = np.arange(sum(group.rows for group in groups))
    if chosen and labels is not None:
        order = np.flatnonzero(np.isin(labels, chosen))
        labels, class_names = np.searchsorted(chosen, labels), tuple(class_names[k] for k in chosen)
    if config.limit is not None and config.limit < len(order):
        order = order[balanced(labels[order] if labels is not None else np.zeros(len(order), np.int64))]
    rows = Rows(groups, column)
    entries = [Entry(f"row {i}", PurePosixPath(f"row {i}"), partial(rows.open, int(i))) for i in order]
    got = gather_as(config, entries, progress, str(where))
    if len(got.images) < 2:
        reason = f" ({got.problems[0]})" if got.problems else ""
        raise GanvasError(f"{where} holds {len(got.images)} pictures that can be read{reason}: a GAN needs at least 2")
    kept = order[got.files]
    source = f"{where}: {len(files)} files, column '{column}'"
    found = Found(
        split, splits, f"in column {label_column}" if label_column else "", len(order) if config.limit else None,
        rectangles=sum(width != height for width, height in got.shapes),
    )  # fmt: skip
    return Raw(
        got.images, None if labels is None else labels[kept], class_names, source, tuple(got.problems),
        tuple(sorted(set(got.shapes))), (*got.notes, *notes), found,
    )  # fmt: skip


def accepts(where: Path) -> bool:
    """A .parquet or .arrow file, or a folder of them: here, in folders named as splits, or in one folder below."""
    return bool(_files(where))


def _files(where: Path) -> list[Path]:
    if where.is_file():
        return [where] if where.suffix.lower() in SUFFIXES else []
    inside = sorted((path for path in where.iterdir() if not path.name.startswith(".")), key=lambda p: natural(p.name))
    if found := [path for path in inside if path.suffix.lower() in SUFFIXES and path.is_file()]:
        return found
    folders = [path for path in inside if path.is_dir()]
    if all(kind_of(path.name) for path in folders):
        return [file for folder in folders for file in _files(folder)]
    return _files(folders[0]) if len(folders) == 1 else []


def _of_split(where: Path, split: str) -> tuple[list[Path], str, tuple[str, ...]]:
    """(files of a split, its name there, all names); files without a split in their name are the training split."""
    by_name: dict[str, list[Path]] = {}
    for path in _files(where):
        by_name.setdefault(word_of(path.stem) or (path.parent.name if kind_of(path.parent.name) else ""), []).append(
            path
        )
    kinds = {kind_of(name): name for name in by_name}
    wanted = ("train", "") if split == "train" else ("test", "validation")
    name = next((kinds[kind] for kind in wanted if kind in kinds), None)
    if where.is_file() and split == "train":
        (name,) = by_name
    if name is None:
        there = ", ".join(by_name) or "none"
        raise UsageError(f"{where} has no split '{split}' (it has: {there}): name the file itself, or another split")
    return by_name[name], name, tuple(by_name) if len(by_name) > 1 else ()


def _groups(files: Sequence[Path]) -> tuple[list[Group], Any]:
    """The groups of rows of the files, all of one schema, and that schema."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError(f"{files[0]} needs pyarrow: {INSTALL}") from None
    groups: list[Group] = []
    schemas: list[Any] = []
    for path in files:
        try:
            if path.suffix.lower() == ".arrow":
                table = _mapped(path, pa)
                groups.append(Group(path.name, table.num_rows, 0, table.select))
                schemas.append(table.schema)
                continue
            file = parquet.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path.name}: {str(error).splitlines()[0]}") from error
        schemas.append(file.schema_arrow)
        for k in range(file.num_row_groups):
            about = file.metadata.row_group(k)
            groups.append(Group(path.name, about.num_rows, about.total_byte_size, partial(file.read_row_group, k)))
    if any(schema.names != schemas[0].names for schema in schemas):
        raise ValueError(f"its files have other columns than {files[0].name}")
    return groups, schemas[0]


def _mapped(path: Path, pa: Any) -> Any:
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        return pa.ipc.open_file(source).read_all()


def _picture_column(schema: Any) -> str:
    def holds_pictures(field: Any) -> bool:
        children = (
            [field.type.field(i) for i in range(field.type.num_fields)] if "struct<" in str(field.type)[:7] else []
        )
        kinds = [field.type, *(child.type for child in children if child.name == "bytes")]
        return any(str(kind) in ("binary", "large_binary", "binary_view") for kind in kinds)

    found = [field.name for field in schema if holds_pictures(field)]
    if not found:
        raise ValueError(f"none of its columns ({', '.join(schema.names)}) holds encoded pictures (PNG, JPEG, ...)")
    return next((name for name in IMAGES if name in found), str(found[0]))


def _label_column(schema: Any, chosen: str, where: Path) -> str | None:
    if chosen not in AUTO and chosen not in schema.names:
        raise UsageError(f"{where} has no column '{chosen}' (it has: {', '.join(schema.names)})")
    return next((name for name in ((chosen,) if chosen not in AUTO else LABELS) if name in schema.names), None)


def _labels(columns: Sequence[Any], name: str, schema: Any) -> Labels:
    values: NDArray[Any] = np.concatenate([np.asarray(column.to_pylist()) for column in columns])
    if values.dtype.kind == "i" and (values < 0).all():  # as test sets without answers have it
        return None, ()
    return to_labels(values, len(values), _class_names(schema, name))


def _class_names(schema: Any, column: str) -> tuple[str, ...] | None:
    """The names that a ClassLabel of Hugging Face gives, kept as JSON in the schema."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return names_of(features[column]["names"]) or None
    except (KeyError, TypeError, ValueError):
        return None


register_reader(Reader("parquet", accepts, read))
