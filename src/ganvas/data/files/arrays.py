"""The user's own images as arrays: npz, npy and IDX files. Nothing pickled is ever opened."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.data.files import idx, scale
from ganvas.data.files.pixels import over_white
from ganvas.data.raw import Raw
from ganvas.data.reader import Reader, register_reader
from ganvas.errors import GanvasError, UsageError

IMAGE_KEYS = {
    "train": ("x_train", "train_images", "X_train"),
    "test": ("x_test", "test_images", "X_test"),
    "any": ("images", "x", "X", "data", "arr_0"),
}
LABEL_KEYS = {
    "train": ("y_train", "train_labels", "Y_train"),
    "test": ("y_test", "test_labels", "Y_test"),
    "any": ("labels", "label", "y", "Y", "targets", "arr_1"),
}
NAME_KEYS = ("class_names", "classes")
Arrays = dict[str, NDArray[Any]]
CHANNELS = (1, 3, 4)
LARGEST = 8 << 30  # bytes


def read_npz(where: Path, split: str) -> Raw:
    """Images (and labels) of an .npz or .npy file.

    Images: key images, x, x_train, arr_0 or the like; [n, h, w], [n, h, w, c] or [n, c, h, w], c = 1, 3 or 4
    (RGBA, put over white); 8 or 16 bits, bool, or floats that clearly run over [0, 1] or [-1, 1].
    Labels: key labels, y, y_train, arr_1 or the like; integers or names, [n] or [n, 1]; maybe class_names.
    Raises UsageError for a split that is not there, GanvasError for anything else that does not fit.
    """
    labels: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] = ()
    try:
        arrays = _arrays(where)
        key = _image_key(arrays, split, where)
        values, note = scale.to_bytes(arrays[key])
        images = channels_first(values)
        if label_key := _first(arrays, _keys(LABEL_KEYS, arrays, split)):
            names = _first(arrays, NAME_KEYS)
            labels, class_names = to_labels(arrays[label_key], len(images), arrays[names] if names else None)
    except (ValueError, OSError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile) as error:
        pickled = "it holds pickled objects, which can run code and are never opened: save plain arrays"
        reason = pickled if "pickle" in str(error) else error
        raise GanvasError(f"{where} cannot be used: {reason}") from error
    return Raw(images, labels, class_names, f"{where}, array '{key}'", notes=(note,) if note else ())


def is_idx(where: Path) -> bool:
    """Whether this is an IDX file, or a folder with one."""
    return bool(_idx_images(where)) if where.is_dir() else "ubyte" in where.name


def read_idx(where: Path, split: str) -> Raw:
    """Images of an IDX file, or of a folder of them, and the labels that lie beside under the usual name.

    Raises UsageError for a split that is not there, GanvasError for files that do not fit.
    """
    if where.is_file() and split != "train":
        raise UsageError(f"{where} is one file without a split '{split}': name its folder, or use --split train")
    path = where if where.is_file() else _idx_of_split(where, split)
    labels: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] = ()
    try:
        values, note = scale.to_bytes(idx.read(path))
        images = channels_first(values)
        if beside := _labels_beside(path):
            labels, class_names = to_labels(idx.read(beside), len(images), None)
    except (ValueError, OSError) as error:
        raise GanvasError(f"{path} cannot be used: {error}") from error
    return Raw(images, labels, class_names, str(path), notes=(note,) if note else ())


def channels_first(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[n, h, w], [n, h, w, c] or [n, c, h, w] as [n, 1 or 3, h, w]. Raises ValueError where unclear."""
    shape = list(values.shape)
    if values.ndim == 3:
        values = values[:, None]
    elif values.ndim != 4 or (shape[1] in CHANNELS) == (shape[3] in CHANNELS):
        raise ValueError(f"its images are {shape}, not [n, h, w], [n, h, w, c] or [n, c, h, w], c = 1, 3 or 4")
    elif shape[3] in CHANNELS:
        values = values.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(over_white(values) if values.shape[1] == 4 else values)


