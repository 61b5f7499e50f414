"""Classes from tables, from files beside the pictures, from their names."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ganvas.errors import GanvasError, UsageError
from picture_sets import Set, by_class, read

FLAT = ("1.png", "2.png", "3.png", "deeper/4.png")
ROWS = ("1.png,cat", "2.png,dog", "3.png,cat", "deeper/4.png,dog")
EXPECTED = {"cat": 2, "dog": 2}


def dataset_json(labels: object) -> str:
    return json.dumps({"labels": labels})


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_dataset_json_of_stylegan(files: Set, kind: str) -> None:
    names = [f"{i // 1000:05d}/img{i:08d}.png" for i in (0, 1, 1000, 1001)]
    labels = [[name, number] for name, number in zip(names, (10, 2, 2, 10), strict=True)]
    files.add(*names).add("dataset.json", content=dataset_json(labels))
    path = files.at
    if kind == "zip":
        path = files.at.with_suffix(".zip")
        with zipfile.ZipFile(path, "w") as archive:
            for name in (*names, "dataset.json"):
                archive.write(files.at / name, name)
    raw = read(path)
    assert raw.class_names == ("2", "10") and raw.labels is not None
    assert raw.labels.tolist() == [1, 0, 0, 1]
    assert raw.found.labels == "in dataset.json" and raw.skipped == ()


def test_dataset_json_without_labels_has_no_classes(files: Set) -> None:
    files.add(*(f"{i // 1000:05d}/img{i:08d}.png" for i in (0, 1, 1000))).add(
        "dataset.json", content=dataset_json(None)
    )
    raw = files.read()
    assert raw.labels is None and "storage" in raw.found.labels


def test_dataset_json_with_one_hot_labels(files: Set) -> None:
    files.add("a.png", "b.png", "c.png")
    files.add("dataset.json", content=dataset_json([["a.png", [0, 0, 1]], ["b.png", [1, 0, 0]], ["c.png", [0, 0, 1]]]))
    assert by_class(files.read()) == {"0": 1, "2": 2}


TABLES = {
    "header": ("labels.csv", "filename,label\n" + "\n".join(ROWS)),
    "no header": ("labels.csv", "\n".join(ROWS)),
    "semicolon": ("labels.csv", "file;class\n" + "\n".join(ROWS).replace(",", ";")),
    "tab": ("labels.tsv", "path\ttarget\n" + "\n".join(ROWS).replace(",", "\t")),
    "Windows": ("labels.csv", "image,category\r\n" + "\r\n".join(ROWS).replace("/", "\\")),
    "ids without suffix": ("train.csv", "id,breed\n" + "\n".join(ROWS).replace(".png", "")),
    "names alone": ("labels.csv", "id,label\n" + "\n".join(ROWS).replace("deeper/", "")),
    "more columns": ("metadata.csv", "width,label,file_name\n" + "\n".join(
        f"9,{row.split(',')[1]},{row.split(',')[0]}" for row in ROWS)),
    "quoted": ("labels.csv", 'file,label\n"1.png","cat"\n"2.png","dog"\n"3.png","cat"\n"deeper/4.png","dog"'),
    "two columns of any name": ("labels.csv", "bild,klasse\n" + "\n".join(ROWS)),
    "metadata.jsonl": ("metadata.jsonl", "\n".join(
        json.dumps(dict(zip(("file_name", "label"), row.split(","), strict=True))) for row in ROWS)),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_tables_beside_pictures(files: Set, kind: str) -> None:
    name, content = TABLES[kind]
    raw = files.add(*FLAT).add(name, content=content).read()
    assert by_class(raw) == EXPECTED
    assert raw.found.labels == f"in {name}" and raw.skipped == () and raw.notes == ()


def test_a_table_wins_over_folders_and_the_user_over_both(files: Set) -> None:
    files.add("a/1.png", "a/2.png", "b/3.png").add("labels.csv", content="a/1.png,x\na/2.png,y\nb/3.png,y")
    assert by_class(files.read()) == {"x": 1, "y": 2}
    assert by_class(files.read(label_from="folders")) == {"a": 2, "b": 1}


def test_captions_are_no_classes(files: Set) -> None:
    files.add("a/1.png", "b/2.png").add("metadata.jsonl", content='{"file_name": "a/1.png", "text": "a cat"}\n')
    assert files.read().found.labels == "by folder"
    many = Set(files.at.parent / "many").add(*(f"{k}.png" for k in range(30)))
    many.add("metadata.csv", content="file_name,label\n" + "\n".join(f"{k}.png,picture number {k}" for k in range(30)))
    raw = many.read()
    assert raw.labels is None and raw.notes == ("no classes in metadata.csv: it has 30 values for 30 pictures",)


def test_pictures_that_a_table_leaves_out(files: Set) -> None:
    files.add(*FLAT).add("labels.csv", content="1.png,cat\n2.png,dog\ngone.png,dog")
    raw = files.read()
    assert by_class(raw) == {"cat": 1, "dog": 1}
    assert raw.notes == ("2 pictures without a label in labels.csv are left out",)
    few = (
        Set(files.at.parent / "few")
        .add("1.png", "2.png", "3.png", "4.png")
        .add("labels.csv", content="1.png,cat\ngone.png,dog")
    )
    assert few.read().notes == ("no classes in labels.csv: it has a class for 1 of 4 pictures",)
    assert len(few.read().images) == 4


def test_names_that_two_folders_share_are_not_guessed(files: Set) -> None:
    """1.png in the table may be either; the label of one picture is never given to another."""
    files.add("a/1.png", "b/1.png", "a/2.png", "a/3.png").add("labels.csv", content="1.png,x\n2.png,y\n3.png,x")
    raw = files.read()
    assert by_class(raw) == {"x": 1, "y": 1} and "2 pictures without a label" in raw.notes[0]


def test_tables_of_splits(files: Set) -> None:
    """Hugging Face keeps a table in each split, Kaggle beside the folders."""
    files.add("train/1.png", "train/2.png", "test/1.png", "test/2.png")
    files.add("train/metadata.csv", content="file_name,label\n1.png,cat\n2.png,dog")
    files.add("test/metadata.csv", content="file_name,label\n1.png,dog\n2.png,dog")
    assert by_class(files.read()) == {"cat": 1, "dog": 1}
    assert by_class(files.read("test")) == {"cat": 0, "dog": 2}
    kaggle = Set(files.at.parent / "kaggle").add("train/1.png", "train/2.png", "test/1.png", "test/2.png")
    kaggle.add("train.csv", content="id,label\n1,cat\n2,dog")
    assert by_class(kaggle.read()) == {"cat": 1, "dog": 1}
    assert kaggle.read("test").labels is None


def test_patterns(files: Set) -> None:
    files.add("day_1.png", "day_2.png", "x/night_1.png")
    raw = files.read(label_from="name:([a-z]+)_")
    assert by_class(raw) == {"day": 2, "night": 1} and raw.found.labels == "by name ('([a-z]+)_')"
    assert by_class(files.read(label_from=r"path:_(\d)\.")) == {"1": 2, "2": 1}
    with pytest.raises(UsageError, match="it has a class for 0 of 3 pictures"):
        files.read(label_from="name:([A-Z]+)_")
    with pytest.raises(UsageError, match="no regular expression"):
        files.read(label_from="name:([a-z")


def test_a_table_by_name(files: Set, tmp_path: Path) -> None:
    files.add(*FLAT).add("mine.csv", content="file,label\n" + "\n".join(ROWS))
    assert files.read().labels is None
    assert by_class(files.read(label_from="mine.csv")) == EXPECTED
    (tmp_path / "outside.csv").write_text("\n".join(ROWS))
    assert by_class(files.read(label_from=str(tmp_path / "outside.csv"))) == EXPECTED
    with pytest.raises(UsageError, match=r"no file 'other\.csv'"):
        files.read(label_from="other.csv")
    (tmp_path / "odd.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(UsageError, match="no column that names pictures"):
        files.read(label_from=str(tmp_path / "odd.csv"))


def test_json_beside_each_picture(files: Set) -> None:
    for k in range(4):
        files.add(f"{k}.png").add(f"{k}.json", content=json.dumps({"label": ("cat", "dog")[k % 2], "caption": "x"}))
    assert by_class(files.read()) == {"cat": 2, "dog": 2}


BROKEN = ("{", '{"labels": 5}', '{"labels": [[1, 2]]}', '{"labels": [["1.png", [1, 2]]]}', "[" * 99999)


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_dataset_json_is_one_line(files: Set, content: str) -> None:
    files.add("1.png", "2.png").add("dataset.json", content=content)
    try:
        raw = files.read()
    except GanvasError as error:
        assert "dataset.json cannot be read" in str(error) and "\n" not in str(error)
    else:
        assert content == '{"labels": 5}' and raw.labels is None


def test_pictures_of_one_class_have_no_classes(files: Set) -> None:
    files.add("1.png", "2.png").add("labels.csv", content="1.png,cat\n2.png,cat")
    raw = files.read()
    assert raw.labels is None and raw.found.labels == "all of one class in labels.csv: cat"
