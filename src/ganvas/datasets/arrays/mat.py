""".mat files of MATLAB, as SVHN (cropped digits) and EMNIST are given, read with SciPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets.arrays.arrays import to_images
from ganvas.datasets.arrays.labels import Labels, fitting, to_labels
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw
from ganvas.datasets.reader import Reader, found_split, register_reader
from ganvas.errors import GanvasError, UsageError

IMAGES = ("X", "images", "x", "data")
LABELS = ("y", "labels", "label", "Y")
HDF5 = b"MATLAB 7.3"
INSTALL = "pip install 'ganvas[data]'"


def read(where: Path, config: DataConfig, progress: Progress) -> Raw:
    """Images and labels of a .mat file: X [h, w, c, n] and y [n, 1], or any other layout of `arrays.to_images`.

    In SVHN (labels 1 to 10) 10 is the digit 0. train_32x32.mat and test_32x32.mat beside each other are splits.
    Raises UsageError for a split that is not there or where SciPy is not, GanvasError for files of version 7.3.
    """
    path = _of_split(where, config.split)
    with path.open("rb") as file:
        if file.read(len(HDF5)) == HDF5:
            raise GanvasError(f"{path} is of MATLAB version 7.3 (HDF5), which is not read: save('x.mat', '-v7')")
    try:
        from scipy.io import loadmat
    except ImportError:
        raise UsageError(f"{path} needs SciPy: {INSTALL}") from None
    try:
        held: dict[str, Any] = loadmat(path)
        images_key = next((key for key in IMAGES if key in held), None) or _only(held)
        values: NDArray[Any] = held[images_key]
        images, notes = to_images(values)

        def labels() -> Labels:
            key = next((key for key in LABELS if key in held and key != images_key), None)
            return (None, ()) if key is None else _labels(held[key], len(images))

        (numbers, class_names), unused = fitting(labels, config.labels == "ignore")
    except Exception as error:  # SciPy raises many kinds for a damaged file
        raise GanvasError(f"{path} cannot be used: {' '.join(str(error).split())[:200]}") from error
    found = found_split(config.split, lambda split: _of_split(where, split))
    return Raw(images, numbers, class_names, f"{path}, array '{images_key}'", notes=(*notes, *unused), found=found)


def accepts(where: Path) -> bool:
    """A .mat file, or a folder of a train_ and maybe a test_ one and nothing else."""
    if where.is_file():
        return where.suffix.lower() == ".mat"
    inside = [path for path in where.iterdir() if not path.name.startswith(".")]
    return bool(inside) and all(path.suffix.lower() == ".mat" for path in inside)


def _labels(values: NDArray[Any], n: int) -> Labels:
    column = values.reshape(-1) if values.size == n else values
    if column.dtype.kind in "ui" and column.ndim == 1 and set(np.unique(column)) == set(range(1, 11)):
        return column.astype(np.int64) % 10, tuple(map(str, range(10)))  # SVHN
    return to_labels(column, n)


def _only(held: dict[str, Any]) -> str:
    """The one array with many values."""
    found = [key for key, value in held.items() if isinstance(value, np.ndarray) and value.ndim > 2]
    if len(found) != 1:
        names = ", ".join(key for key in held if not key.startswith("__"))
        raise ValueError(f"none of its variables ({names}) is named {', '.join(IMAGES)}")
    return found[0]


def _of_split(where: Path, split: str) -> Path:
    paths = sorted(where.iterdir()) if where.is_dir() else [where]
    if where.is_file() and split == "test" and "train" in where.name:
        paths = [path for path in [where.with_name(where.name.replace("train", "test"))] if path.is_file()]
    of_test = [path for path in paths if "test" in path.name.lower()]
    found = of_test if split == "test" else [path for path in paths if path not in of_test] or paths
    found = [path for path in found if path.suffix.lower() == ".mat" and "extra" not in path.name] or found[:1]
    if len(found) != 1:
        raise UsageError(f"{where} has {len(found)} files for the split '{split}': name the file itself")
    return found[0]


register_reader(Reader("mat", accepts, read))
