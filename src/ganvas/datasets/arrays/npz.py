"""npz and npy files, and folders of npy files. Nothing pickled is ever opened.

Splits and labels of an npz file are found by the names of its arrays, as Keras, MedMNIST and ganvas write them; KMNIST
keeps images and labels in two files, x-imgs.npz and x-labels.npz. A folder of npy files holds one image a file, in a
folder per class, or one array of images a class (cat.npy, dog.npy).
"""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets.arrays.arrays import CHANNELS, sides, to_images
from ganvas.datasets.arrays.labels import Labels, fitting, names_of, to_labels
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Found, Raw
from ganvas.datasets.reader import Reader, found_split, register_reader
from ganvas.datasets.select import natural
from ganvas.errors import GanvasError, UsageError, option

IMAGE_KEYS = {
    "train": ("x_train", "train_images", "X_train"),
    "test": ("x_test", "test_images", "X_test"),
    "val": ("x_val", "val_images", "X_val"),
    "any": ("images", "x", "X", "data", "arr_0"),
}
LABEL_KEYS = {
    "train": ("y_train", "train_labels", "Y_train"),
    "test": ("y_test", "test_labels", "Y_test"),
    "val": ("y_val", "val_labels", "Y_val"),
    "any": ("labels", "label", "y", "Y", "targets", "arr_1"),
}
NAME_KEYS = ("class_names", "classes")
LARGEST = 8 << 30  # bytes
USUAL_ROWS = (784, 3072)
"""Numbers in a row that is an image of 28 x 28 or 3 x 32 x 32; pictures are hardly ever as wide."""
PICKLED = "it holds pickled objects, which can run code and are never opened: save plain arrays"
BROKEN = (
    ValueError, OSError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile, struct.error, LookupError, SyntaxError,
    RuntimeError, OverflowError, tokenize.TokenError,
)  # fmt: skip
"""What numpy and zipfile raise for damaged files."""


def read_npz(where: Path, split: str, ignore: bool = False) -> Raw:
    """Images (and labels) of an .npz or .npy file.

    Images: key images, x, x_train, arr_0 or the like, in any layout of `arrays.to_images`, numbers as in `scale`.
    Labels: key labels, y, y_train, arr_1 or the like, as in `to_labels`; maybe class_names. `ignore`: labels that do
    not fit are left out. The split test is val where there is no test.
    Raises UsageError for a split that is not there, GanvasError for anything else that does not fit.
    """
    files = found_split(split, lambda split: _of_split(where, split))
    where = _of_split(where, split)
    try:
        with _arrays(where) as loaded:
            found, key = _image_key(loaded, split, where)
            images, notes = to_images(loaded[key])
            inside = tuple(name for name in IMAGE_KEYS if name != "any" and _first(loaded, IMAGE_KEYS[name]))

            def labels() -> Labels:
                label_key = _first(loaded, _keys(LABEL_KEYS, loaded, found))
                names = _first(loaded, NAME_KEYS)
                values = _plain(loaded, label_key) if label_key else _labels_beside(where)
                if values is None:
                    return None, ()
                return to_labels(values, len(images), names_of(_plain(loaded, names).reshape(-1)) if names else None)

            (numbers, class_names), unused = fitting(labels, ignore)
    except BROKEN as error:
        raise GanvasError(f"{where} cannot be used: {PICKLED if 'pickle' in str(error) else error}") from error
    splits = Found(found, inside) if len(inside) > 1 else files
    notes = (*notes, *(["the split val is read as test"] if found == "val" else []), *unused)
    return Raw(images, numbers, class_names, f"{where}, array '{key}'", notes=notes, found=splits)


def read_folder(where: Path) -> Raw:
    """The images of all npy files below a folder: one image a file or many, all of one type and shape.

    A file [h, w] or [h, w, c] holds one image, [n, 784] and [n, 3072] one a row (as in Quick, Draw!). Classes are the
    folders the files lie in; where each file holds many images and there are no folders, each file is a class. Raises
    GanvasError where they do not fit each other.
    """
    paths = _npy_files(where)
    path = where
    try:
        loaded: list[NDArray[Any]] = []
        for path in paths:
            loaded.append(np.load(path, allow_pickle=False))
        rows = _are_rows([value.shape for value in loaded])
        values: list[NDArray[Any]] = []
        for path, value in zip(paths, loaded, strict=True):  # noqa: B007 (the error names it)
            values.append(value[None] if not rows and _one_image(value) else value)
            if (values[-1].shape[1:], value.dtype) != (values[0].shape[1:], values[0].dtype):
                first, own = f"{values[0].dtype} {list(values[0].shape[1:])}", f"{value.dtype} {list(value.shape)}"
                raise ValueError(f"it holds {own}, the first file {first}: save all in one shape and type")
        path = where
        images, notes = to_images(np.concatenate(values))
    except BROKEN as error:
        raise GanvasError(f"{path} cannot be used: {PICKLED if 'pickle' in str(error) else error}") from error
    counts = [len(value) for value in values]
    tops = [path.relative_to(where).parts[0] if path.parent != where else "" for path in paths]
    if set(tops) == {""} and len(paths) > 1 and min(counts) > 1:
        tops = [path.stem for path in paths]
    source = f"{where}: {len(paths)} npy files"
    if len(set(tops)) < 2 or "" in tops:
        return Raw(images, None, (), source, notes=notes)
    class_names = tuple(sorted(set(tops), key=natural))
    labels = np.repeat([class_names.index(top) for top in tops], counts).astype(np.int64)
    return Raw(images, labels, class_names, source, notes=notes)


