"""Splits by folder, class folders, folders that only store."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ganvas.errors import UsageError
from picture_sets import Set, by_class, png


def classes(*names: str) -> list[str]:
    return [f"{name}/{k}.png" for name in names for k in range(2)]


@pytest.mark.parametrize("train", ["train", "Training", "TRAIN"])
@pytest.mark.parametrize("other", ["test", "Testing", "val", "valid", "Validation", "dev", "eval"])
def test_folders_named_as_splits_are_splits(files: Set, train: str, other: str) -> None:
    files.add(*classes(f"{train}/cat", f"{train}/dog"), f"{other}/cat/9.png", f"{other}/dog/9.png")
    raw = files.read()
    assert by_class(raw) == {"cat": 2, "dog": 2}
    assert (raw.found.split, set(raw.found.splits)) == (train, {train, other})
    held_out = files.read("test")
    assert by_class(held_out) == {"cat": 1, "dog": 1}
    assert held_out.found.split == other


def test_test_comes_before_validation(files: Set) -> None:
    files.add(*classes("train", "val"), "test/1.png", "test/2.png", "test/3.png")
    assert files.read().found.splits == ("test", "train", "val")
    assert len(files.read("test").images) == 3


@pytest.mark.parametrize("wrap", ["", "wrap/", "wrap/deeper/"])
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_strays_beside_splits_change_nothing(files: Set, wrap: str, kind: str) -> None:
    names = [f"{wrap}{name}" for name in classes("train/cat", "train/dog", "test/cat", "test/dog")]
    strays = [f"{wrap}cover.png", "logo.png", f"{wrap}readme.txt", f"{wrap}extra/1.png"]
    files.add(*names, *strays[:2], strays[3]).add(strays[2], content="about")
    if kind == "zip":
        with zipfile.ZipFile(files.at.with_suffix(".zip"), "w") as archive:
            for path in sorted(files.at.rglob("*.*")):
                archive.write(path, path.relative_to(files.at))
    raw = files.read(where=files.at if kind == "folder" else files.at.with_suffix(".zip"))
    assert by_class(raw) == {"cat": 2, "dog": 2}
    assert len(raw.notes) == 1 and "3 pictures beside the splits are left out" in raw.notes[0]


def test_class_first(files: Set) -> None:
    """cat/train/1.png: the split lies below the class."""
    files.add(*classes("cat/train", "dog/train"), "cat/test/9.png", "dog/test/8.png", "dog/test/9.png")
    raw = files.read()
    assert by_class(raw) == {"cat": 2, "dog": 2} and raw.found.split == "train"
    assert by_class(files.read("test")) == {"cat": 1, "dog": 2}


@pytest.mark.parametrize("names", [("bus", "car", "train"), ("valid", "invalid"), ("cat", "dog", "dev")])
def test_classes_that_are_named_like_a_split(files: Set, names: tuple[str, ...]) -> None:
    """A train is also a vehicle: one such name among other folders is a class."""
    files.add(*classes(*names))
    assert by_class(files.read()) == dict.fromkeys(sorted(names), 2)
    with pytest.raises(UsageError, match="no split 'test'"):
        files.read("test")


def test_class_folders_beside_a_test_folder(files: Set) -> None:
    """Held-out pictures are never trained on, even where only they have a folder."""
    files.add(*classes("cat", "dog", "test/cat", "test/dog"))
    assert by_class(files.read()) == {"cat": 2, "dog": 2}
    assert len(files.read("test").images) == 4
    flat = Set(files.at.parent / "flat").add("1.png", "2.png", "test/3.png", "test/4.png", "test/5.png")
    assert (len(flat.read().images), len(flat.read("test").images)) == (2, 3)


def test_a_lone_test_folder_is_read_with_a_word(files: Set) -> None:
    files.add(*classes("test/cat", "test/dog"))
    raw = files.read()
    assert by_class(raw) == {"cat": 2, "dog": 2}
    assert raw.found.split == "test" and raw.notes == ("there is no train split: 'test' is what is read",)


def test_splits_without_a_training_one_are_refused(files: Set) -> None:
    files.add(*classes("val/cat", "test/cat"))
    with pytest.raises(UsageError, match="no split 'train', only test, val: name one of these"):
        files.read()


def test_images_folders_within_splits(files: Set) -> None:
    """YOLO's layouts: images/train beside labels/train, train/images beside train/labels."""
    files.add(*classes("images/train", "images/val")).add("labels/train/0.txt", content="0 .5 .5 1 1")
    assert (len(files.read().images), files.read("test").found.split) == (2, "val")
    other = Set(files.at.parent / "other").add(*classes("train/images", "valid/images"))
    other.add("train/labels/0.txt", content="0 .5 .5 1 1")
    assert len(other.read().images) == 2 and other.read().labels is None


