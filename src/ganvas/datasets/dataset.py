"""`load` is the one door to known sets, the procedural set and the user's own files.

It gives an ImageSet (uint8, never scaled). Nothing here knows of torch.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganvas import plugins
from ganvas.config import DataConfig
from ganvas.config.schema import Fit
from ganvas.datasets import arrays, builtin, cache, kept, pictures, pixels
from ganvas.datasets.progress import Progress, warn
from ganvas.datasets.raw import Found, Raw
from ganvas.datasets.reader import LARGEST_UNASKED, OWN_SIZE, OWN_SIZES, READERS
from ganvas.datasets.scratch import Mapped, gather, take
from ganvas.datasets.select import balanced, matching_classes
from ganvas.datasets.source import SOURCES, DataSource
from ganvas.errors import GanvasError, UsageError, did_you_mean

plugins.discover(builtin)
plugins.discover(arrays)
plugins.discover(pictures)

SPLITS = ("train", "test")
SHOWN_CLASSES = 20
"""Class names in the line that says what was read."""
IN_MEMORY = "in-memory"
"""The name of images that were given in Python (`ganvas.datasets.as_images`)."""


@dataclass(frozen=True)
class ImageSet:
    """A data set.

    images: uint8 [n, c, h, w], in memory or, where they are many, a mapped file (scratch.Mapped): take a batch or a
    part of them at a time; labels: int64 [n], from 0 on in the order of `class_names`, or None;
    sha256: of the bytes of images, then labels; source: one line, where they came from;
    skipped: "file: reason" for each file that could not be read; own_sizes: (width, height) of the images before they
    were resized, each kind once; notes: what else was done that the user must know; found: of which split, with
    labels from where; fit: what was done to rectangles.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    sha256: str
    source: str
    skipped: tuple[str, ...] = ()
    own_sizes: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    found: Found = field(default_factory=Found)
    fit: Fit = "crop"

    def summary(self, of: int | None = None) -> str:
        """One line: number, size and what was done to get it, split, classes and their names.

        of: how many images there are, where only the first of them were read.
        """
        n, channels, height, width = self.images.shape
        kind = "grey" if channels == 1 else "RGB"
        parts = [f"{of or n:,} images", f"{width} x {height} {kind}{self._resized()}"]
        if self.found.split:
            others = ", ".join(name for name in self.found.splits if name != self.found.split)
            parts.append(f"split {self.found.split}" + (f" (beside {others})" if others else ""))
        if self.labels is None:
            parts.append("no classes" + (f" ({self.found.labels})" if self.found.labels else ""))
        else:
            more = ", ..." if len(self.class_names) > SHOWN_CLASSES else ""
            source = f" {self.found.labels}" if self.found.labels else ""
            shown = (f'"{name}"' if "," in name else name for name in self.class_names[:SHOWN_CLASSES])
            names = ", ".join(shown) + more
            parts.append(f"{len(self.class_names)} classes{source}: {names}")
        return f"{self.name}: {', '.join(parts)}"

    def _resized(self) -> str:
        """What was done to images of another size, in brackets; nothing where nothing was."""
        _, _, height, width = self.images.shape
        if self.own_sizes in ((), ((width, height),)):
            return ""
        smallest, largest = (pick(self.own_sizes, key=lambda s: s[0] * s[1]) for pick in (min, max))
        sizes = f"from {smallest[0]} x {smallest[1]}"
        sizes += f" to {largest[0]} x {largest[1]}" if smallest != largest else ""
        done = {"crop": "cropped to the middle", "pad": "padded with white", "stretch": "stretched"}[self.fit]
        n = self.found.rectangles
        rectangles = f"; {n:,} rectangle{'s' * (n > 1)} {done}" if n else ""
        return f" ({sizes}{rectangles})"


def load(config: DataConfig, progress: bool = True) -> ImageSet:
    """The images that a config asks for; a known set is fetched first where it is absent.

    `config.name` is the name of a known set, else a path. Classes are relabelled 0 to k-1 in the order of the set.
    `limit` takes the classes in turn (the first image of each, the second of each, ...), and simply the first
    images where there are no labels. Raises UsageError for a request that cannot be right, GanvasError where the
    data cannot be had or trained on.
    """
    source = find_source(config.name)
    sizes = OWN_SIZES if source is None else source.sizes
    check_request(config, *sizes, source)
    bar = Progress(progress)
    if source is None:
        return _own(config, bar)
    raw = source.read(config, bar)
    raw = replace(raw, found=replace(raw.found, split=config.split, splits=tuple(source.splits)))
    return prepare(raw, config, source.name, sizes, bar)