def _are_rows(shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether 2-D arrays hold an image a row: of usual lengths, or of any that makes squares if heights differ."""
    if any(len(shape) != 2 for shape in shapes) or len({width for _, width in shapes}) != 1:
        return False
    width = shapes[0][1]
    return width in USUAL_ROWS or (len(set(shapes)) > 1 and sides(width) is not None)


def _one_image(value: NDArray[Any]) -> bool:
    """[h, w], [h, w, c] or [c, h, w]; sides are equal, so that [n, h, w] differs."""
    last, first = (value.ndim == 3 and value.shape[axis] in CHANNELS for axis in (2, 0))
    return (
        value.ndim == 2 or (last and value.shape[0] == value.shape[1]) or (first and value.shape[1] == value.shape[2])
    )


@contextmanager
def _arrays(where: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """The arrays of a file by name, each read when it is asked for."""
    with where.open("rb") as file:
        zipped = zipfile.is_zipfile(file)
        file.seek(0)
        magic = file.read(6)
    if not zipped and magic != b"\x93NUMPY":
        raise ValueError("it is neither an npz nor an npy file")
    if not zipped:
        yield {"images": np.load(where, allow_pickle=False)}
        return
    with zipfile.ZipFile(where) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > LARGEST:
        raise ValueError(f"it unpacks to {size / 2**30:.0f} GiB, more than {LARGEST >> 30}")
    with np.load(where, allow_pickle=False) as loaded:
        yield loaded


def _plain(loaded: Mapping[str, NDArray[Any]], key: str) -> NDArray[Any]:
    """Labels or names of that key; ValueError where they are objects of Python."""
    try:
        return loaded[key]
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise ValueError(
            f"its array '{key}' holds Python objects, which are never opened: save it as whole numbers or as text "
            f"(np.array({key}, dtype=str)); {option('--data.labels ignore')} uses the images without labels"
        ) from error


def _first(loaded: Mapping[str, NDArray[Any]], keys: Sequence[str]) -> str | None:
    return next((key for key in keys if key in loaded), None)


def _keys(table: Mapping[str, tuple[str, ...]], loaded: Mapping[str, NDArray[Any]], split: str) -> tuple[str, ...]:
    """The keys to look for; general ones stand for the whole, unless the file keeps its splits apart."""
    apart = split != "train" or _first(loaded, (*IMAGE_KEYS["test"], *IMAGE_KEYS["val"]))
    return table[split] if apart else (*table[split], *table["any"])


def _image_key(loaded: Mapping[str, NDArray[Any]], split: str, where: Path) -> tuple[str, str]:
    """(train, test or val; the key of its images)."""
    for own in ("test", "val") if split == "test" else ("train",):
        if found := _first(loaded, _keys(IMAGE_KEYS, loaded, own)):
            return own, found
    if len(loaded) == 1 and (split == "train" or _is_test(where)):
        return "train", next(iter(loaded))
    keys = _keys(IMAGE_KEYS, loaded, split)
    if split == "test":
        raise UsageError(f"{where} has no split 'test' (no array {' or '.join(keys)}): use {option('--split train')}")
    raise ValueError(f"it has no array named {', '.join(keys)}")


def _of_split(where: Path, split: str) -> Path:
    """KMNIST's files of a split, found beside each other or in their folder."""
    if where.is_dir():
        found = {_is_test(path): path for path in _image_files(where)}
        if (split == "test") not in found:
            raise UsageError(f"{where} has no split '{split}': name the file itself, or use the other split")
        return found[split == "test"]
    other = where.with_name(where.name.replace("train-imgs", "test-imgs"))
    return other if split == "test" and other.is_file() else where


def _is_test(where: Path) -> bool:
    return "test-imgs" in where.name


def _image_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.endswith("-imgs.npz"))


def _labels_beside(where: Path) -> NDArray[Any] | None:
    beside = where.with_name(where.name.replace("-imgs.npz", "-labels.npz"))
    if beside == where or not beside.is_file():
        return None
    with _arrays(beside) as loaded:
        return _plain(loaded, next(iter(loaded)))


def _npy_files(folder: Path) -> list[Path]:
    inside = (path for path in folder.rglob("*.npy") if not path.name.startswith("."))
    return sorted(inside, key=lambda path: [natural(part) for part in path.parts])


def accepts(where: Path) -> bool:
    """npz and npy files, a folder of KMNIST's npz files, a folder with npy files and no pictures of its own."""
    if where.is_dir():
        return bool(_image_files(where)) or _has_npy(where)
    return where.suffix.lower() in (".npz", ".npy")


def _has_npy(folder: Path) -> bool:
    """Whether the first file of a folder, or of the folders in it, is an npy file: quick in folders of pictures."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in inside if path.is_file()]
    if files:
        return any(path.suffix.lower() == ".npy" for path in files)
    return any(_has_npy(path) for path in inside[:1])


def _read(where: Path, config: DataConfig, progress: Progress) -> Raw:
    if where.is_dir() and not _image_files(where):
        if config.split == "test":
            raise UsageError(
                f"{where} has no split 'test': name the folder of its test arrays, or use {option('--split train')}"
            )
        return read_folder(where)
    return read_npz(where, config.split, config.labels == "ignore")


register_reader(Reader("npz", accepts, _read))
