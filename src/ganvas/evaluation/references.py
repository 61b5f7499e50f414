"""Real images to compare with: their features, kept on disk by hash, since they never change."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets import ImageSet, cache
from ganvas.datasets.progress import Progress, warn
from ganvas.errors import GanvasError, UsageError, option
from ganvas.files import replace_file
from ganvas.metrics.extractors.base import Extractor, Features, in_batches
from ganvas.metrics.registry import Arrays
from ganvas.runs.storage import load_tensors, save_tensors

Split = Literal["train", "test"]
SHELF_VERSION = 1  # raised when what is kept on the shelf is computed in another way
OTHER: dict[Split, Split] = {"train": "test", "test": "train"}


@dataclass(frozen=True)
class Reference:
    """One split of a data set; the other one, if there is one, gives the real baseline and the held-out images."""

    data: DataConfig
    progress: Progress

    @cached_property
    def images(self) -> ImageSet:
        """The images themselves."""
        return datasets.load(self.data, self.progress.show)

    @cached_property
    def other(self) -> Reference | None:
        """The other split, read on the same terms; None where the set has one only."""
        other = Reference(replace(self.data, split=OTHER[self.data.split]), self.progress)
        try:
            n = len(other.images.images)
        except UsageError:
            return None
        return other if n else None

    @property
    def modes(self) -> NDArray[np.int64] | None:
        """The known mode of each image, such as shape and colour in `shapes`; its class where no modes are known."""
        source = datasets.SOURCES.get(self.data.name)
        if source is not None and source.modes is not None and not self.data.classes:
            return source.modes(self.data.split, len(self.images.images))
        return self.images.labels

    @property
    def only_training(self) -> bool:
        """Whether this is a test split that does not exist."""
        try:
            return self.data.split == "test" and not len(self.images.images)
        except UsageError:
            return True

    @property
    def label(self) -> str:
        """name:split."""
        return f"{self.images.name}:{self.data.split}"

    def features(self, extractor: Extractor) -> Features:
        """What the extractor sees in these images, in order."""
        return cached_features(extractor, self.images, self.label, self.progress)

    def shuffled(self) -> NDArray[np.int64]:
        """Numbers of the images, [n], in a random order that is always the same."""
        return np.random.default_rng(0).permutation(len(self.images.images))

    def sample(self, extractor: Extractor, count: int) -> Features:
        """The features of the images that stand first in that order."""
        chosen = self.shuffled()[:count]
        if _path(extractor, self.images.sha256).is_file() or count >= len(self.images.images):
            return self.features(extractor)[chosen]
        some = replace(self.images, images=self.images.images[chosen], sha256=f"{self.images.sha256}, {count} of it")
        return cached_features(extractor, some, f"{self.label}, {count:,} of it,", self.progress)


def parse(text: str | None, trained_on: DataConfig | None, split: Split) -> DataConfig:
    """The data behind `--reference` NAME_OR_PATH[:train|:test], or what a generator was trained on; else UsageError."""
    if text is None:
        if trained_on is None:
            raise UsageError(
                "these images were not made by a run: "
                f"name real ones with {option('--reference')}, such as cifar10:test"
            )
        return of_run(trained_on, split)
    name, own_split = split_name(text)
    split = own_split or split
    if trained_on is not None and _same_place(name, trained_on.name):
        return of_run(trained_on, split)
    return DataConfig(name, split)


def split_name(text: str) -> tuple[str, Split | None]:
    """NAME_OR_PATH[:train|:test] as name and split, which is None where none is named."""
    name, _, ending = text.rpartition(":")
    return (name, ending) if ending in OTHER and name else (text, None)


def _same_place(a: str, b: str) -> bool:
    """Whether two names mean the same known set or the same path."""
    if a == b or a in datasets.SOURCES or b in datasets.SOURCES:
        return a == b
    return os.path.realpath(Path(a).expanduser()) == os.path.realpath(Path(b).expanduser())


def of_run(trained_on: DataConfig, split: Split) -> DataConfig:
    """A split on the terms of a training; a limit on training images does not shorten the test split."""
    return replace(trained_on, split=split, limit=trained_on.limit if split == "train" else None)


def names_split(text: str | None) -> bool:
    """Whether `--reference` ends in a split of its own."""
    return text is not None and split_name(text)[1] is not None


def cached_features(extractor: Extractor, images: ImageSet, label: str, progress: Progress) -> Features:
    """Features from the cache, or computed and kept there; a broken entry is computed again."""
    path = _path(extractor, images.sha256)
    if (kept := kept_features(extractor, images)) is not None:
        return kept
    if path.is_file():
        warn(f"{path} is broken: computed again")
    with progress.bar(f"{label} through {extractor.name}", len(images.images), "images") as advance:
        found = extractor.extract(with_progress(in_batches(images.images), advance))
    tensors = {"vectors": torch.from_numpy(found.vectors)}
    if found.probabilities is not None:
        tensors["probabilities"] = torch.from_numpy(found.probabilities)
    about = {"extractor": extractor.name, "weights": extractor.weights_hash, "images": images.sha256}
    keep(path, save_tensors(tensors, about))
    return found


def kept_features(extractor: Extractor, images: ImageSet) -> Features | None:
    """Features from the cache; None where they were not computed yet, or the entry is broken."""
    path = _path(extractor, images.sha256)
    if path.is_file():
        with suppress(GanvasError, KeyError):
            tensors, _ = load_tensors(path)
            probabilities = tensors["probabilities"].numpy() if "probabilities" in tensors else None
            found = Features(tensors["vectors"].numpy(), probabilities)
            return found if len(found) == len(images.images) else None
    return None


def _path(extractor: Extractor, images_sha256: str) -> Path:
    about: dict[str, Any] = {
        "extractor": extractor.name, "weights": extractor.weights_hash, "resize": extractor.resize
    }  # fmt: skip
    if extractor.version > 1:  # features kept before versions were are those of version 1
        about["version"] = extractor.version
    key = hashlib.sha256(json.dumps({**about, "images": images_sha256}, sort_keys=True).encode()).hexdigest()
    return folder() / f"{key[:32]}.safetensors"


def shelf(name: str, vectors: NDArray[np.float32], compute: Callable[[], Arrays]) -> Arrays:
    """What `compute` makes of these vectors alone, kept for the next process; a broken entry is made again."""
    about = json.dumps([name, SHELF_VERSION, vectors.shape, str(vectors.dtype)]).encode()
    key = hashlib.sha256(about + np.ascontiguousarray(vectors).data).hexdigest()
    path = folder() / f"{key[:32]}.safetensors"
    if path.is_file():
        with suppress(GanvasError):
            return {part: tensor.numpy() for part, tensor in load_tensors(path)[0].items()}
        warn(f"{path} is broken: computed again")
    found = compute()
    keep(path, save_tensors({part: torch.from_numpy(array) for part, array in found.items()}, {"what": name}))
    return found


def folder() -> Path:
    """Where features and figures are kept."""
    return cache.root() / "features"


def keep(path: Path, content: bytes) -> None:
    """Write aside and rename; a cache that cannot be written is worth a line, no more."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    except OSError as error:
        warn(f"not kept for the next time: {path.parent}: {error.strerror or error}")


def with_progress(batches: Iterable[np.ndarray], advance: Any) -> Iterator[np.ndarray]:
    """The batches; a progress bar advances once each is used."""
    for batch in batches:
        yield batch
        advance(len(batch))
