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
from ganvas.errors import UsageError, did_you_mean
from ganvas.media import encode
from ganvas.notebook.arguments import named
from ganvas.notebook.pictures import Images, Picture
from ganvas.notebook.views import Table, Text
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


class DataCommand:
    """`ganvas.data(...)`, and the commands of `ganvas data` under it by the same names."""

    def __init__(self) -> None:
        self.__name__, self.__doc__ = "data", type(self).__call__.__doc__

    def __call__(
        self,
        source: Any,
        labels: Any = None,
        *,
        class_names: Sequence[str] = (),
        progress: bool = True,
        **settings: Any,
    ) -> Data:
        """Images to train on, from a name ("cifar10"), a path, an array, a torch Dataset, or pictures of Pillow.

        Arrays are uint8 or float, [n, h, w], [n, h, w, c] or [n, c, h, w]; `labels` [n] belong to them, as numbers or
        names; "ignore" reads the images without labels. settings: size, channels, classes, limit, split and the other
        fields of DataConfig. A notebook shows what was read: a grid, its range, and what was done to it.

        What `ganvas data` does in a terminal: `data.list()` are the known sets, `data.fetch(name)` downloads one,
        `data.check(source)` and `data.show(source)` look at images, `data.cache()` at what is kept on this machine.
        Raises UsageError for what cannot be right, GanvasError where the data cannot be read.
        """
        if isinstance(source, Data):
            return source
        by_name = isinstance(source, str | os.PathLike)
        fields = [name for name in vars(DataConfig()) if name not in ("name", "labels")]
        for name in settings:
            if name not in fields:
                raise UsageError(f"data() takes no {name}={did_you_mean(name, fields)} (it takes {', '.join(fields)})")
        config = DataConfig(os.fspath(source) if by_name else datasets.IN_MEMORY, **settings)
        return Data(datasets.as_images(source, labels, class_names, config, progress), config)

    def list(self) -> Table:
        """The known sets, as a table: images of each split, shape, classes, licence, and which are here."""
        rows = datasets.describe()
        text = "\n".join(line for row in rows for line in row.lines())
        table = [{**vars(row), "images": sum(row.n.values())} for row in rows]
        return Table(table, text, ("name", "images", "shape", "class_names", "licence", "cached"))

    def fetch(self, name: str) -> Text:
        """Download a known set and verify it; where it is. Raises UsageError for an unknown name."""
        return Text(f"{name}: {datasets.fetch(named(name, 'fetch', 'the name of a known set'))}")

    def check(self, source: Any, labels: Any = None, **settings: Any) -> Reports:
        """Read images, as `ganvas.data` does, and say what is in them: see `Data.check`."""
        return self(source, labels, **settings).check()

    def show(self, source: Any, labels: Any = None, **settings: Any) -> Images:
        """Read images, as `ganvas.data` does, and show some of each class: see `Data.show`."""
        return self(source, labels, **settings).show()

    def cache(self, clear: bool = False) -> Text:
        """The decoded images that are kept for quick starts; `clear` removes them."""
        return Text("\n".join(datasets.cache_lines(clear)))


data = DataCommand()


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
