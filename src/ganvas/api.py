"""What the command line and `import ganvas` share: from a recipe's name to a trained run with its report."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganvas import process
from ganvas import report as reports
from ganvas.config import BudgetConfig, Config, EngineConfig
from ganvas.data import ImageSet
from ganvas.data import load as load_data
from ganvas.errors import GanvasError
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.training.loop import Hook


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
    init_from: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Run:
    """Train a recipe, write its report, and return its run directory.

    `data` is a known set or a path; the budget is one of `minutes`, `epochs`, `kimg` and `cpu_minutes` (default: 50
    epochs); `tricks` are switched on first (see `ganvas tricks`); `settings` changes any field of the config by its
    dotted name, such as {"g_optim.lr": 1e-4}; `init_from` is a model, run or snapshot whose generator training starts
    from; `progress` shows it on stderr. Ctrl-C and SIGTERM first save the run, then arrive as they would have without
    ganvas. Raises UsageError for a request that cannot be right, GanvasError for what goes wrong.

    >>> import ganvas
    >>> small = {"step.batch": 16, "data.size": 16, "generator.width": 0.25, "engine.conv": "direct"}
    >>> run = ganvas.train("quick", data="shapes", kimg=0.1, out=tmp / "first", settings=small)
    >>> run.rows("metrics")[-1]["nimg"]
    112
    >>> ganvas.load(run.path).sample(16).shape
    (16, 3, 16, 16)
    """
    process.prepare()  # before torch is imported
    from ganvas.training.progress import show_progress
    from ganvas.training.setup import configure

    own: dict[str, Any] = {
        "seed": seed,
        "engine.device": device,
        "budget.epochs": epochs,
        "budget.kimg": kimg,
        "budget.minutes": minutes,
        "budget.cpu_minutes": cpu_minutes,
    }
    if data is not None:
        own["data.name"] = os.fspath(data)
    config = configure(recipe, tricks, {**own, **(settings or {})}, init_from)
    images = load_data(config.data)
    run = create_run(config, images, out)
    if progress:
        hooks = [*hooks, show_progress(len(images.images))]
    if not run_training(run, images, hooks):
        signal.raise_signal(signal.Signals[run.rows("events")[-1]["signal"]])
        return run
    score = finish(run)
    if progress and score:
        print(score, file=sys.stderr)
    if report:
        reports.write(run)
    return run


def finish(run: Run) -> str:
    """Score a finished run by the classifier that ships for its data; the main score in one line, or nothing.

    A score that cannot be made costs nothing but itself: the line then says why.
    """
    from ganvas.evaluation.final import headline, score_final

    try:
        return headline(score_final(run))
    except GanvasError as error:
        return f"not scored: {error}"


def create_run(config: Config, images: ImageSet, out: str | os.PathLike[str] | None = None) -> Run:
    """A run directory, not yet trained (see training.setup), whose evaluation while training is possible as well."""
    from ganvas.training import setup

    if config.evaluate.every:
        from ganvas.evaluation import during

        during.check(config, images.images.shape[1:])
    return setup.create_run(config, images, out)


def run_training(
    run: Run,
    images: ImageSet | None = None,
    hooks: Sequence[Hook] = (),
    extra: BudgetConfig | None = None,
    device: str | None = None,
) -> bool:
    """Train a run to the end of its budget (True) or to a signal (False); see ganvas.training.loop.train.

    Its images are loaded where they are not given, and must be the same bytes as when the run began. The doctor and
    the evaluation while training listen as hooks.
    """
    from ganvas.diagnostics.hook import DoctorHook
    from ganvas.training.loop import train as train_run

    if images is None:
        images = load_data(run.config.data)
    if images.sha256 != run.data["sha256"]:
        raise GanvasError(
            f"{run.config.data.name} is no longer what {run.path} was trained on (its hash differs from data.json): "
            "restore those images, or start a new run"
        )
    if run.config.evaluate.every:
        from ganvas.evaluation.during import EvaluationHook

        hooks = [*hooks, EvaluationHook(run)]
    hooks = [*hooks, DoctorHook(run, tuple(hooks))]
    return train_run(run, images, hooks, extra, EngineConfig(device) if device else None)