def prepare(
    raw: Raw, config: DataConfig, name: str, sizes: tuple[int, int], progress: Progress, grey: bool = False
) -> ImageSet:
    """What a config asks for of images that were read: classes, limit, size and channels.

    sizes: the smallest and largest side, in pixels, that they may have; `grey`: all channels are alike, so that one
    will do. Raises as `load`.
    """
    raw = _select(raw, config)
    own_sizes, found = raw.own_sizes or ((raw.images.shape[3], raw.images.shape[2]),), raw.found
    if not raw.own_sizes and own_sizes[0][0] != own_sizes[0][1]:
        found = replace(found, rectangles=len(raw.images))
    images = _resized(raw.images, config, sizes, grey)
    _check_variety(images, config)
    _say(config.name, raw.notes, raw.skipped, progress)
    sha256 = _sha256(images, raw.labels)
    return ImageSet(
        name, images, raw.labels, raw.class_names, sha256, raw.source, raw.skipped, own_sizes, raw.notes, found,
        config.fit,
    )  # fmt: skip


def _say(name: str, notes: Sequence[str], skipped: Sequence[str], progress: Progress) -> None:
    for note in notes:
        progress.say(f"{name}: {note}")
    if skipped:
        warn(f"{name}: {len(skipped)} files skipped, such as {skipped[0]}")


def _own(config: DataConfig, progress: Progress) -> ImageSet:
    """The user's own images, from the cache where they were decoded before."""
    path = _path(config.name)
    reader = next((reader for reader in READERS if reader.accepts(path)), None)
    if reader is None:
        raise UsageError(f"{path} is no data set: name a folder, archive, array or table of images (see docs/data.md)")
    try:
        key = kept.key_of(path, config, reader.name)
        known = kept.find(key)
        with kept.making(key, progress) if known is None else nullcontext():
            if known is None and (known := kept.find(key)) is None:
                start = time.monotonic()
                raw = reader.read(path, config, progress)
                name, grey = path.absolute().name, pixels.is_grey(raw.images)
                found = prepare(raw, config, name, OWN_SIZES, progress, grey)
                if kept.worth_keeping(found.images, time.monotonic() - start):
                    found = replace(found, images=kept.keep(key, found.images, found.labels, _packed(found, config)))
                return found
    except OSError as error:
        raise GanvasError(f"{error.filename or path} cannot be read: {error.strerror or error}") from error
    found = _unpacked(known, config)
    _say(config.name, found.notes, found.skipped, progress)
    return found


def _packed(found: ImageSet, config: DataConfig) -> dict[str, Any]:
    """All but the arrays, as JSON values; `where` it was read from."""
    facts = {field.name: getattr(found, field.name) for field in fields(found)}
    del facts["images"], facts["labels"], facts["name"]
    return {**facts, "found": asdict(found.found), "where": config.name}


def _unpacked(known: kept.Kept, config: DataConfig) -> ImageSet:
    """The set that `_packed` gave the facts of, under the name that it has now."""
    facts = known.facts
    return ImageSet(
        name=_path(config.name).absolute().name,
        images=known.images,
        labels=known.labels,
        class_names=tuple(facts["class_names"]),
        sha256=facts["sha256"],
        source=facts["source"].replace(facts["where"], config.name, 1),
        skipped=tuple(facts["skipped"]),
        own_sizes=tuple((width, height) for width, height in facts["own_sizes"]),
        notes=tuple(facts["notes"]),
        found=Found(**{**facts["found"], "splits": tuple(facts["found"]["splits"])}),
        fit=facts["fit"],
    )


def unseen(config: DataConfig, n: int) -> ImageSet | None:
    """At most n images of the split that a config does not ask for; None where there is none, or it is not here yet.

    Name the size in the config: without it the other split has its own.
    """
    other: Literal["train", "test"] = "train" if config.split == "test" else "test"
    source = SOURCES.get(config.name)
    if source is not None and not source.present:
        return None
    try:
        found = load(replace(config, split=other, limit=n), progress=False)
    except GanvasError:
        return None
    return found if source is not None or len(found.found.splits) > 1 else None


def in_class_order(images: ImageSet, class_names: Sequence[str]) -> ImageSet:
    """The set with its classes numbered in another order of the same names; as it is where the names differ.

    Runs of ganvas 0.1 numbered classes in the order of text, 10 before 2.
    """
    if images.labels is None or sorted(images.class_names) != sorted(class_names):
        return images
    place = np.array([list(class_names).index(name) for name in images.class_names], np.int64)
    labels = place[images.labels]
    return replace(images, labels=labels, class_names=tuple(class_names), sha256=_sha256(images.images, labels))


def fetch(name: str, progress: bool = True) -> str:
    """Bring a known set into the cache, verified; one line on where it came from. Raises GanvasError."""
    source = find_source(name)
    if source is None:
        raise UsageError(f"'{name}' is a path: there is nothing to fetch (known sets: {', '.join(SOURCES)})")
    if source.files is None:
        return "drawn when needed; nothing to fetch"
    return cache.fetch(source.files, Progress(progress))


