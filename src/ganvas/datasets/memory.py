"""Images that are given in Python: arrays, torch Datasets, pictures of Pillow. Nothing here imports torch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganvas.config import DataConfig
from ganvas.datasets import pixels
from ganvas.datasets.arrays.arrays import to_images
from ganvas.datasets.arrays.labels import Labels, fitting, to_labels
from ganvas.datasets.dataset import (
    IN_MEMORY,
    ImageSet,
    check_request,
    load,
    prepare,
)  # fmt: skip
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw
from ganvas.datasets.reader import OWN_SIZE, OWN_SIZES, own_side
from ganvas.datasets.source import SOURCES, DataSource
from ganvas.errors import GanvasError, UsageError, option, shown

IMAGE_KEYS = ("image", "img", "pixel_values", "x")
LABEL_KEYS = ("label", "labels", "fine_label", "y")


def as_images(
    data: Any,
    labels: ArrayLike | None = None,
    class_names: Sequence[str] = (),
    config: DataConfig | None = None,
    progress: bool = True,
) -> ImageSet:
    """Any images given in Python as an ImageSet, of the size, channels, classes and number that `config` asks for.

    data: an array or tensor of any number type, [n, h, w], [n, h, w, c], [n, c, h, w] or rows of numbers; a torch
    Dataset or an iterable of images or of (image, label), each a picture of Pillow, an array or a tensor, or of dicts
    with image and label (each item is read once, so a random transform is drawn once); an ImageSet; a path or the name
    of a known set. labels: class numbers, names or one-hot rows, [n], or "ignore" for none; class_names: of class 0, 1,
    ...
    One scale holds for all values, see `ganvas.datasets.scale`; a line says what was read.
    Raises UsageError for what cannot be meant, GanvasError for images that do not fit each other.
    """
    if isinstance(class_names, str) or not hasattr(class_names, "__len__"):
        raise UsageError(f"class_names = {shown(class_names)}: give a list, the name of class 0, of class 1, ...")
    config = config or DataConfig(IN_MEMORY)
    if isinstance(labels, str) and labels == "ignore":
        labels, config = None, replace(config, labels="ignore")
    if isinstance(data, str | os.PathLike):
        if labels is not None or class_names:
            raise UsageError("labels and class_names go with images given in Python; a path has its own")
        return load(replace(config, name=os.fspath(data)), progress)
    config = replace(config, name=IN_MEMORY)
    check_request(config, *OWN_SIZES)
    raw = _from_set(data) if isinstance(data, ImageSet) else _read(data, labels, class_names, config)
    if isinstance(data, ImageSet) and labels is not None:
        raise UsageError("these images are an ImageSet, which has its own labels")
    return prepare(raw, config, IN_MEMORY, OWN_SIZES, Progress(progress))


@contextmanager
def available(images: ImageSet) -> Iterator[None]:
    """While this lasts, the images are a known set named in-memory: evaluation finds them by that name."""

    def read(config: DataConfig, progress: Progress) -> Raw:
        if config.split != "train":
            raise UsageError(f"images given in Python have no split 'test': use {option('--split train')}")
        return _from_set(images)

    n, c, h, w = images.images.shape
    before = SOURCES.get(IN_MEMORY)
    SOURCES[IN_MEMORY] = DataSource(
        IN_MEMORY, (c, h, w), images.class_names, {"train": n}, read, "yours", "given in Python", sizes=OWN_SIZES
    )
    try:
        yield
    finally:
        SOURCES.pop(IN_MEMORY)
        if before is not None:
            SOURCES[IN_MEMORY] = before


def _from_set(images: ImageSet) -> Raw:
    return Raw(images.images, images.labels, images.class_names, images.source, images.skipped, images.own_sizes)


def _read(data: Any, labels: ArrayLike | None, class_names: Sequence[str], config: DataConfig) -> Raw:
    """The images of an array or an iterable, and their labels."""
    own_labels: Any = labels
    names = tuple(class_names)
    sizes: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    try:
        if _is_array(data):
            values = _array(data)
            given = f"{values.dtype} {list(values.shape)}"
        else:
            values, found, sizes, given = _collected(data, config)
            own_labels = own_labels if labels is not None else found
            names = names or _names_of(data)
        images, notes = to_images(values)

        def make() -> Labels:
            if own_labels is None:
                return None, ()
            return to_labels(_array(own_labels), len(images), names or None)

        (numbers, class_names), unused = fitting(make, config.labels == "ignore" and labels is None)
    except ValueError as error:
        raise GanvasError(f"these images cannot be used: {error}") from error
    low, high, shape = values.min(), values.max(), list(images.shape)
    said = f"given as {given}, values from {low:g} to {high:g}, read as [n, c, h, w] {shape}"
    images = images[:, :1] if pixels.is_grey(images) else images
    return Raw(images, numbers, tuple(class_names), f"given in Python: {given}", (), sizes, (said, *notes, *unused))


def _is_array(data: Any) -> bool:
    return hasattr(data, "__array__") and hasattr(data, "shape") and not hasattr(data, "getbands")


def _array(data: Any) -> NDArray[Any]:
    """An array of NumPy, torch, JAX or TensorFlow, or a list of numbers or names, as NumPy's."""
    if hasattr(data, "detach"):
        data = data.detach().cpu()
        data = data.float() if str(data.dtype) == "torch.bfloat16" else data
    return np.asarray(data)


