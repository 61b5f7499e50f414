"""What the command line and `import ganvas` share: from a recipe's name to a trained run with its report."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas import recipes
from ganvas import report as reports
from ganvas.config import BudgetConfig, Config, EngineConfig, did_you_mean, flat, from_dict, to_dict
from ganvas.data import ImageSet
from ganvas.data import load as load_data
from ganvas.errors import GanvasError, UsageError
from ganvas.run import Run, next_path

if TYPE_CHECKING:
    from ganvas.training import Hook


def train(
    recipe: str = "cifar-dcgan-recap",
    *,
    data: str | os.PathLike[str] | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    kimg: float | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    settings: Mapping[str, Any] | None = None,
    hooks: Sequence[Hook] = (),
    report: bool = True,
) -> Run:
    """Train a recipe, write its report, and return its run directory.

    `data` is a known set or a path; the budget is one of `minutes`, `epochs` and `kimg` (50 epochs without);
    `settings` changes any field of the config by its dotted name, such as {"g_optim.lr": 1e-4}.
    Raises UsageError for what cannot be meant, GanvasError for what goes wrong.

    >>> import ganvas
    >>> small = {"step.batch": 16, "data.size": 16, "generator.widths": (16, 8), "engine.conv": "direct"}
    >>> run = ganvas.train("cifar-dcgan-recap", data="shapes", kimg=0.1, out=tmp / "first", settings=small)
    >>> run.rows("metrics")[-1]["nimg"]
    112
    >>> ganvas.load(run.path).sample(16).shape
    (16, 3, 16, 16)
    """
    budget = {"budget.epochs": epochs, "budget.kimg": kimg, "budget.minutes": minutes}
    own = {"seed": seed, "engine.device": device, **budget}
    if data is not None:
        own["data.name"] = os.fspath(data)
    config = override(recipes.get(recipe).config, {**own, **(settings or {})})
    images = load_data(config.data)
    run = start(config, images, out)
    if proceed(run, images, hooks) and report:
        reports.write(run)
    return run


def override(config: Config, settings: Mapping[str, Any]) -> Config:
    """The config with fields replaced by dotted name; UsageError for an unknown name or a wrong value."""
    values = to_dict(config)
    for name, value in settings.items():
        if name not in setting_names(config):
            raise UsageError(f"no setting is called {name!r}{did_you_mean(name, setting_names(config))}")
        *sections, key = name.split(".")
        target = values
        for section in sections:
            target = target[section]
        target[key] = list(value) if isinstance(value, tuple) else value
    try:
        changed: Config = from_dict(values)
    except UsageError:
        raise
    except GanvasError as error:
        raise UsageError(str(error)) from error
    return changed


def setting_names(config: Config) -> list[str]:
    """The dotted name of every setting."""
    return list(flat(to_dict(config)))


def start(config: Config, images: ImageSet, out: str | os.PathLike[str] | None = None) -> Run:
    """A run directory for this config, not yet trained: `out`, or the next free one below runs/.

    Raises UsageError, and leaves no folder behind, where the device is absent or the networks do not fit the images.
    """
    from ganvas import engine, models

    engine.resolve(config.engine)
    networks = models.summary(config, images.images.shape[1:])
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


def proceed(
    run: Run,
    images: ImageSet | None = None,
    hooks: Sequence[Hook] = (),
    extra: BudgetConfig | None = None,
    device: str | None = None,
) -> bool:
    """Train a run to the end of its budget (True) or to a signal (False); see ganvas.training.train.

    The data are loaded again where they are not given, and must be the same bytes as when the run began.
    """
    from ganvas.training import train as train_run

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
    return train_run(run, images, hooks, extra, EngineConfig(device) if device else None)
