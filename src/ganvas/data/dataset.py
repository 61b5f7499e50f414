"""Images in memory: `load` is the one door to known sets, the procedural set and the user's own files.

It gives an ImageSet (uint8, never scaled). Nothing here knows of torch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.data import cache
from ganvas.data.builtin import cifar10, fashion_mnist, shapes
from ganvas.data.builtin.known import KnownSet
from ganvas.data.files import arrays, pictures, pixels
from ganvas.data.files.raw import Raw
from ganvas.data.progress import Progress, warn
from ganvas.data.select import balanced, matching_classes, suggestion
from ganvas.errors import GanvasError, UsageError

if TYPE_CHECKING:
    pass

KNOWN: dict[str, KnownSet] = {known.files.name: known for known in (cifar10.SET, fashion_mnist.SET)}
NAMES = (*KNOWN, "shapes")
SPLITS = ("train", "test")
SHAPES_SIZE = 32
MOST_SHAPES = 1_000_000
OWN_SIZE = 32
SIZES = {"shapes": (8, 64), "known": (8, 64), "own": (16, 64)}


@dataclass(frozen=True)
class ImageSet:
    """A data set in memory.

    images: uint8 [n, c, h, w]; labels: int64 [n], from 0 on in the order of `class_names`, or None;
    sha256: of the bytes of images, then labels; source: one line, where they came from;
    skipped: "file: reason" for each file that could not be read; own_sizes: (width, height) of the images before they
    were resized, each kind once.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    sha256: str
    source: str
    skipped: tuple[str, ...] = ()
    own_sizes: tuple[tuple[int, int], ...] = ()


def load(config: DataConfig, progress: bool = True) -> ImageSet:
    """The images that a config asks for; a known set is fetched first where it is absent.

    `config.name` is one of NAMES, else a path. Classes are relabelled 0 to k-1 in the order of the set.
    `limit` takes the classes in turn (the first image of each, the second of each, ...), and simply the first
    images where there are no labels; for `shapes` it may exceed the usual number. Raises UsageError for a
    request that cannot be right, GanvasError where the data cannot be had or trained on.
    """
    kind = _kind(config.name)
    _check_request(config, kind)
    bar = Progress(progress)
    raw = _selected({"known": _known, "shapes": _shapes, "own": _own}[kind](config, bar), config)
    own_sizes = raw.own_sizes or ((raw.images.shape[3], raw.images.shape[2]),)
    raw = replace(raw, images=_sized(raw.images, config, kind))
    _check_variety(raw, config)
    if raw.skipped:
        warn(f"{config.name}: {len(raw.skipped)} files skipped, such as {raw.skipped[0]}")
    name = config.name if kind != "own" else _path(config.name).absolute().name
    sha256 = _sha256(raw.images, raw.labels)
    return ImageSet(name, raw.images, raw.labels, raw.class_names, sha256, raw.source, raw.skipped, own_sizes)


def unseen(config: DataConfig, n: int) -> ImageSet | None:
    """At most n images of the split that a config does not ask for; None where there is none, or it is not here yet."""
    other: Literal["train", "test"] = "train" if config.split == "test" else "test"
    try:
        kind = _kind(config.name)
        if kind == "own" or (kind == "known" and not cache.present(KNOWN[config.name].files)):
            return None
        return load(replace(config, split=other, limit=n), progress=False)
    except GanvasError:
        return None


def fetch(name: str, progress: bool = True) -> str:
    """Bring a known set into the cache, verified; one line on where it came from. Raises GanvasError."""
    kind = _kind(name)
    if kind == "known":
        return cache.fetch(KNOWN[name].files, Progress(progress))
    if kind == "shapes":
        return "drawn when needed; nothing to fetch"
    raise UsageError(f"'{name}' is a path, and there is nothing to fetch: known sets are {', '.join(NAMES)}")


def _path(name: str) -> Path:
    return Path(name).expanduser()


def _kind(name: str) -> str:
    """known, shapes or own. A known name wins over a folder of that name here: ./cifar10 means the folder."""
    if name in KNOWN:
        return "known"
    if name == "shapes":
        return "shapes"
    if _path(name).exists():
        return "own"
    if "/" in name or "\\" in name or name.endswith((".zip", ".npz", ".npy")):
        raise UsageError(f"'{name}' does not exist: name a folder, zip, npz or IDX file, or one of {', '.join(NAMES)}")
    known = ", ".join(NAMES)
    raise UsageError(f"no data set or folder is named '{name}' (known sets: {known}){suggestion(name, NAMES)}")


