"""What a training would be trained on, as far as its cost goes; nothing is fetched."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from ganvas import datasets
from ganvas.config import Config
from ganvas.datasets.dataset import check_request, find_source
from ganvas.datasets.select import matching_classes
from ganvas.training.setup import settle_labels

CLASSES = 10


@dataclass(frozen=True)
class Subject:
    """Images by number, shape and classes."""

    name: str
    shape: tuple[int, int, int]
    """Channels, height, width."""
    classes: int
    """Classes that the networks are conditioned on; 0 without."""
    n: int


def subject_of(config: Config) -> tuple[Config, Subject]:
    """The config with data.labels settled, and what it is trained on. Raises as `datasets.glance`.

    Of a known set of which only some classes are wanted, all classes are taken to be of one size.
    """
    data = config.data
    source = find_source(data.name)
    if source is None:
        images, _ = datasets.glance(data)
        assert images is not None
        config = settle_labels(config, images)
        n = min(images.found.n or len(images.images), data.limit or sys.maxsize)
        return config, _subject(config, images.name, images.images.shape[1:], len(images.class_names), n)
    check_request(data, *source.sizes, source)
    chosen = len(matching_classes(data.classes, source.class_names, data.name)) or len(source.class_names)
    n = source.splits[data.split] * chosen // max(len(source.class_names), 1)
    if data.limit is not None:
        n = data.limit if source.max_limit is not None else min(n, data.limit)
    channels, height, width = source.shape
    shape = (data.channels or channels, data.size or height, data.size or width)
    labelled = chosen > 1 and data.labels != "ignore"
    config = replace(config, data=replace(data, labels="use" if labelled else "ignore"))
    return config, _subject(config, source.name, shape, chosen, n)


def usual(config: Config) -> tuple[Config, Subject]:
    """What recipes are compared on: 50,000 images of 3 x 32 x 32 in ten classes."""
    labelled = config.data.labels != "ignore"
    config = replace(config, data=replace(config.data, labels="use" if labelled else "ignore"))
    return config, _subject(config, "50,000 images", (3, 32, 32), CLASSES, 50_000)


def _subject(config: Config, name: str, shape: tuple[int, ...], classes: int, n: int) -> Subject:
    channels, height, width = shape
    return Subject(name, (channels, height, width), classes if config.data.labels == "use" else 0, n)
