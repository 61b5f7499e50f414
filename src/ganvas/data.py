"""Images in memory: one door to known sets, the procedural set and the user's own files.

`load` gives an ImageSet (uint8, never scaled); `order` and `flips` say which image stands at which place of
the endless stream of samples. Nothing here knows of torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ganvas import rng
from ganvas.config import DataConfig
from ganvas.datasets import arrays, cache, cifar10, fashion_mnist, pictures, pixels, shapes
from ganvas.datasets.known import KnownSet
from ganvas.datasets.progress import Progress, warn
from ganvas.datasets.raw import Raw
from ganvas.datasets.select import balanced, matching_classes, suggestion
from ganvas.errors import GanvasError, UsageError

if TYPE_CHECKING:
    from PIL import Image

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


@dataclass(frozen=True)
class Description:
    """A row of `ganvas data list`. n: images per split; shape: (c, h, w); cached: nothing left to fetch."""

    name: str
    n: Mapping[str, int]
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    cached: bool
    licence: str


@dataclass(frozen=True)
class Report:
    """What `ganvas data check` found in one split. `duplicates`: images that equal an earlier one."""

    name: str
    split: str
    n: int
    shape: tuple[int, int, int]
    classes: dict[str, int]
    low: int
    high: int
    mean: float
    duplicates: int
    skipped: tuple[str, ...]
    verified: str
    source: str
    sha256: str

    def lines(self) -> list[str]:
        counts = ", ".join(f"{name} {count}" for name, count in self.classes.items())
        shown = [f"  {line}" for line in self.skipped[:20]]
        more = [f"  ... and {len(self.skipped) - 20} more"] if len(self.skipped) > 20 else []
        return [
            f"{self.name}, {self.split}: {self.n} images of {' x '.join(map(str, self.shape))} (c x h x w)",
            f"classes: {len(self.classes)} ({counts})" if self.classes else "classes: none",
            f"values: {self.low} to {self.high}, mean {self.mean:.1f}",
            f"duplicates: {self.duplicates}",
            f"verified: {self.verified}",
            f"source: {self.source}",
            f"sha256: {self.sha256}",
            f"unreadable files: {len(self.skipped)}",
            *shown,
            *more,
        ]


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


def check(name_or_path: str, progress: bool = True) -> tuple[Report, ...]:
    """Read everything there is: one Report for each split that there is. Raises as `load`."""
    train = load(DataConfig(name=name_or_path), progress)
    try:
        test = load(DataConfig(name=name_or_path, split="test"), progress)
    except UsageError:
        return (_report(train, "train", name_or_path),)
    return _report(train, "train", name_or_path), _report(test, "test", name_or_path)


def _report(found: ImageSet, split: str, name_or_path: str) -> Report:
    counts: dict[str, int] = {}
    if found.labels is not None:
        counts = {name: int((found.labels == k).sum()) for k, name in enumerate(found.class_names)}
    if name_or_path in KNOWN:
        verified = f"matches {KNOWN[name_or_path].table}"
    else:
        verified = "nothing to compare with: " + ("drawn anew" if name_or_path == "shapes" else "your own files")
    channels, height, width = found.images.shape[1:]
    return Report(
        name=found.name,
        split=split,
        n=len(found.images),
        shape=(channels, height, width),
        classes=counts,
        low=int(found.images.min()),
        high=int(found.images.max()),
        mean=float(found.images.mean()),
        duplicates=int(repeated(found.images).sum()),
        skipped=found.skipped,
        verified=verified,
        source=found.source,
        sha256=found.sha256,
    )


def repeated(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether an image [n, c, h, w] equals an earlier one: bool [n]."""
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images)
    return np.array([first.setdefault(digest, i) != i for i, digest in enumerate(digests)], bool)


def describe() -> tuple[Description, ...]:
    """The sets known by name. Looks at which files are there, not at their content."""
    rows = [
        Description(
            name=name,
            n={split: n for split, (n, _) in known.splits.items()},
            shape=known.shape,
            class_names=known.class_names,
            cached=cache.present(known.files),
            licence=known.licence,
        )
        for name, known in KNOWN.items()
    ]
    terms = "drawn by ganvas, free of rights; 80 known modes (10 shapes x 8 colours)"
    drawn = Description("shapes", shapes.COUNTS, (3, SHAPES_SIZE, SHAPES_SIZE), shapes.CLASSES, True, terms)
    return (*rows, drawn)


def preview(imageset: ImageSet, columns: int = 10) -> Image.Image:
    """A contact sheet in true colour: one row per class where labels exist, small images enlarged."""
    from PIL import Image, ImageDraw, ImageFont

    n, channels, height, width = imageset.images.shape
    if imageset.labels is None:
        shown = np.arange(min(n, columns * columns))
        rows = [shown[i : i + columns] for i in range(0, len(shown), columns)]
        captions = [""] * len(rows)
    else:
        rows = [np.flatnonzero(imageset.labels == k)[:columns] for k in range(len(imageset.class_names))]
        captions = list(imageset.class_names)
    columns = max(len(row) for row in rows)
    scale = max(1, 64 // max(height, width))
    cell_w, cell_h = width * scale + 2, height * scale + 2
    font = ImageFont.load_default()
    margin = 8 + max(int(font.getlength(_latin(caption))) for caption in captions) if any(captions) else 0
    sheet = Image.new("RGB", (margin + columns * cell_w, len(rows) * cell_h), "white")
    pen = ImageDraw.Draw(sheet)
    for r, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        pen.text((4, r * cell_h + cell_h // 2 - 6), _latin(caption), fill="black", font=font)
        for c, i in enumerate(row):
            rgb = np.repeat(imageset.images[i], 3 // channels, axis=0).transpose(1, 2, 0)
            tile = np.ascontiguousarray(rgb.repeat(scale, axis=0).repeat(scale, axis=1))
            sheet.paste(Image.fromarray(tile), (margin + c * cell_w + 1, r * cell_h + 1))
    return sheet


def order(seed: int, start: int, count: int, n: int) -> NDArray[np.int64]:
    """Which of n images stand at the sample positions start to start + count - 1: int64 [count].

    Position p lies in pass p // n, and every pass is a permutation of its own (argsort of one hash an image):
    the answer depends on (seed, position) alone, and a batch at the end of a pass goes on with the next.
    """
    if n < 1 or start < 0 or count < 0:
        raise ValueError(f"expected n >= 1, start >= 0, count >= 0; found {n}, {start}, {count}")
    passes = range(start // n, (start + count - 1) // n + 1)
    parts = [_permutation(seed, p, n)[max(start - p * n, 0) : start + count - p * n] for p in passes]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def flips(seed: int, start: int, count: int) -> NDArray[np.bool_]:
    """Whether to mirror the image at each sample position, with probability 0.5: bool [count]."""
    flipped: NDArray[np.bool_] = rng.bits(seed, "flip", np.arange(start, start + count)) >> np.uint64(63) == 1
    return flipped


@lru_cache(maxsize=2)
def _permutation(seed: int, turn: int, n: int) -> NDArray[np.int64]:
    permutation = np.argsort(rng.bits(seed, f"order/{turn}", np.arange(n)), kind="stable").astype(np.int64)
    permutation.flags.writeable = False
    return permutation


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


def _latin(text: str) -> str:
    """The built-in font draws Latin letters only; better a question mark than a crash."""
    return text.encode("latin-1", "replace").decode("latin-1")