def _collected(
    data: Iterable[Any], config: DataConfig
) -> tuple[NDArray[Any], list[Any] | None, tuple[tuple[int, int], ...], str]:
    """(values [n, ...], labels or None, sizes of the pictures, what they were) of the items of an iterable."""
    images: list[NDArray[Any]] = []
    labels: list[Any] = []
    sizes: set[tuple[int, int]] = set()
    for item in _items(data):
        image, label = _parts(item)
        if hasattr(image, "getbands"):
            sizes.add(image.size)
            side = config.size or _own_side(sizes)
            if len(sizes) == 2 and images and images[0].shape[0] != side:  # those before were of one size
                images = [_resized(before, side, config) for before in images]
            images.append(_of_picture(image, side, config))
        elif _is_array(image) and len(image.shape) == 4:  # a batch of a DataLoader
            images += list(_array(image))
            labels += [None] * image.shape[0] if label is None else list(_array(label))
            continue
        elif _is_array(image):
            images.append(_array(image))
        else:
            raise UsageError(
                f"item {len(images)} holds a {type(image).__name__}: give pictures of Pillow, arrays or tensors, alone"
                " or as (image, label)"
            )
        labels.append(label)
    shapes = {image.shape for image in images}
    if not images:
        raise UsageError("there is no image in these data")
    if len(shapes) > 1:
        raise ValueError(f"their shapes differ, such as {' and '.join(map(str, sorted(shapes)[:2]))}: give pictures of "
                         "Pillow, which are resized, or arrays of one shape")  # fmt: skip
    values = np.stack(images)
    if values.ndim == 3:  # so that [n, h, w] is never taken for [h, w, n]
        values = values[:, None]
    kind = "pictures" if sizes else f"{values.dtype} arrays {list(images[0].shape)}"
    known = [label for label in labels if label is not None]
    if known and len(known) < len(images):
        raise ValueError(f"{len(images) - len(known)} of {len(images)} images have no label")
    return values, known or None, tuple(sorted(sizes)), f"{len(images)} {kind}"


def _items(data: Any) -> Iterator[Any]:
    """The items of a Dataset with a length, by number; of anything else, in turn. UsageError where there are none."""
    if isinstance(data, Mapping):
        parts = ", ".join(map(str, list(data)[:5]))
        raise UsageError(f"data is a dict of {parts}: give one of them, and labels as labels=")
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return (data[i] for i in range(len(data)))
    try:
        return iter(data)
    except TypeError:
        raise UsageError(
            f"data is a {type(data).__name__}: give a path, an array, a torch Dataset or an iterable of images"
        ) from None


def _parts(item: Any) -> tuple[Any, Any]:
    """(image, label) of an item; the label may be None."""
    if isinstance(item, Mapping):
        image = next((item[key] for key in IMAGE_KEYS if key in item), None)
        return image, next((_label(item[key]) for key in LABEL_KEYS if key in item), None)
    if isinstance(item, tuple | list):
        return (item[0], _label(item[1])) if len(item) == 2 else (item[0] if item else None, None)
    return item, None


def _label(label: Any) -> Any:
    return _array(label) if _is_array(label) else label


def _names_of(data: Any) -> tuple[str, ...]:
    """The class names that a Dataset of torchvision or of Hugging Face knows."""
    features = getattr(data, "features", None)
    known = [getattr(features[key], "names", None) for key in LABEL_KEYS if key in features] if features else []
    names = next((names for names in known if names), None) or getattr(data, "classes", None) or ()
    return tuple(str(name) for name in names)


def _own_side(sizes: set[tuple[int, int]]) -> int:
    """What pictures of these sizes become."""
    width, height = next(iter(sizes))
    return own_side(width) if len(sizes) == 1 and width == height else OWN_SIZE


def _of_picture(picture: Any, side: int, config: DataConfig) -> NDArray[Any]:
    """The pixels of a picture of Pillow: 8 bits as RGB [side, side, 3], deeper ones as they are, for one scale."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        return np.asarray(picture)
    return np.asarray(pixels.square(pixels.to_rgb(picture), side, config.fit))


def _resized(image: NDArray[Any], side: int, config: DataConfig) -> NDArray[Any]:
    """The pixels that `_of_picture` gave, at another size; deep ones as they are."""
    if image.ndim != 3:
        return image
    resized: NDArray[Any] = pixels.resize(image.transpose(2, 0, 1)[None], side, config.fit)[0].transpose(1, 2, 0)
    return resized
