"""Small sets of pictures: a folder or an archive of PNGs under given names."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganvas.config import DataConfig
from ganvas.datasets.pictures import reader as pictures
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw

COUNTER = itertools.count()


def png() -> bytes:
    """A 16 x 16 picture that no other equals."""
    values = np.random.default_rng(next(COUNTER)).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", compress_level=1)
    return file.getvalue()


class Set:
    """A folder below the test's own, filled by name."""

    def __init__(self, at: Path) -> None:
        self.at = at

    def add(self, *names: str, content: bytes | str | None = None) -> Set:
        """Files of these names: pictures, unless the content is given."""
        for name in names:
            (self.at / name).parent.mkdir(parents=True, exist_ok=True)
            data = png() if content is None else content.encode() if isinstance(content, str) else content
            (self.at / name).write_bytes(data)
        return self

    def read(self, split: str = "train", where: Path | None = None, **settings: Any) -> Raw:
        """What the reader of pictures makes of it."""
        return read(where or self.at, split, **settings)


def read(where: Path, split: str = "train", **settings: Any) -> Raw:
    """What the reader of pictures makes of a path."""
    return pictures.read(where, DataConfig(str(where), split, 16, **settings), Progress(show=False))


def by_class(raw: Raw) -> dict[str, int]:
    """Number of pictures of each class."""
    counts = np.bincount(raw.labels, minlength=len(raw.class_names)) if raw.labels is not None else ()
    return dict(zip(raw.class_names, map(int, counts), strict=True))
