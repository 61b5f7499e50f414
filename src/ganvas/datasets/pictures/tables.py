"""Tables of labels beside pictures: StyleGAN's dataset.json, Hugging Face's metadata.jsonl or .csv, labels.csv."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from ganvas.datasets.pictures.listing import LARGEST_FILE, Entry
from ganvas.datasets.pictures.names import decode_text, readable
from ganvas.datasets.pictures.split_names import KINDS, kind_of, word_of
from ganvas.errors import GanvasError, UsageError

Pair = tuple[str, str]  # the name of a picture as the table has it, and its class
ClassOf = Callable[[Entry], str | None]

FILE_COLUMNS = (
    "file_name", "filename", "file", "filepath", "file_path", "path", "image", "image_path", "image_name", "img",
    "image_id", "id", "name",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "class", "class_name", "classname", "target", "category", "category_name", "class_id",
    "label_name", "breed", "species", "y",
)  # fmt: skip
SPLIT = "|".join(KINDS)
WORD = "labels?|metadata|classes|annotations?|targets?"
TABLE = re.compile(rf"((({SPLIT})[_-]?)?({WORD})([_-]?({SPLIT}))?|({SPLIT}))\.(csv|tsv|jsonl)", re.IGNORECASE)
"""Names of tables that are looked for: labels.csv, metadata.jsonl, train.csv, train_labels.csv and the like."""
DATASET = "dataset.json"
ROWS_TO_GUESS = 200
"""Rows from which the columns of a table are guessed."""


def is_table(name: str) -> bool:
    """Whether a file of this name is looked into for labels."""
    return name == DATASET or bool(TABLE.fullmatch(name))


def find(pictures: Sequence[Entry], others: Sequence[Entry]) -> tuple[ClassOf, str] | None:
    """The classes of tables with a usual name that know these pictures: (class of a picture, "in labels.csv")."""
    candidates = [e for e in others if e.path.name == DATASET] or [e for e in others if TABLE.fullmatch(e.path.name)]
    lookups = []
    for entry in sorted(candidates, key=lambda e: e.name):
        beside = [e for e in _all_below(pictures, entry) if _same_split(e, entry)]
        if beside and (pairs := _read(entry, beside)):
            lookups.append((entry, _lookup(pairs, beside)))
    if not lookups:
        return None

    def class_of(picture: Entry) -> str | None:
        for entry, lookup in lookups:
            if (
                (inner := _below(picture, entry)) is not None
                and _same_split(picture, entry)
                and (found := lookup(inner))
            ):
                return found
        return None

    names = list(dict.fromkeys(PurePosixPath(entry.name).name for entry, _ in lookups))
    return class_of, f"in {' and '.join(names[:2])}"


def named(name: str, pictures: Sequence[Entry], others: Sequence[Entry], where: Path) -> tuple[ClassOf, str]:
    """The classes of one table, by its path within the set or on disk. Raises UsageError where it is of no use."""
    path = Path(name).expanduser()
    inside = next((e for e in others if e.name == readable(name) or PurePosixPath(e.name).name == readable(name)), None)
    entry = inside or (Entry(path.name, PurePosixPath(path.name), partial(_open, path)) if path.is_file() else None)
    if entry is None:
        raise UsageError(
            f"data.label_from: no file '{name}' in {where} or here (or auto, folders, name:REGEX, path:REGEX)"
        )
    beside = _all_below(pictures, entry) if inside else list(pictures)
    pairs = _read(entry, beside)
    if not pairs:
        raise UsageError(f"data.label_from: {name} has no column that names pictures of {where} beside one of classes")
    lookup = _lookup(pairs, beside)
    home = entry if inside else None
    return lambda e: lookup(_below(e, home) or e.name), f"in {entry.path.name}"


def _below(picture: Entry, table: Entry | None) -> str | None:
    """The path of a picture as seen from the folder of a table; None where it is not below."""
    home = table.name.rpartition("/")[0] if table else ""
    if not home:
        return picture.name
    return picture.name[len(home) + 1 :] if picture.name.startswith(f"{home}/") else None


def _all_below(pictures: Sequence[Entry], table: Entry) -> list[Entry]:
    return [e for e in pictures if _below(e, table) is not None]


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _same_split(picture: Entry, table: Entry) -> bool:
    """Whether a table such as train.csv is of the split that the picture's folders name; other tables are of all."""
    kind = _kind_of_table(table.name)
    if not kind:
        return True
    own = next((found for part in picture.name.split("/") if (found := kind_of(part))), "train")
    return kind == own


@cache
def _kind_of_table(name: str) -> str:
    return kind_of(word_of(PurePosixPath(name).name))


