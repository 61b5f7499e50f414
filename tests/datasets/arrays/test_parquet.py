"""Parquet and arrow tables of pictures, as Hugging Face keeps image data sets."""

import io
import json
import sys

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet as pq

from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.datasets.arrays import parquet
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (10, 3, 20, 20), dtype=np.uint8)
LABELS = [2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
NAMES = ["cat", "dog", "owl"]


def encoded(image) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(file, "PNG")
    return file.getvalue()


def table(part=slice(0, 10), names=True, struct=True, **more):
    """A table as the datasets library writes it."""
    contents = [encoded(image) for image in RGB[part]]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([{"bytes": c, "path": "x.png"} for c in contents], kind) if struct else pa.array(contents)
    made = pa.table({"image": images, "label": pa.array(LABELS[part], pa.int64()), **more})
    features = {"image": {"_type": "Image"}, "label": {"names": NAMES, "_type": "ClassLabel"}}
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})} if names else {})


def read(path, **fields):
    return load(DataConfig(str(path), size=20, labels="use", **fields), progress=False)


@pytest.mark.parametrize("struct", [True, False])
@pytest.mark.parametrize("rows", [3, 100])
def test_pictures_labels_and_names(tmp_path, struct, rows):
    path = tmp_path / "x.parquet"
    pq.write_table(table(struct=struct), path, row_group_size=rows)
    found = read(path)
    np.testing.assert_array_equal(found.images, RGB)
    assert (found.labels.tolist(), found.class_names) == (LABELS, tuple(NAMES))
    pq.write_table(table(struct=struct, names=False), path)
    assert read(path).class_names == ("0", "1", "2")


def test_groups_are_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "KEPT", 1)
    path = tmp_path / "x.parquet"
    pq.write_table(table(), path, row_group_size=2)
    np.testing.assert_array_equal(read(path).images, RGB)


@pytest.mark.parametrize("below", ["", "data", "plain_text"])
def test_shards_and_splits(tmp_path, below):
    folder = tmp_path / below
    folder.mkdir(exist_ok=True)
    pq.write_table(table(slice(0, 4)), folder / "train-00000-of-00002.parquet")
    pq.write_table(table(slice(4, 8)), folder / "train-00001-of-00002.parquet")
    pq.write_table(table(slice(8, 10)), folder / "validation-00000-of-00001.parquet")
    np.testing.assert_array_equal(read(tmp_path).images, RGB[:8])
    found = read(tmp_path, split="test")
    np.testing.assert_array_equal(found.images, RGB[8:])
    assert (found.found.split, found.found.splits) == ("validation", ("train", "validation"))
    with pytest.raises(UsageError, match="has no split 'test'"):
        read(folder / "train-00000-of-00002.parquet", split="test")


@pytest.mark.parametrize("format", ["stream", "file"])
def test_folders_of_save_to_disk(tmp_path, format):
    for split, part in (("train", slice(0, 8)), ("test", slice(8, 10))):
        (tmp_path / split).mkdir()
        (tmp_path / split / "dataset_info.json").write_text("{}")
        made = table(part)
        open_it = pa.ipc.new_stream if format == "stream" else pa.ipc.new_file
        with open_it(tmp_path / split / "data-00000-of-00001.arrow", made.schema) as writer:
            writer.write_table(made)
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    np.testing.assert_array_equal(read(tmp_path).images, RGB[:8])
    np.testing.assert_array_equal(read(tmp_path, split="test").images, RGB[8:])
    np.testing.assert_array_equal(read(tmp_path / "train").images, RGB[:8])


def test_classes_limit_and_another_column(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(table(kind=pa.array(["b", "a"] * 5)), path)
    found = read(path, classes=("dog", "owl"), limit=4)
    assert (found.labels.tolist(), found.class_names) == ([0, 1, 0, 1], ("dog", "owl"))
    np.testing.assert_array_equal(found.images, RGB[[2, 0, 5, 3]])
    assert read(path, label_from="kind").class_names == ("a", "b")
    with pytest.raises(UsageError, match=r"no column 'colour' \(it has: image, label, kind\)"):
        read(path, label_from="colour")


def test_rows_without_a_picture_are_named(tmp_path):
    made = table()
    images = made.column("image").to_pylist()
    images[3] = {"bytes": None, "path": "a.png"}
    images[5] = {"bytes": b"no picture", "path": None}
    made = made.set_column(0, "image", pa.array(images, made.schema.field("image").type))
    pq.write_table(made, tmp_path / "x.parquet")
    found = read(tmp_path / "x.parquet")
    assert found.skipped == ("row 3: names the file a.png instead of holding it", "row 5: not a picture")
    assert found.labels.tolist() == [label for i, label in enumerate(LABELS) if i not in (3, 5)]


def test_labels_that_do_not_fit_can_be_ignored(tmp_path):
    made = table().drop_columns("label").append_column("label", pa.array([[1, 2]] * 10))
    pq.write_table(made, tmp_path / "x.parquet")
    with pytest.raises(GanvasError, match=r'labels are \[10, 2\].*labels="ignore"'):
        read(tmp_path / "x.parquet")
    found = load(DataConfig(str(tmp_path / "x.parquet"), labels="ignore"), progress=False)
    assert len(found.images) == 10 and found.labels is None


def test_damage_and_other_tables_are_one_line(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), path)
    with pytest.raises(GanvasError, match=r"none of its columns \(a, b\) holds encoded pictures"):
        read(path)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(GanvasError, match=r"x\.parquet cannot be used: x\.parquet: ") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_without_pyarrow_one_line_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    pq.write_table(table(), path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"needs pyarrow: pip install 'ganvas\[data\]'"):
        read(path)
