"""`ganvas.data(...)`: images from wherever a learner has them, shown before they are trained on."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets import ImageSet
from ganvas.datasets.inspect import Report
from ganvas.errors import UsageError
from ganvas.media import encode
from ganvas.notebook.pictures import Images, Picture
from ganvas.terminal import printable

HOW_TO_TRAIN = ("labels", "flip", "held_out")
"""Fields of DataConfig that belong to the recipe, not to the images."""
LOOKED_AT = 1000
"""Images whose range the line tells."""
SHOWN = 8
"""Columns of the contact sheet."""


@dataclass(frozen=True)
class Data:
    """Images ready for training, and the config by which they were read."""

    images: ImageSet
    config: DataConfig

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
        chosen = {name: getattr(self.config, name) for name in vars(self.config) if name not in HOW_TO_TRAIN}
        return {f"data.{name}": value for name, value in chosen.items()}

    def show(self, n: int = 32, columns: int = SHOWN) -> Images:
        """The first n images, balanced over the classes, as they are trained on."""
        from ganvas.datasets.select import balanced

        labels = self.images.labels
        chosen = np.arange(min(n, len(self))) if labels is None else np.sort(balanced(labels)[:n])
        return Images(self.images.images[chosen], self.line(), columns=columns)

    def check(self) -> Reports:
        """What is in these images: counts, range, equal ones, what could not be read (`ganvas data check`).

        Of a known set or a path, both splits. `ganvas.doctor(data=...)` judges them for a recipe.
        """
        from ganvas.datasets.inspect import check, report_of

        if self.config.name == datasets.IN_MEMORY:
            return Reports((report_of(self.images, self.config.split, self.config.name),))
        return Reports(check(self.config))

    def line(self) -> str:
        """What they are, in one line."""
        pixels = self.images.images
        sample = pixels[:: max(1, len(pixels) // LOOKED_AT)]
        return (
            f"{self.images.summary()}; values {int(sample.min())} to {int(sample.max())}, which the networks see as "
            "-1 to 1"
        )

    def __repr__(self) -> str:
        return f"Data({self.line()})"

    def _repr_html_(self) -> str:
        sheet = datasets.preview(self.images, SHOWN)
        return f"<p>{html.escape(self.line())}</p>{Picture(encode(sheet), 'real images').html()}"


class Reports(tuple[Report, ...]):
    """What was found in each split; shows itself."""

    def __repr__(self) -> str:
        return "\n".join(printable(line) for report in self for line in report.lines())

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def data(
    source: Any,
    labels: Any = None,
    *,
    class_names: Sequence[str] = (),
    progress: bool = True,
    **settings: Any,
) -> Data:
    """Images to train on, from a name ("cifar10"), a path, an array, a torch Dataset, or pictures of Pillow.

    Arrays are uint8 or float, [n, h, w], [n, h, w, c] or [n, c, h, w]; `labels` [n] belong to them, as numbers or
    names. settings: size, channels, classes, limit, split and the other fields of DataConfig. A notebook shows what was
    read: a grid, its range, and what was done to it. Raises UsageError for what cannot be right, GanvasError where
    the data cannot be read.
    """
    if isinstance(source, Data):
        return source
    named = isinstance(source, str | os.PathLike)
    try:
        config = DataConfig(os.fspath(source) if named else datasets.IN_MEMORY, **settings)
    except TypeError as error:
        raise UsageError(f"{str(error).split(') ')[-1]}: data() takes {', '.join(vars(DataConfig()))}") from None
    return Data(datasets.as_images(source, labels, class_names, config, progress), config)


def as_data(source: Any, settings: Mapping[str, Any] | None = None) -> Data:
    """Whatever `data` takes, as Data, read by the settings whose names begin with data.

    Raises UsageError where the images were read already, by other settings than these.
    """
    asked = {name.removeprefix("data."): value for name, value in (settings or {}).items() if name.startswith("data.")}
    asked = {name: value for name, value in asked.items() if name not in HOW_TO_TRAIN}
    if not isinstance(source, Data):
        return data(source, **asked)
    for name, value in asked.items():
        if value != getattr(source.config, name, value):
            raise UsageError(
                f"data.{name} = {value}: these images were read already; give ganvas.data(..., {name}=...)"
            )
    return source