def _check_request(config: DataConfig, kind: str) -> None:
    smallest, largest = SIZES[kind]
    if config.size is not None and not smallest <= config.size <= largest:
        raise UsageError(f"size {config.size} does not suit {config.name}: choose {smallest} to {largest}")
    if config.channels not in (None, 1, 3):
        raise UsageError(f"channels must be 1 (grey) or 3 (RGB), not {config.channels}")
    if config.limit is not None and config.limit <= 1:
        raise UsageError(f"limit must be at least 2 images, not {config.limit}")
    if kind == "shapes" and (config.limit or 0) > MOST_SHAPES:
        raise UsageError(f"limit {config.limit} is too large for shapes: choose at most {MOST_SHAPES}")
    if config.split not in SPLITS:
        raise UsageError(f"split must be train or test, not '{config.split}'")


def _known(config: DataConfig, progress: Progress) -> Raw:
    known = KNOWN[config.name]
    contents, source = cache.read(known.files, known.splits[config.split][1], progress)
    images, labels = known.parse(contents)
    return Raw(images, labels, known.class_names, source)


def _shapes(config: DataConfig, progress: Progress) -> Raw:
    if config.classes:
        matching_classes(config.classes, shapes.CLASSES, "shapes")
    n = config.limit if not config.classes else None
    images, labels = shapes.read(config.split, n, config.size or SHAPES_SIZE, config.channels or 3)
    return Raw(images, labels, shapes.CLASSES, "drawn from integers (shape x colour: 80 known modes)")


def _own(config: DataConfig, progress: Progress) -> Raw:
    path = _path(config.name)
    try:
        if arrays.is_idx(path):
            raw = arrays.read_idx(path, config.split)
        elif path.suffix.lower() in (".npz", ".npy"):
            raw = arrays.read_npz(path, config.split)
        elif path.is_dir() or path.suffix.lower() == ".zip":
            size = config.size or OWN_SIZE
            raw = pictures.read(path, config.split, size, config.classes, config.limit, progress)
        else:
            raise UsageError(f"{path} is no data set: name a folder of pictures, or a zip, npz or IDX file")
    except OSError as error:
        raise GanvasError(f"{error.filename or path} cannot be read: {error.strerror or error}") from error
    return replace(raw, images=raw.images[:, :1]) if pixels.is_grey(raw.images) else raw


def _selected(raw: Raw, config: DataConfig) -> Raw:
    """Classes, then limit; a source that has done either already is left as it is."""
    chosen = matching_classes(config.classes, raw.class_names, config.name)
    if chosen and raw.labels is not None and len(chosen) < len(raw.class_names):
        keep = np.isin(raw.labels, chosen)
        relabelled = np.searchsorted(chosen, raw.labels[keep]).astype(np.int64)
        raw = replace(
            raw,
            images=raw.images[keep],
            labels=relabelled,
            class_names=tuple(raw.class_names[k] for k in chosen),
        )
    if config.limit is not None and config.limit < len(raw.images):
        labels = raw.labels if raw.labels is not None else np.zeros(len(raw.images), np.int64)
        first = balanced(labels)[: config.limit]
        raw = replace(raw, images=raw.images[first], labels=None if raw.labels is None else raw.labels[first])
    return raw


def _sized(images: NDArray[np.uint8], config: DataConfig, kind: str) -> NDArray[np.uint8]:
    height, width = images.shape[2:]
    smallest, largest = SIZES[kind]
    own = height if height == width and smallest <= height <= largest else OWN_SIZE
    channels = config.channels or images.shape[1]
    if channels == 1:  # before resizing, which then has a third of the work
        images = pixels.to_channels(images, 1)
    return np.ascontiguousarray(pixels.to_channels(pixels.resize(images, config.size or own), channels))


def _check_variety(raw: Raw, config: DataConfig) -> None:
    n = len(raw.images)
    if n < 2:
        found = "one image" if n else "no image"
        raise GanvasError(f"{config.name} gives {found}: a GAN needs at least 2, and hundreds to learn from")
    if (raw.images == raw.images[:1]).all():
        raise GanvasError(f"all {n} images of {config.name} are identical: a GAN has nothing to learn here")


def _sha256(images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    if labels is not None:
        digest.update(np.ascontiguousarray(labels.astype("<i8")).data)
    return digest.hexdigest()
