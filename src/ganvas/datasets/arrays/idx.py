"""The IDX format of MNIST (LeCun, Cortes and Burges 1998): big-endian header, then the values as they are.

MNIST, Fashion-MNIST, KMNIST and EMNIST come as folders of them, and torchvision and Keras keep them so. Splits and
labels are found by the names of the files: train-images-idx3-ubyte, t10k-images-idx3-ubyte, labels-idx1 beside. EMNIST
(Cohen et al. 2017, arXiv:1702.05373) keeps its images transposed; they are turned upright by that name.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets.arrays import arrays
from ganvas.datasets.arrays.labels import Labels, fitting, to_labels
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw
from ganvas.datasets.reader import Reader, found_split, register_reader
from ganvas.errors import GanvasError, UsageError, option

LARGEST = 1 << 33  # 8 GiB: above this a header is more likely wrong than right
TEST = ("t10k", "test")


def parse(content: bytes) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes. Raises ValueError with the reason in a few words."""
    shape, start = _header(content[:64])
    if len(content) - start != math.prod(shape):
        raise ValueError(f"its header promises {shape}, which is not {len(content) - start} bytes")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def pack(values: NDArray[np.uint8]) -> bytes:
    """The IDX file of an array of unsigned bytes. Raises ValueError for other values."""
    if values.dtype != np.uint8:
        raise ValueError(f"{values.dtype} values, not unsigned bytes")
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes() + values.tobytes()


def read(path: Path) -> NDArray[np.uint8]:
    """The array in an IDX file, plain or .gz. Raises ValueError, OSError; reads no more than it promises."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(64)
            shape, start = _header(head)
            content = head + file.read(start + math.prod(shape) + 1 - len(head))
    except (EOFError, zlib.error) as error:
        raise ValueError(f"damaged gzip: {error}") from error
    return parse(content)


def accepts(where: Path) -> bool:
    """Whether this is an IDX file, or a folder with one, or with nothing but a folder of them."""
    return bool(_images(where)) if where.is_dir() else "ubyte" in where.name


def read_set(where: Path, split: str, ignore: bool = False) -> Raw:
    """Images of an IDX file, or of a folder of them, and the labels that lie beside under the usual name.

    `ignore`: labels that do not fit are left out. Raises UsageError for a split that is not there, GanvasError for
    files that do not fit.
    """
    path = _of_split(where, split)
    try:
        upright = np.swapaxes(values, 1, 2) if (values := read(path)).ndim == 3 and _transposed(path) else values
        images, notes = arrays.to_images(upright)

        def labels() -> Labels:
            if (beside := _labels_beside(path)) is None:
                return None, ()
            numbers, class_names = to_labels(read(beside), len(images))
            mapping = _mapping(path)
            return numbers, tuple(mapping.get(int(name), name) for name in class_names)

        (numbers, class_names), unused = fitting(labels, ignore)
    except (ValueError, OSError) as error:
        raise GanvasError(f"{path} cannot be used: {error}") from error
    found = found_split(split, lambda split: _of_split(where, split))
    turned = ("EMNIST's images are turned upright",) if _transposed(path) else ()
    return Raw(images, numbers, class_names, str(path), notes=(*notes, *turned, *unused), found=found)


def _header(head: bytes) -> tuple[tuple[int, ...], int]:
    if len(head) < 4 or head[:2] != b"\0\0":
        raise ValueError("not an IDX file")
    if head[2] != 8:
        raise ValueError("an IDX file of other values than unsigned bytes")
    dimensions = head[3]
    start = 4 + 4 * dimensions
    if not 1 <= dimensions <= 4 or len(head) < start:
        raise ValueError(f"an IDX file of {dimensions} dimensions, or cut short")
    shape = struct.unpack(f">{dimensions}I", head[4:start])
    if math.prod(shape) > LARGEST:
        raise ValueError(f"its header promises {shape}, more than {LARGEST >> 30} GiB")
    return shape, start


def _images(folder: Path) -> list[Path]:
    """The image files of a folder; torchvision keeps them in FashionMNIST/raw, some archives in gzip/."""
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    found = [path for path in inside if "images" in path.name and "idx3" in path.name]
    if not found and len(folders := [path for path in inside if path.is_dir()]) == 1:
        return _images(folders[0])
    return found


def _of_split(where: Path, split: str) -> Path:
    if where.is_dir():
        found, home = _images(where), where
    else:  # the file itself, or its counterpart of the other split
        found, home = [where], where
        if split == "test" and "train" in where.name:
            pair = [where.with_name(where.name.replace("train", test)) for test in TEST]
            found = [path for path in pair if path.is_file()]
        if split == "test" and not any(test in path.name for path in found for test in TEST):
            raise UsageError(
                f"{where} is one file without a split 'test': name its folder, or use {option('--split train')}"
            )
        return found[0]
    test = [path for path in found if any(word in path.name for word in TEST)]
    chosen = test if split == "test" else [path for path in found if path not in test]
    chosen = [path for path in chosen if path.suffix != ".gz" or path.with_suffix("") not in chosen]
    if len(chosen) != 1:
        named = f", such as {home / chosen[0].name}" if chosen else ""
        raise UsageError(
            f"{home} has {len(chosen)} IDX image files for the split '{split}': name the file itself{named}"
        )
    return chosen[0]


def _labels_beside(images: Path) -> Path | None:
    name = images.name.removesuffix(".gz")
    renamed = name.replace("images-idx3", "labels-idx1").replace("images.idx3", "labels.idx1")
    both = (images.with_name(renamed), images.with_name(f"{renamed}.gz"))
    return next((path for path in both if renamed != name and path.is_file()), None)


def _transposed(images: Path) -> bool:
    return images.name.startswith("emnist-")


def _mapping(images: Path) -> dict[int, str]:
    """EMNIST's class names by label: lines "label code code", ASCII codes, of a file beside the images."""
    table = images.with_name("-".join(images.name.split("-")[:2]) + "-mapping.txt")
    if not _transposed(images) or not table.is_file():
        return {}
    rows = [[int(word) for word in line.split()] for line in table.read_text("ascii").splitlines() if line.strip()]
    return {row[0]: chr(row[1]) for row in rows}


def _read(where: Path, config: DataConfig, progress: Progress) -> Raw:
    return read_set(where, config.split, config.labels == "ignore")


register_reader(Reader("IDX", accepts, _read))
