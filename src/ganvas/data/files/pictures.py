"""The user's own pictures, in a folder or a zip file.

Class subfolders become labels (sorted by name; deeper folders count for the class above them). A lone folder
with everything in it is stepped into. Folders `train` and `test`, with nothing beside them, are the splits.
Hidden files are ignored. A file that cannot be read is skipped and reported with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganvas.data.files.decode import Form
from ganvas.data.files.gather import gather
from ganvas.data.files.layout import classes_of, of_split, pictures_of
from ganvas.data.files.listing import entries, hidden
from ganvas.data.progress import Progress
from ganvas.data.raw import Found, Raw
from ganvas.data.reader import OWN_SIZE, Reader, register_reader
from ganvas.data.select import balanced, matching_classes
from ganvas.errors import GanvasError

MIN_IMAGES = 2


def read(where: Path, split: str, form: Form, classes: Sequence[str], limit: int | None, progress: Progress) -> Raw:
    """Pictures of a folder or zip file as RGB, uint8 [n, 3, size, size].

    `limit` takes the classes in turn, by path within a class; a skipped file leaves its place to the next.
    Raises UsageError (unknown class or split) or GanvasError (fewer than two readable pictures).
    """
    with entries(where) as everything:
        files = of_split([e for e in everything if not hidden(e.path)], split, where)
        pictures = pictures_of(files)
        others = sorted(set(files) - set(pictures), key=lambda e: e.name)
        skipped = [f"{e.name}: {'a path' if e.leads_outside else 'a kind of file'} that is not read" for e in others]
        class_names, labels = classes_of(pictures, where)
        chosen = matching_classes(classes, class_names, str(where))
        if classes:
            keep = [i for i, label in enumerate(labels) if label in chosen]
            pictures, labels = [pictures[i] for i in keep], [chosen.index(labels[i]) for i in keep]
            class_names = tuple(class_names[k] for k in chosen)
        if limit is not None and limit < len(pictures):
            order = balanced(labels or [0] * len(pictures))
            pictures, labels = [pictures[i] for i in order], [labels[i] for i in order] if labels else []
        found = gather(pictures, form, limit, progress, str(where))
    images, kept, shapes = found.images, found.files, found.shapes
    skipped += found.problems
    if len(images) < MIN_IMAGES:
        raise GanvasError(_too_few(where, len(images), skipped))
    own_labels = np.array([labels[i] for i in kept], np.int64) if labels else None
    own_sizes = tuple(sorted(set(shapes)))
    source = f"{where}: {len(images)} pictures, {_span(shapes)}"
    shown = Found(rectangles=sum(width != height for width, height in shapes))
    return Raw(images, own_labels, class_names, source, tuple(skipped), own_sizes, tuple(found.notes), shown)


def _span(shapes: Sequence[tuple[int, int]]) -> str:
    smallest, largest = min(shapes, key=lambda s: s[0] * s[1]), max(shapes, key=lambda s: s[0] * s[1])
    low, high = f"{smallest[0]}x{smallest[1]}", f"{largest[0]}x{largest[1]}"
    return low if low == high else f"{low} to {high}"


def _too_few(where: Path, n: int, skipped: Sequence[str]) -> str:
    found = {0: "no picture that can be read", 1: "only one picture that can be read"}[n]
    reasons = f" ({len(skipped)} skipped, such as {'; '.join(skipped[:3])})" if skipped else ""
    return f"{where} holds {found}{reasons}: a GAN needs at least {MIN_IMAGES}, and hundreds to learn from"


register_reader(
    Reader(
        "pictures",
        lambda path: path.is_dir() or path.suffix.lower() == ".zip",
        lambda path, config, progress: read(
            path,
            config.split,
            Form(config.size or OWN_SIZE, config.fit, config.frames),
            config.classes,
            config.limit,
            progress,
        ),
    )
)
