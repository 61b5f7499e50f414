"""Samples as a table that `datasets`, pandas and ganvas read; the measurements of a run as tables."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from typing import Any

from ganvas import media
from ganvas.errors import GanvasError, UsageError, did_you_mean
from ganvas.exporting.model import Model
from ganvas.files import MARK
from ganvas.runs.run import Run

WHAT = ("samples", "metrics", "evals")
AT_ONCE = 1000
"""Samples in memory, and in a row group."""


def contents(
    target: str | os.PathLike[str], name: str, what: str, n: int, seed: int
) -> tuple[Mapping[str, bytes], str]:
    """{name: the table} and a line on it. Raises UsageError for another `what` and for an empty table."""
    if what not in WHAT:
        raise UsageError(f"--what {what}: choose {', '.join(WHAT)}{did_you_mean(what, WHAT)}")
    try:
        import pyarrow
    except ImportError as error:
        raise GanvasError("parquet needs the package pyarrow: pip install 'ganvas[data]'") from error
    if what == "samples":
        return {name: _samples(pyarrow, Model.load(target), n, seed)}, f"{n:,} samples of seed {seed}, as PNG"
    run = Run.open(target)
    rows = [{key: value for key, value in row.items() if not isinstance(value, list | dict)} for row in run.rows(what)]
    if not rows:
        hint = "train it first" if what == "metrics" else "ganvas evaluate measures them"
        raise UsageError(f"{run.path} has no {what} yet: {hint}")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = pyarrow.table({column: _column(pyarrow, [row.get(column) for row in rows]) for column in columns})
    return {name: _file(table.schema, [table])}, f"{len(rows):,} rows, {len(columns)} columns"


def _samples(pyarrow: Any, model: Model, n: int, seed: int) -> bytes:
    """Columns image {bytes, path}, label (of a G with classes), seed and number: image i is `sample(1, seed, i)`."""
    generator = model.generator
    names = generator.class_names
    fields = [("image", pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]))]
    fields += [("label", pyarrow.int64())] if names else []
    fields += [("seed", pyarrow.int64()), ("number", pyarrow.int64())]
    features: dict[str, Any] = {key: {"dtype": "int64", "_type": "Value"} for key, _ in fields}
    features["image"] = {"_type": "Image"}
    if names:
        features["label"] = {"names": list(names), "_type": "ClassLabel"}
    schema = pyarrow.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})
    if n < 1:
        raise UsageError(f"n = {n}: ask for 1 image or more")
    tables = []
    for start in range(0, n, AT_ONCE):
        count = min(AT_ONCE, n - start)
        pictures = generator.sample(count, seed, start)
        encoded = [media.encode(media.grid(picture[None])) for picture in pictures]
        columns = {
            "image": [{"bytes": png, "path": f"{seed}-{start + i:06d}.png"} for i, png in enumerate(encoded)],
            "label": generator.labels(count, seed, start) if names else None,
            "seed": [seed] * count,
            "number": list(range(start, start + count)),
        }
        tables.append(pyarrow.table({key: columns[key] for key in schema.names}, schema=schema))
    return _file(schema, tables)


def _column(pyarrow: Any, values: list[Any]) -> Any:
    """A column of one type: text where a column mixes kinds."""
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return pyarrow.array([None if value is None else str(value) for value in values])


def _file(schema: Any, tables: list[Any]) -> bytes:
    """A parquet file, a row group for each table, with the mark of ganvas near its end."""
    from pyarrow import parquet

    file = io.BytesIO()
    with parquet.ParquetWriter(file, schema, compression="zstd", store_schema=False) as writer:
        for table in tables:
            writer.write_table(table)
        writer.add_key_value_metadata({**(schema.metadata or {}), "made": MARK})  # where files.is_ours looks
    return file.getvalue()
