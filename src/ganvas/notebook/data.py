"""`ganvas.data(...)`: images from wherever a learner has them, shown before they are trained on."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas import data as datasets
from ganvas.config import DataConfig
from ganvas.data import ImageSet
from ganvas.media import encode
from ganvas.notebook.pictures import Images, Picture

HOW_TO_TRAIN = ("labels", "flip", "held_out")
"""Fields of DataConfig that belong to the recipe, not to the images."""
SHOWN = 8
"""Columns of the contact sheet."""


@dataclass(frozen=True)
class Data:
    """Images ready for training. `config` says how to load them again; None: they came from memory."""

    images: ImageSet
    config: DataConfig | None = None

    def __len__(self) -> int:
        return len(self.images.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        c, h, w = self.images.images.shape[1:]
        return c, h, w

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.images.class_names

    def settings(self) -> dict[str, Any]:
        """The settings of a config that name these images, by dotted name."""
        if self.config is None:
            return {"data.name": self.images.name}
        chosen = {name: getattr(self.config, name) for name in vars(self.config) if name not in HOW_TO_TRAIN}
        return {f"data.{name}": value for name, value in chosen.items()}

    def show(self, n: int = 32, columns: int = SHOWN) -> Images:
        """The first n images, balanced over the classes, as they are trained on."""
        from ganvas.data.select import balanced

        labels = self.images.labels
        chosen = np.arange(min(n, len(self))) if labels is None else np.sort(balanced(labels)[:n])
        return Images(self.images.images[chosen], self.line(), columns=columns)

    def line(self) -> str:
        """What they are, in one line."""
        pixels = self.images.images
        kind = "grey" if pixels.shape[1] == 1 else "RGB"
        _, h, w = self.shape
        classes = f", {len(self.class_names)} classes ({', '.join(self.class_names[:10])})" if self.class_names else ""
        sample = pixels[:: max(1, len(pixels) // 1000)]
        low, high = int(sample.min()), int(sample.max())
        return (
            f"{self.images.name}: {len(pixels):,} images, {w} x {h} pixels, {kind}, values {low} to {high}{classes}; "
            f"{self.images.source}; networks see them in [-1, 1]"
        )

    def __repr__(self) -> str:
        return f"Data({self.line()})"

    def _repr_html_(self) -> str:
        sheet = datasets.preview(self.images, SHOWN)
        return f"<p>{html.escape(self.line())}</p>{Picture(encode(sheet), 'real images').html()}"


def data(
    source: Any,
    labels: Any = None,
    *,
    class_names: Sequence[str] = (),
    name: str = "",
    size: int | None = None,
    channels: int | None = None,
    classes: Sequence[str] = (),
    limit: int | None = None,
    split: str = "train",
    progress: bool = True,
) -> Data:
    """Images to train on, from a name ("cifar10"), a path, an array, a torch Dataset, or PIL images.

    Arrays are uint8 or float, [n, h, w], [n, h, w, c] or [n, c, h, w]; `labels` [n] belong to them, as numbers or
    names. A notebook shows what was read: a grid, its range, and what was done to it. Raises UsageError for what
    cannot be right, GanvasError where the data cannot be read.
    """
    if isinstance(source, Data):
        return source
    if isinstance(source, ImageSet):
        return Data(source)
    if isinstance(source, (str, os.PathLike)):
        config = DataConfig(
            os.fspath(source),
            split,
            size,
            channels,
            tuple(classes),
            limit,  # type: ignore[arg-type]
        )
        return Data(datasets.load(config, progress), config)
    return Data(datasets.from_arrays(source, labels=labels, class_names=class_names, name=name))


def as_data(source: Any) -> Data:
    """Whatever `data` takes, as Data."""
    return data(source)