def _lookup(pairs: Sequence[Pair], pictures: Sequence[Entry]) -> Callable[[str], str | None]:
    """From a picture's path to its class: by the whole path, or by its end where no two pictures share it."""
    table = {_clean(name): label for name, label in pairs}
    ends = Counter(end for e in pictures for end in _ends(e.name))

    def class_of(path: str) -> str | None:
        own = _ends(path)
        exact = next((table[end] for end in own[:2] if end in table), None)
        return exact or next((table[end] for end in own if end in table and ends[end] == 1), None)

    return class_of


def _ends(path: str) -> list[str]:
    """The path without its first folders, with and without its suffix: a/b/1.png -> b/1.png, b/1, 1.png, 1."""
    whole, without = path, os.path.splitext(path)[0]
    ends = [whole, without]
    while "/" in whole:
        whole, without = whole.partition("/")[2], without.partition("/")[2]
        ends += [whole, without]
    return ends


def _clean(name: str) -> str:
    return readable(name.strip().replace("\\", "/")).removeprefix("./")


def _read(entry: Entry, pictures: Sequence[Entry]) -> list[Pair]:
    """(picture, class) of each row that has both; empty where the file holds no such thing."""
    try:
        with closing(entry.open()) as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise GanvasError(f"{entry.name} cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST_FILE:
        raise GanvasError(
            f"{entry.name} is larger than {LARGEST_FILE >> 20} MiB: keep only the columns of file and class"
        )
    text = decode_text(content)
    suffix = entry.path.suffix.lower()
    try:
        if suffix == ".json":
            return list(_dataset_json(json.loads(text)))
        if suffix == ".jsonl":
            return list(_records([json.loads(line) for line in text.splitlines() if line.strip()]))
        return _csv(text, pictures)
    except (ValueError, csv.Error, RecursionError) as error:
        raise GanvasError(f"{entry.name} cannot be read: {error}") from error


def _dataset_json(content: Any) -> Iterable[Pair]:
    """{"labels": [[path, class number or one-hot vector], ...]}, as StyleGAN's dataset_tool writes it."""
    labels = content.get("labels") if isinstance(content, dict) else None
    rows = list(labels.items()) if isinstance(labels, dict) else labels if isinstance(labels, list) else []
    for row in rows:
        if not isinstance(row, list | tuple) or len(row) != 2 or not isinstance(row[0], str):
            raise ValueError("its labels are no list of [path, number]")
        label = row[1]
        if isinstance(label, list) and label.count(0) == len(label) - 1:
            label = next(i for i, value in enumerate(label) if value)
        if not isinstance(label, int | str):
            raise ValueError(f"its label {str(label)[:40]} is no class number")
        yield row[0], str(label)


def _records(rows: Sequence[Any]) -> Iterable[Pair]:
    """Rows of metadata.jsonl."""
    for row in rows:
        if isinstance(row, dict) and (pair := _pair(row)):
            yield pair


def _pair(row: Mapping[str, Any]) -> Pair | None:
    by_name = {str(key).strip().casefold(): value for key, value in row.items()}
    name = next((by_name[key] for key in FILE_COLUMNS if by_name.get(key)), None)
    return (str(name), label) if name and (label := label_in(row)) else None


def label_in(row: Mapping[str, Any]) -> str | None:
    """The class that a record states under one of the usual names: text or a whole number."""
    by_name = {str(key).strip().casefold(): value for key, value in row.items()}
    values = (by_name[key] for key in LABEL_COLUMNS if key in by_name)
    return next((str(v).strip() for v in values if isinstance(v, int | str) and str(v).strip()), None)


def _csv(text: str, pictures: Sequence[Entry]) -> list[Pair]:
    """Rows of a table with or without a header. The column whose values name pictures is the file's."""
    lines = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=lines.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True) if len(row) > 1]
    if not rows:
        return []
    known = {end for e in pictures for end in _ends(e.name)}
    sample = rows[:ROWS_TO_GUESS]
    width = min(len(row) for row in sample)
    hits = [sum(_clean(row[i]) in known for row in sample) for i in range(width)]
    file = hits.index(max(hits))
    if not hits[file]:
        return []
    header = [] if _clean(rows[0][file]) in known else [cell.strip().casefold() for cell in rows[0]]
    label = next((header.index(name) for name in LABEL_COLUMNS if name in header), None)
    if label is None:
        if width != 2 or (header and header[1 - file] in ("caption", "text", "url", "split")):
            return []
        label = 1 - file
    body = rows[1:] if header else rows
    return [(row[file], row[label].strip()) for row in body if len(row) > max(file, label) and row[label].strip()]