def to_labels(values: NDArray[Any], n: int, names: NDArray[Any] | None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels of any kind as int64 [n] from 0 on, and their names. Raises ValueError where they do not fit."""
    if values.shape not in ((n,), (n, 1)):
        raise ValueError(f"its labels are {list(values.shape)} for {n} images")
    if values.dtype.kind not in "uifUb":
        raise ValueError(f"its labels are of type {values.dtype}, neither integers nor names")
    if values.dtype.kind == "f" and (values != np.rint(values)).any():
        raise ValueError("its labels are not whole numbers")
    found, labels = np.unique(values.reshape(-1), return_inverse=True)
    if names is not None and values.dtype.kind in "uib":
        given = tuple(str(name) for name in names.reshape(-1))
        if found[0] < 0 or found[-1] >= len(given):
            raise ValueError(f"its labels run from {found[0]} to {found[-1]} for {len(given)} class names")
        return values.reshape(-1).astype(np.int64), given
    as_text = found if found.dtype.kind == "U" else found.astype(np.int64)
    return labels.reshape(-1).astype(np.int64), tuple(str(name) for name in as_text)


def _arrays(where: Path) -> Arrays:
    with where.open("rb") as file:
        zipped = zipfile.is_zipfile(file)
        file.seek(0)
        magic = file.read(6)
    if not zipped and magic != b"\x93NUMPY":
        raise ValueError("it is neither an npz nor an npy file")
    if not zipped:
        return {"images": np.load(where, allow_pickle=False)}
    with zipfile.ZipFile(where) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > LARGEST:
        raise ValueError(f"it unpacks to {size / 2**30:.0f} GiB, more than {LARGEST >> 30}")
    with np.load(where, allow_pickle=False) as loaded:
        tables = (*IMAGE_KEYS.values(), *LABEL_KEYS.values(), NAME_KEYS)
        wanted = {key for keys in tables for key in keys}
        return {key: loaded[key] for key in loaded.files if key in wanted or len(loaded.files) == 1}


def _first(arrays: Arrays, keys: Sequence[str]) -> str | None:
    return next((key for key in keys if key in arrays), None)


def _keys(table: Mapping[str, tuple[str, ...]], arrays: Arrays, split: str) -> tuple[str, ...]:
    """The keys to look for; general ones stand for the whole, unless the file keeps its splits apart."""
    apart = split == "test" or _first(arrays, IMAGE_KEYS["test"])
    return table[split] if apart else (*table[split], *table["any"])


def _image_key(arrays: Arrays, split: str, where: Path) -> str:
    keys = _keys(IMAGE_KEYS, arrays, split)
    if found := _first(arrays, keys):
        return found
    if split == "test":
        raise UsageError(f"{where} has no split 'test' (no array {' or '.join(keys)}): use --split train")
    if len(arrays) == 1:
        return next(iter(arrays))
    raise ValueError(f"it has no array named {', '.join(keys)}")


def _idx_images(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if "images" in p.name and "idx3" in p.name and not p.name.startswith("."))


def _labels_beside(images: Path) -> Path | None:
    name = images.name.removesuffix(".gz")
    renamed = name.replace("images-idx3", "labels-idx1").replace("images.idx3", "labels.idx1")
    both = (images.with_name(renamed), images.with_name(f"{renamed}.gz"))
    return next((path for path in both if renamed != name and path.is_file()), None)


def _idx_of_split(folder: Path, split: str) -> Path:
    found = _idx_images(folder)
    test = [p for p in found if "t10k" in p.name or "test" in p.name]
    of_split = test if split == "test" else [p for p in found if p not in test]
    of_split = [p for p in of_split if p.suffix != ".gz" or p.with_suffix("") not in of_split]
    if len(of_split) != 1:
        raise UsageError(f"{folder} has {len(of_split)} IDX image files for the split '{split}': name the file itself")
    return of_split[0]


register_reader(Reader("IDX", is_idx, lambda path, config, progress: read_idx(path, config.split)))
register_reader(
    Reader(
        "npz",
        lambda path: path.suffix.lower() in (".npz", ".npy"),
        lambda path, config, progress: read_npz(path, config.split),
    )
)
