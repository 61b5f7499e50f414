"""Tables of pixels as text: Kaggle's forms, with and without label and header, plain and packed."""

import gzip
import zipfile

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.datasets.arrays import csv_pixels
from ganvas.datasets.progress import Progress
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (9, 28, 28), dtype=np.uint8)
LABELS = np.array([5, 5, 2, 2, 9, 5, 2, 9, 9])
CLASSES = [1, 1, 0, 0, 2, 1, 0, 2, 2]


def table(rows, header=None, mark=",", end="\n") -> bytes:
    lines = [mark.join(map(str, row)) for row in ([header] if header else []) + list(rows)]
    return (end.join(lines) + end).encode()


def labelled(values=GREY, labels=LABELS):
    return [[label, *row] for label, row in zip(labels, values.reshape(len(values), -1).tolist(), strict=True)]


HEADER = ["label", *(f"pixel{i}" for i in range(1, 785))]


def read(path, **fields):
    return csv_pixels.read(path, DataConfig(str(path), labels="use", **fields), Progress(False))


@pytest.mark.parametrize(
    "content",
    [
        table(labelled(), HEADER),
        table(labelled(), HEADER).removesuffix(b"\n"),
        b"\xef\xbb\xbf" + table(labelled(), HEADER, end="\r\n"),
        table(labelled(), HEADER, mark=";"),
        table(labelled()),
        table([[*row[1:], row[0]] for row in labelled()], [*HEADER[1:], "label"]),
        table([[i, row[0], *row[1:]] for i, row in enumerate(labelled())], ["", *HEADER]),
        table([[f"{value}.0" for value in row] for row in labelled()], HEADER).replace(b"5.0,", b"5,", 1),
        table(labelled(), [f'"{name}"' for name in HEADER]),
        table([[row[0], *(f" {value}" for value in row[1:])] for row in labelled()], HEADER),
    ],
)
@pytest.mark.parametrize("part", [csv_pixels.PART, 5000])
def test_labels_and_pixels(tmp_path, monkeypatch, content, part):
    monkeypatch.setattr(csv_pixels, "PART", part)
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    assert csv_pixels.accepts(path)
    raw = read(path)
    np.testing.assert_array_equal(raw.images, GREY[:, None])
    assert raw.labels.tolist() == CLASSES
    assert any("is the label" in note for note in raw.notes)


def test_no_label_column(tmp_path):
    path = tmp_path / "test.csv"
    for header in (HEADER[1:], None):
        path.write_bytes(table(GREY.reshape(9, -1).tolist(), header))
        raw = read(path)
        np.testing.assert_array_equal(raw.images, GREY[:, None])
        assert raw.labels is None and "no column is a label" in raw.notes


def test_names_as_labels_and_a_column_of_another_name(tmp_path):
    path = tmp_path / "train.csv"
    names = ["cat", "cat", "ant", "ant", "dog", "cat", "ant", "dog", "dog"]
    path.write_bytes(table(labelled(labels=names), ["kind", *HEADER[1:]]))
    raw = read(path, label_from="kind")
    assert (raw.labels.tolist(), raw.class_names) == (CLASSES, ("ant", "cat", "dog"))
    np.testing.assert_array_equal(raw.images, GREY[:, None])


def test_colours_and_ranges(tmp_path):
    path = tmp_path / "hmnist_28_28_RGB.csv"
    y, x = np.mgrid[0:28, 0:28]
    rgb = np.stack([np.stack([5 * y + k, 250 - 3 * x, 90 + y - x]) for k in range(4)]).astype(np.uint8)
    path.write_bytes(
        table(labelled(rgb.transpose(0, 2, 3, 1), [0, 1, 0, 1]), ["label", *(f"p{i}" for i in range(2352))])
    )
    raw = read(path)
    np.testing.assert_array_equal(raw.images, rgb)
    assert "R, G, B of each pixel together" in raw.notes[0]
    path.write_bytes(table(labelled(GREY.astype(np.uint16) * 16), HEADER))
    assert "read as 12-bit" in read(path).notes[0]
    path.write_bytes(table(labelled(GREY / 255), HEADER))
    np.testing.assert_array_equal(read(path).images, GREY[:, None])


def test_packed_and_split(tmp_path):
    train, test = table(labelled(), HEADER), table(labelled()[:3], HEADER)
    folder = tmp_path / "fashion"
    folder.mkdir()
    (folder / "fashion-mnist_train.csv").write_bytes(train)
    (folder / "fashion-mnist_test.csv").write_bytes(test)
    (folder / "README.txt").write_text("hello")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("__MACOSX/x", b"")
        archive.writestr("fashion-mnist_train.csv", train)
        archive.writestr("fashion-mnist_test.csv", test)
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(train))
    (tmp_path / "test.csv.gz").write_bytes(gzip.compress(test))
    for path in (folder, folder / "fashion-mnist_train.csv", tmp_path / "archive.zip", tmp_path / "train.csv.gz"):
        assert csv_pixels.accepts(path)
        found = load(DataConfig(str(path)), progress=False)
        np.testing.assert_array_equal(found.images, GREY[:, None])
        assert found.labels.tolist() == CLASSES
        assert len(load(DataConfig(str(path), split="test"), progress=False).images) == 3


def test_a_split_that_is_not_there(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(table(labelled(), HEADER))
    with pytest.raises(UsageError, match="no split 'test'"):
        read(path, split="test")
    (tmp_path / "more.csv").write_bytes(table(labelled(), HEADER))
    with pytest.raises(UsageError, match=r"2 tables for the split 'train' \(mine.csv, more.csv\)"):
        read(tmp_path)


def test_tables_of_other_things_are_left_to_others(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\na.png,cat\n")
    assert not csv_pixels.accepts(tmp_path / "labels.csv")
    assert not csv_pixels.accepts(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"")
        archive.writestr("labels.csv", "file,label\n")
    assert not csv_pixels.accepts(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (table(GREY.reshape(9, -1)[:, :700].tolist()), "700 pixels, which make no square image"),
        (table([*labelled(), [1, 2, 3]], HEADER), "row 10 has 3 values, not 785"),
        (table([*labelled(), [1, *["x"] * 784]], HEADER), "row 10 holds 'x' in the place of a number"),
        (table([*labelled(), [1, *[""] * 784]], HEADER), "row 10 holds nothing in the place"),
        (table([], HEADER), "has no rows"),
        (table(labelled(GREY.astype(np.int64) - 9), HEADER), "values run from -9"),
    ],
)
def test_damage_is_one_line(tmp_path, content, reason):
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    with pytest.raises(GanvasError, match=reason) as caught:
        read(path)
    assert "\n" not in str(caught.value)
