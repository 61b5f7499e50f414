"""Looking at data before training: `ganvas data list`, `data check` and `data show`."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets import kept
from ganvas.datasets.dataset import ImageSet, check_request, find_source, load
from ganvas.datasets.pixels import in_parts
from ganvas.datasets.select import matching_classes
from ganvas.datasets.source import SOURCES
from ganvas.errors import UsageError, option, shape_text

if TYPE_CHECKING:
    from PIL import Image


FIRST = 64
"""Images that a glance reads."""


@dataclass(frozen=True)
class Description:
    """A row of `ganvas data list`. n: images per split; shape: (c, h, w); cached: nothing left to fetch."""

    name: str
    n: Mapping[str, int]
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    cached: bool
    licence: str

    def lines(self) -> tuple[str, ...]:
        """As `ganvas data list` prints it."""
        counts = " + ".join(f"{n:,} {split}" for split, n in self.n.items())
        head = f"{self.name:14} {counts:28} {shape_text(self.shape):10} {'here' if self.cached else 'to fetch'}"
        return head, f"{'':14} {', '.join(self.class_names)}", f"{'':14} {self.licence}"


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
    summary: str = ""
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        counts = ", ".join(f"{name} {count}" for name, count in self.classes.items())
        shown = [f"  {line}" for line in self.skipped[:20]]
        more = [f"  ... and {len(self.skipped) - 20} more"] if len(self.skipped) > 20 else []
        return [
            self.summary,
            f"classes: {len(self.classes)} ({counts})" if self.classes else "classes: none",
            f"values: {self.low} to {self.high}, mean {self.mean:.1f}",
            f"duplicates: {self.duplicates}",
            f"verified: {self.verified}",
            f"source: {self.source}",
            *(f"note: {note}" for note in self.notes),
            f"sha256: {self.sha256}",
            f"unreadable files: {len(self.skipped)}",
            *shown,
            *more,
        ]


def check(what: DataConfig | str, progress: bool = True) -> tuple[Report, ...]:
    """Read everything that a config, or a name or path, asks for: one Report for each split. Raises as `load`."""
    config = DataConfig(what) if isinstance(what, str) else what
    name_or_path, train = config.name, load(config, progress)
    try:
        test = load(replace(config, split="test", size=train.images.shape[3]), progress)
    except UsageError:
        return (report_of(train, "train", name_or_path),)
    if name_or_path not in SOURCES and train.found.split and train.found.split == test.found.split:
        return (report_of(train, "train", name_or_path),)
    return report_of(train, "train", name_or_path), report_of(test, "test", name_or_path)


def glance(config: DataConfig) -> tuple[ImageSet | None, str]:
    """What `load` would give, in one line, from a look at the first images; nothing is fetched. Raises as `load`.

    The images are those that were looked at; None for a known set, of which nothing is read.
    """
    source = find_source(config.name)
    if source is not None:
        classes = matching_classes(config.classes, source.class_names, config.name)
        names = [source.class_names[k] for k in classes] or list(source.class_names)
        check_request(config, *source.sizes, source)
        channels, height, width = source.shape
        n = source.splits[config.split] if config.limit is None else config.limit
        number = f"{n:,} images" if not config.classes or config.limit is not None else "images"
        kind = "grey" if (config.channels or channels) == 1 else "RGB"
        size = f"{config.size or width} x {config.size or height} {kind}"
        listed = f"{len(names)} classes: {', '.join(names)}"
        here = "" if source.present else " (not fetched yet)"
        return None, f"{source.name}: {number}, {size}, split {config.split}, {listed}{here}"
    limit = min(config.limit or FIRST, FIRST)
    images = load(replace(config, limit=limit), progress=False)
    total = min(images.found.n or len(images.images), config.limit or sys.maxsize)
    looked = f"; the first {len(images.images)} were looked at" if len(images.images) < total else ""
    return images, images.summary(total) + looked


def report_of(found: ImageSet, split: str, name_or_path: str) -> Report:
    """What is in images that were read from a name or path, or given in Python."""
    counts: dict[str, int] = {}
    if found.labels is not None:
        counts = {name: int((found.labels == k).sum()) for k, name in enumerate(found.class_names)}
    source = SOURCES.get(name_or_path)
    verified = "nothing to compare with: your own files" if source is None else source.verified
    channels, height, width = found.images.shape[1:]
    return Report(
        name=found.name,
        split=split,
        n=len(found.images),
        shape=(channels, height, width),
        classes=counts,
        low=int(min(part.min() for part in in_parts(found.images))),
        high=int(max(part.max() for part in in_parts(found.images))),
        mean=sum(int(part.sum(dtype=np.int64)) for part in in_parts(found.images)) / found.images.size,
        duplicates=int(repeated(found.images).sum()),
        skipped=found.skipped,
        verified=verified,
        source=found.source,
        sha256=found.sha256,
        summary=found.summary(),
        notes=found.notes,
    )


def repeated(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether an image [n, c, h, w] equals an earlier one: bool [n]."""
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(x.tobytes(), digest_size=16).digest() for part in in_parts(images) for x in part)
    return np.array([first.setdefault(digest, i) != i for i, digest in enumerate(digests)], bool)


def cache_lines(clear: bool = False) -> list[str]:
    """What `ganvas data cache` prints of the decoded images that are kept; `clear` removes them."""
    rows = kept.listed()
    lines = [
        f"{size / 2**20:8,.0f} MiB  {facts.get('where')}: {' x '.join(map(str, facts.get('shape', ())))}"
        for _, size, facts in rows
    ]
    if clear:
        return [*lines, f"removed: {kept.clear() / 2**20:,.0f} MiB"]
    total = sum(size for _, size, _ in rows)
    total_line = f"{total / 2**20:8,.0f} MiB in {kept.home()}, at most {kept.LIMIT >> 30} GiB"
    return [*lines, f"{total_line}; {option('--clear')} removes them"]


def describe() -> tuple[Description, ...]:
    """The sets known by name. Looks at which files are there, not at their content."""
    return tuple(
        Description(name, source.splits, source.shape, source.class_names, source.present, source.licence)
        for name, source in SOURCES.items()
    )


def preview(imageset: ImageSet, columns: int = 10) -> Image.Image:
    """A contact sheet in true colour: one row per class where labels exist, small images enlarged.

    Where no font has the letters of the class names, rows are numbered and the names are printed on stderr.
    """
    from PIL import Image, ImageDraw

    from ganvas import fonts

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
    captions, font = fonts.captions(captions)
    margin = 8 + max(int(font.getlength(caption)) for caption in captions) if any(captions) else 0
    sheet = Image.new("RGB", (margin + columns * cell_w, len(rows) * cell_h), "white")
    pen = ImageDraw.Draw(sheet)
    for r, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        pen.text((4, r * cell_h + cell_h // 2 - 6), caption, fill="black", font=font)
        for c, i in enumerate(row):
            rgb = np.repeat(imageset.images[i], 3 // channels, axis=0).transpose(1, 2, 0)
            tile = np.ascontiguousarray(rgb.repeat(scale, axis=0).repeat(scale, axis=1))
            sheet.paste(Image.fromarray(tile), (margin + c * cell_w + 1, r * cell_h + 1))
    return sheet