def test_a_class_that_the_test_split_lacks_keeps_its_number(files: Set) -> None:
    files.add(*classes("train/ant", "train/bee", "train/cat", "test/bee", "test/dog"))
    assert by_class(files.read("test")) == {"ant": 0, "bee": 2, "cat": 0, "dog": 2}
    only = Set(files.at.parent / "only").add(*classes("train/ant", "train/bee", "test/bee"))
    assert by_class(only.read("test")) == {"ant": 0, "bee": 2}


def test_number_folders_are_in_the_order_of_numbers(files: Set) -> None:
    files.add(*classes(*map(str, range(12))))
    assert files.read().class_names == tuple(map(str, range(12)))
    named = Set(files.at.parent / "named").add(*classes("class10", "class2", "class1"))
    assert named.read().class_names == ("class1", "class2", "class10")


STORAGE = {
    "StyleGAN's dataset_tool": [f"{i // 1000:05d}/img{i:08d}.png" for i in (0, 1, 2, 1000, 1001, 2000)],
    "img2dataset": [f"{i // 10000:05d}/{i:09d}.png" for i in (0, 1, 7, 10000, 10001, 20005)],
    "FFHQ": [f"{i // 1000 * 1000:05d}/{i:05d}.png" for i in (0, 1, 999, 1000, 1001, 2500)],
    "full folders, any names": [f"{i // 5:04d}/{(i * 7919) % 1009:x}x.png" for i in range(13)],
}
CLASSES = {
    "digits": [f"{k}/{i}.png" for k in range(10) for i in range(2)],
    "digits, numbered through": [f"{i // 10}/{i}.png" for i in range(30)],
    "two digits": [f"{k:02d}/{k * 100 + i:05d}.png" for k in range(12) for i in range(2)],
    "GTSRB": [f"{k:05d}/{t:05d}_{i:05d}.png" for k, n in enumerate((1, 2, 1)) for t in range(n) for i in range(3)],
    "five digits, numbers start again": [f"{k:05d}/{i:05d}.png" for k in range(3) for i in range(4)],
    "five digits, equal classes, unique names": [f"{i // 4:05d}/x{i}y.png" for i in range(12)],
    "words among numbers": ["00000/1.png", "00001/2.png", "other/3.png"],
}


@pytest.mark.parametrize("kind", STORAGE)
def test_folders_that_only_store(files: Set, kind: str) -> None:
    raw = files.add(*STORAGE[kind]).read()
    assert raw.labels is None
    first, last = STORAGE[kind][0].split("/")[0], STORAGE[kind][-1].split("/")[0]
    assert raw.found.labels == f"folders {first} to {last} are storage; data.label_from = folders makes them classes"
    assert files.read(label_from="folders").class_names[0] == first


@pytest.mark.parametrize("kind", CLASSES)
def test_numbered_folders_that_are_classes(files: Set, kind: str) -> None:
    raw = files.add(*CLASSES[kind]).read()
    assert list(raw.class_names) == sorted({name.split("/")[0] for name in CLASSES[kind]})
    assert raw.found.labels == "by folder"


def test_what_downloaders_keep_beside_pictures_is_no_news(files: Set) -> None:
    files.add(*STORAGE["img2dataset"])
    for name in STORAGE["img2dataset"]:
        files.add(name.replace(".png", ".txt"), content="a caption")
        files.add(name.replace(".png", ".json"), content='{"url": "u", "caption": "a caption"}')
    files.add("00000.parquet", content=b"PAR1")
    assert files.read().skipped == ("00000.parquet: a kind of file that is not read",)


def test_pictures_of_a_zip_below_a_lone_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in classes("wrap/Train/a", "wrap/Train/b", "wrap/Test/a"):
            archive.writestr(name, png())
    raw = Set(tmp_path).read(where=tmp_path / "x.zip")
    assert by_class(raw) == {"a": 2, "b": 2} and raw.found.split == "Train"
