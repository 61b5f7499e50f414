"""The user's own pictures, in a folder, a zip, a tar, or a folder of tar shards.

Folders named train, val, test or alike are splits (layout). Classes come from a table or a file beside the pictures,
else from the folders they lie in (labels). A lone folder with everything in it is stepped into. Hidden files are
ignored. A file that cannot be read is skipped and reported with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganvas.config import DataConfig
from ganvas.datasets.pictures import archives, sidecars, tables
from ganvas.datasets.pictures.classes import labelled
from ganvas.datasets.pictures.gather import gather_as
from ganvas.datasets.pictures.layout import part_of, pictures_of
from ganvas.datasets.pictures.listing import Entry, entries, hidden
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Found, Raw
from ganvas.datasets.reader import Reader, register_reader
from ganvas.datasets.select import balanced, matching_classes
from ganvas.errors import GanvasError

MIN_IMAGES = 2


def read(where: Path, config: DataConfig, progress: Progress) -> Raw:
    """Pictures of a folder or archive as RGB, uint8 [n, 3, size, size]; without a size in the config, see `gather_as`.

    `limit` takes the classes in turn, by path within a class; a skipped file leaves its place to the next.
    Raises UsageError (unknown class or split) or GanvasError (fewer than two readable pictures).
    """
    with entries(where, config.encoding) as listing:
        files = [e for e in listing.entries if not hidden(e.path)]
        everything = pictures_of(files)
        part = part_of(everything, config.split, where)
        own = set(everything)
        others = [e for e in files if e not in own]
        sorted_out = labelled(part, others, config.label_from, where)
        pictures, labels, class_names = sorted_out.pictures, sorted_out.labels, sorted_out.class_names
        chosen = matching_classes(config.classes, class_names, str(where))
        if config.classes:
            keep = [i for i, label in enumerate(labels) if label in chosen]
            pictures, labels = [pictures[i] for i in keep], [chosen.index(labels[i]) for i in keep]
            class_names = tuple(class_names[k] for k in chosen)
        n = len(pictures)
        if config.limit is not None and config.limit < n:
            order = balanced(labels or [0] * n)
            pictures, labels = [pictures[i] for i in order], [labels[i] for i in order] if labels else []
        got = gather_as(config, pictures, progress, str(where))
    images, kept, shapes = got.images, got.files, got.shapes
    skipped = (*listing.refused, *_not_read(everything, others), *got.problems)
    if len(images) < MIN_IMAGES:
        raise GanvasError(_too_few(where, len(images), skipped))
    own_labels = np.array([labels[i] for i in kept], np.int64) if labels else None
    source = f"{where}: {len(images)} pictures, {_span(shapes)}"
    notes = (*listing.notes, *part.notes, *sorted_out.notes, *got.notes)
    found = Found(
        part.split,
        part.splits,
        sorted_out.text,
        n - len(got.problems) if config.limit is not None and config.limit < n else None,
        rectangles=sum(width != height for width, height in shapes),
    )
    return Raw(images, own_labels, class_names, source, skipped, tuple(sorted(set(shapes))), notes, found)


def _not_read(pictures: Sequence[Entry], others: Sequence[Entry]) -> list[str]:
    """A line for each file that is no picture, no table of labels and does not belong to a picture."""
    keys = sidecars.keys_of(pictures) if others else set()
    known = [e for e in others if not (sidecars.belongs_to(e, keys) or tables.is_table(e.path.name))]
    return [
        f"{e.name}: {'a path' if e.leads_outside else 'a kind of file'} that is not read"
        for e in sorted(known, key=lambda e: e.name)
    ]


def _span(shapes: Sequence[tuple[int, int]]) -> str:
    smallest, largest = min(shapes, key=lambda s: s[0] * s[1]), max(shapes, key=lambda s: s[0] * s[1])
    low, high = f"{smallest[0]}x{smallest[1]}", f"{largest[0]}x{largest[1]}"
    return low if low == high else f"{low} to {high}"


def _too_few(where: Path, n: int, skipped: Sequence[str]) -> str:
    found = {0: "no picture that can be read", 1: "only one picture that can be read"}[n]
    reasons = f" ({len(skipped)} skipped, such as {'; '.join(skipped[:3])})" if skipped else ""
    return f"{where} holds {found}{reasons}: a GAN needs at least {MIN_IMAGES}, and hundreds to learn from"


def _accepts(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() == ".zip" or archives.is_tar(path.name)


register_reader(Reader("pictures", _accepts, read))
