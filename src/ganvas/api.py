"""What the command line and `import ganvas` share: from a recipe's name to a trained run with its report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganvas import report as reports
from ganvas.config import BudgetConfig, Config, EngineConfig, override, recipes
from ganvas.config.tricks import apply
from ganvas.data import ImageSet
from ganvas.data import load as load_data
from ganvas.errors import GanvasError, UsageError
from ganvas.runs.run import Run, next_path

if TYPE_CHECKING:
    from ganvas.training.loop import Hook


CATCH_UP = 0.1
"""Share of a run that begins with a trained G in which its rate rises from zero: D begins with nothing."""


def train(
    recipe: str = "quick",
    *,
    data: str | os.PathLike[str] | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    kimg: float | None = None,
    cpu_minutes: float | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    settings: Mapping[str, Any] | None = None,
    hooks: Sequence[Hook] = (),
    report: bool = True,
    tricks: Sequence[str] = (),
    origin: str | os.PathLike[str] | None = None,
) -> Run:
    """Train a recipe, write its report, and return its run directory.

    `data` is a known set or a path; the budget is one of `minutes`, `epochs`, `kimg` and `cpu_minutes` (50
    epochs without);
    `tricks` are switched on first (see `ganvas tricks`); `settings` changes any field of the config by its dotted name,
    such as {"g_optim.lr": 1e-4}; `origin` is a model, run or snapshot whose generator it begins with.
    Raises UsageError for what cannot be meant, GanvasError for what goes wrong.

    >>> import ganvas
    >>> small = {"step.batch": 16, "data.size": 16, "generator.width": 0.25, "engine.conv": "direct"}
    >>> run = ganvas.train("quick", data="shapes", kimg=0.1, out=tmp / "first", settings=small)
    >>> run.rows("metrics")[-1]["nimg"]
    112
    >>> ganvas.load(run.path).sample(16).shape
    (16, 3, 16, 16)
    """
    budget = {
        "budget.epochs": epochs,
        "budget.kimg": kimg,
        "budget.minutes": minutes,
        "budget.cpu_minutes": cpu_minutes,
    }
    own = {"seed": seed, "engine.device": device, **budget}
    if data is not None:
        own["data.name"] = os.fspath(data)
    config = apply(recipes.get(recipe).config, tricks)
    config = override(continued(config, origin) if origin else config, {**own, **(settings or {})})
    images = load_data(config.data)
    run = start(config, images, out)
    if proceed(run, images, hooks) and report:
        reports.write(run)
    return run


def start(config: Config, images: ImageSet, out: str | os.PathLike[str] | None = None) -> Run:
    """A run directory for this config, not yet trained: `out`, or the next free one below runs/.

    Raises UsageError, and leaves no folder behind, where the device is absent or the networks do not fit the images.
    """
    from ganvas import models
    from ganvas.training import backend as engine

    engine.resolve(config.engine)
    config = settle_labels(config, images)
    if config.origin:
        _check_origin(config, images)
    networks = models.summary(config, images.images.shape[1:], models.classes(config, images.class_names))
    if config.evaluate.every:
        from ganvas.evaluation import during

        during.check(config, images.images.shape[1:])
    counts = [] if images.labels is None else [int((images.labels == k).sum()) for k in range(len(images.class_names))]
    about = {
        "name": images.name,
        "sha256": images.sha256,
        "n": len(images.images),
        "shape": list(images.images.shape[1:]),
        "class_names": list(images.class_names),
        "class_counts": counts,
        "source": images.source,
        "skipped": list(images.skipped),
    }
    path = Path(out) if out is not None else next_path(Path("runs"), config)
    return Run.create(path, config, recipes.get(config.recipe).config, about, networks)


def continued(config: Config, origin: str | os.PathLike[str]) -> Config:
    """The config for going on from a trained generator: its network, and a warm-up of G while D, fresh, catches up."""
    from ganvas.generator import load

    trained = load(origin)
    theirs = trained.config
    warm = replace(config.g_optim, warmup=max(config.g_optim.warmup, CATCH_UP))
    data = replace(config.data, labels="use" if theirs.data.labels == "use" else "ignore")
    return replace(config, generator=theirs.generator, data=data, g_optim=warm, origin=str(trained.path.resolve()))


def settle_labels(config: Config, images: ImageSet) -> Config:
    """The config with data.labels = "auto" decided by the images; UsageError for "use" where there are no classes."""
    there = images.labels is not None and len(images.class_names) > 1
    if config.data.labels == "use" and not there:
        raise UsageError(f"{config.data.name} has no classes to use: leave data.labels at auto, or sort into folders")
    chosen: Literal["use", "ignore"] = "use" if there and config.data.labels != "ignore" else "ignore"
    return replace(config, data=replace(config.data, labels=chosen))


def _check_origin(config: Config, images: ImageSet) -> None:
    from ganvas.generator import load

    theirs, classes = load(config.origin), images.class_names if config.data.labels == "use" else ()
    ours = images.images.shape[1:]
    if (theirs.shape, theirs.class_names, theirs.config.generator) != (ours, tuple(classes), config.generator):
        raise UsageError(
            f"{config.origin} makes {_times(theirs.shape)} images of {len(theirs.class_names)} classes, these are "
            f"{_times(ours)} of {len(classes)} (names and network must be the same as well): train without --from"
        )


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def proceed(
    run: Run,
    images: ImageSet | None = None,
    hooks: Sequence[Hook] = (),
    extra: BudgetConfig | None = None,
    device: str | None = None,
) -> bool:
    """Train a run to the end of its budget (True) or to a signal (False); see ganvas.training.loop.train.

    The data are loaded again where they are not given, and must be the same bytes as when the run began.
    """
    from ganvas.diagnostics import live
    from ganvas.training.loop import train as train_run

    if images is None:
        images = load_data(run.config.data)
    if images.sha256 != run.data["sha256"]:
        raise GanvasError(
            f"{run.config.data.name} is no longer what {run.path} was trained on (its hash differs from data.json): "
            "bring the images back as they were, or train anew"
        )
    if run.config.evaluate.every:
        from ganvas.evaluation.during import Watch

        hooks = [*hooks, Watch(run)]
    hooks = [*hooks, live.Watch(run, tuple(hooks))]
    return train_run(run, images, hooks, extra, EngineConfig(device) if device else None)