def find_source(name: str) -> DataSource | None:
    """The known set of that name, or None for a path; UsageError where there is neither.

    A known name wins over a folder of that name here: ./cifar10 means the folder.
    """
    if name in SOURCES:
        return SOURCES[name]
    if name == IN_MEMORY:
        raise UsageError(
            "the images of this run were given in Python and are not kept with it: go on with"
            " ganvas.resume(run, data=...), or compare with ganvas.evaluate(run, reference=...)"
        )
    if _path(name).exists():
        return None
    known = ", ".join(SOURCES)
    if "/" in name or "\\" in name or name.endswith((".zip", ".npz", ".npy")):
        raise UsageError(f"'{name}' does not exist: name a folder, zip, npz or IDX file, or one of {known}")
    raise UsageError(f"no data set or folder is named '{name}' (known sets: {known}){did_you_mean(name, SOURCES)}")


def _path(name: str) -> Path:
    return Path(name).expanduser()


def check_request(config: DataConfig, smallest: int, largest: int, source: DataSource | None = None) -> None:
    """Raise UsageError where size, channels, limit or split of a config cannot be right for these images."""
    if config.size is not None and not smallest <= config.size <= largest:
        raise UsageError(f"size {config.size} does not suit {config.name}: choose {smallest} to {largest}")
    if config.channels not in (None, 1, 3):
        raise UsageError(f"channels must be 1 (grey) or 3 (RGB), not {config.channels}")
    if config.limit is not None and config.limit <= 1:
        raise UsageError(f"limit must be at least 2 images, not {config.limit}")
    if source is not None and source.max_limit is not None and (config.limit or 0) > source.max_limit:
        raise UsageError(f"limit {config.limit} is too large for {config.name}: choose at most {source.max_limit}")
    if config.split not in SPLITS:
        raise UsageError(f"split must be train or test, not '{config.split}'")


def _select(raw: Raw, config: DataConfig) -> Raw:
    """Classes, then limit; a source that has done either already is left as it is."""
    chosen = matching_classes(config.classes, raw.class_names, config.name)
    if chosen and raw.labels is not None and len(chosen) < len(raw.class_names):
        keep = np.flatnonzero(np.isin(raw.labels, chosen))
        relabelled = np.searchsorted(chosen, raw.labels[keep]).astype(np.int64)
        raw = replace(
            raw,
            images=take(raw.images, keep),
            labels=relabelled,
            class_names=tuple(raw.class_names[k] for k in chosen),
        )
    if config.limit is not None and config.limit < len(raw.images):
        labels = raw.labels if raw.labels is not None else np.zeros(len(raw.images), np.int64)
        first = balanced(labels)[: config.limit]
        raw = replace(raw, found=replace(raw.found, n=len(raw.images)))
        raw = replace(raw, images=take(raw.images, first), labels=None if raw.labels is None else raw.labels[first])
    return raw


def _resized(images: pixels.Images, config: DataConfig, sizes: tuple[int, int], grey: bool) -> pixels.Images:
    height, width = images.shape[2:]
    keeps = height == width and sizes[0] <= height <= min(sizes[1], LARGEST_UNASKED)
    size = config.size or (height if keeps else OWN_SIZE)
    channels = config.channels or (1 if grey else images.shape[1])
    if images.shape[1:] == (channels, size, size):
        return images if isinstance(images, Mapped) else np.ascontiguousarray(images)

    def resized(part: pixels.Images) -> pixels.Images:
        if grey:
            part = part[:, :1]
        elif channels == 1:  # before resizing, which then has a third of the work
            part = pixels.to_channels(part, 1)
        return np.ascontiguousarray(pixels.to_channels(pixels.resize(part, size, config.fit), channels))

    if not isinstance(images, Mapped):
        return resized(images)
    return gather(map(resized, pixels.in_parts(images)), (channels, size, size), len(images))


def _check_variety(images: pixels.Images, config: DataConfig) -> None:
    n = len(images)
    if n < 2:
        found = "one image" if n else "no image"
        raise GanvasError(f"{config.name} gives {found}: a GAN needs at least 2, and hundreds to learn from")
    if all((part == images[:1]).all() for part in pixels.in_parts(images)):
        raise GanvasError(f"all {n} images of {config.name} are identical: a GAN has nothing to learn here")


def _sha256(images: pixels.Images, labels: NDArray[np.int64] | None) -> str:
    digest = hashlib.sha256()
    for part in pixels.in_parts(images):
        digest.update(np.ascontiguousarray(part).data)
    if labels is not None:
        digest.update(np.ascontiguousarray(labels.astype("<i8")).data)
    return digest.hexdigest()
