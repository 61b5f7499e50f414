"""Where a training is settled: recipe + tricks + overrides -> config; config + images -> a run directory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ganvas import generator, models
from ganvas.config import Config, override, recipes, tricks
from ganvas.datasets import ImageSet
from ganvas.errors import GanvasError, UsageError, shape_text, shown
from ganvas.runs.images import place
from ganvas.runs.run import FolderTakenError, Run, next_path
from ganvas.training import backend, capacity
from ganvas.training.compatibility import check_compatibility
from ganvas.training.initial import trained_generator

ATTEMPTS = 100
"""Numbers tried for a run without --out: trainings that start together take neighbouring ones."""
CATCH_UP = 0.1
"""Share of a run that starts from a trained G over which G's learning rate rises from zero: D starts untrained."""


def configure(
    recipe: str,
    tricks_on: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    init_from: str | os.PathLike[str] | None = None,
) -> Config:
    """The config of a recipe with, in this order, tricks, the generator to start from, and settings by dotted name.

    Raises UsageError for an unknown name, a value out of bounds, and for parts that do not fit each other.
    """
    if isinstance(tricks_on, str):
        tricks_on = (tricks_on,)
    if not isinstance(tricks_on, list | tuple) or not all(isinstance(name, str) for name in tricks_on):
        raise UsageError(f"tricks = {shown(tricks_on)}: give a list of names, such as ['ema']")
    if not isinstance(overrides or {}, Mapping):
        raise UsageError(f"settings = {shown(overrides)}: give them by dotted name, such as {{'g_optim.lr': 2e-4}}")
    config = tricks.apply(recipes.get(recipe).config, tricks_on, check_compatibility)
    if init_from is not None:
        config = start_from(config, init_from)
    config = override(config, overrides or {})
    if config.init_from and init_from is None:
        config = replace(config, init_from=_recorded(generator.find(config.init_from)))
    check_compatibility(config)
    return config


def start_from(config: Config, init_from: str | os.PathLike[str]) -> Config:
    """The config with the network of a trained generator, and a warm-up of G's learning rate (CATCH_UP)."""
    trained = trained_generator(init_from)
    warmup = max(config.g_optim.warmup, CATCH_UP)
    labels: Literal["use", "ignore"] = "use" if trained.config.data.labels == "use" else "ignore"
    return replace(
        config,
        generator=trained.config.generator,
        data=replace(config.data, labels=labels),
        g_optim=replace(config.g_optim, warmup=warmup),
        init_from=_recorded(trained.path),
    )


def _recorded(path: Path) -> str:
    """What finds a generator again: the name of one that ships, wherever the package is, else its absolute path."""
    return path.stem if path.parent == generator.WEIGHTS else str(path.resolve())


def create_run(config: Config, images: ImageSet, out: str | os.PathLike[str] | None = None) -> Run:
    """A run directory for this config and these images, not yet trained: `out`, or the next free one below runs/.

    Raises UsageError, and leaves no folder behind, where the device is absent, where the networks do not fit the
    images, or where they or a batch cannot fit in memory.
    """
    backend.resolve(config.engine)
    capacity.check_threads(config.engine)
    check_compatibility(config)
    config = models.for_size(settle_labels(config, images), images.images.shape[2])
    if config.init_from:
        _check_init_from(config, images)
    shape, classes = images.images.shape[1:], models.num_classes(config, images.class_names)
    capacity.check_data(config, images.images.nbytes)
    capacity.check_networks(config, shape, classes)
    networks = models.summary(config, shape, classes)
    capacity.check_batch(config, shape, networks)
    counts = [] if images.labels is None else [int((images.labels == k).sum()) for k in range(len(images.class_names))]
    data = {
        "name": images.name,
        "sha256": images.sha256,
        "n": len(images.images),
        "shape": list(images.images.shape[1:]),
        "class_names": list(images.class_names),
        "class_counts": counts,
        "source": images.source,
        "skipped": list(images.skipped),
        **place(config.data.name),
    }
    recipe = recipes.get(config.recipe).config
    if out is not None:
        return Run.create(out, config, recipe, data, networks)
    for _ in range(ATTEMPTS):
        with suppress(FolderTakenError):  # another training took this number a moment ago
            return Run.create(next_path(Path("runs"), config), config, recipe, data, networks)
    raise GanvasError("no free name below runs/: name a folder with --out")


def settle_labels(config: Config, images: ImageSet) -> Config:
    """The config with data.labels = "auto" decided by the images; UsageError for "use" without classes."""
    has_classes = images.labels is not None and len(images.class_names) > 1
    if config.data.labels == "use" and not has_classes:
        raise UsageError(f"{config.data.name} has no classes to use: leave data.labels at auto, or sort into folders")
    labels: Literal["use", "ignore"] = "use" if has_classes and config.data.labels != "ignore" else "ignore"
    return replace(config, data=replace(config.data, labels=labels))


def _check_init_from(config: Config, images: ImageSet) -> None:
    trained = trained_generator(config.init_from)
    shape = images.images.shape[1:]
    class_names = tuple(images.class_names) if config.data.labels == "use" else ()
    if (trained.shape, trained.class_names, trained.config.generator) != (shape, class_names, config.generator):
        raise UsageError(
            f"{config.init_from} makes {shape_text(trained.shape)} images of {len(trained.class_names)} classes, "
            f"these are {shape_text(shape)} of {len(class_names)} (class names and the network must be the same as "
            "well): train without --from"
        )
