"""What the command line and `import ganvas` share: from a recipe's name to a trained run with its report."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ganvas import process, reports, trackers
from ganvas.config import BudgetConfig, Config, EngineConfig, flat, to_dict
from ganvas.datasets import IN_MEMORY, ImageSet, as_images, available
from ganvas.datasets import load as load_data
from ganvas.errors import GanvasError, UsageError, option, shown
from ganvas.runs.follower import Follower, facts_of
from ganvas.runs.images import check_same, of_run, remember
from ganvas.runs.run import Run
from ganvas.terminal import show

if TYPE_CHECKING:
    from ganvas.training.loop import Hook


def train(
    recipe: str = "quick",
    *,
    data: Any = None,
    labels: ArrayLike | None = None,
    class_names: Sequence[str] = (),
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
    log_to: str | Sequence[str] = (),
) -> Run:
    """Train a recipe, write its report, and return its run directory.

    `data` is a known set, a path, or images in memory: an array (uint8 or float, channels last or first) with `labels`
    and `class_names`, a torch Dataset, pictures of Pillow, or what else `as_images` takes. The budget is
    one of `minutes`, `epochs`, `kimg` and `cpu_minutes` (default: 50 epochs); `tricks` are switched on first (see
    `ganvas tricks`); `settings` changes any field of the config by its dotted name, such as {"g_optim.lr": 1e-4};
    `init_from` is a model, run or snapshot whose generator training starts from; `progress` shows it on stderr;
    `log_to` names trackers (tensorboard, trackio, wandb) that log it as well. Ctrl-C and SIGTERM first save the run,
    then arrive as they would have without ganvas. Raises UsageError for a request that
    cannot be right, GanvasError for what goes wrong.

    >>> import ganvas
    >>> small = {"step.batch": 16, "data.size": 16, "generator.width": 0.25, "engine.conv": "direct"}
    >>> run = ganvas.train("quick", data="shapes", kimg=0.1, out=tmp / "first", settings=small)
    >>> run.rows("metrics")[-1]["nimg"]
    112
    >>> ganvas.load(run.path).sample(16).shape
    (16, 3, 16, 16)
    """
    log_to = trackers.checked(log_to)
    process.prepare()  # before torch is imported
    from ganvas.training.setup import configure

    own: dict[str, Any] = {
        "seed": seed,
        "engine.device": device,
        "budget.epochs": epochs,
        "budget.kimg": kimg,
        "budget.minutes": minutes,
        "budget.cpu_minutes": cpu_minutes,
    }
    if data is None and (labels is not None or class_names):
        raise UsageError("labels and class_names go with data given as images")
    if data is not None:
        own["data.name"] = os.fspath(data) if isinstance(data, str | os.PathLike) else IN_MEMORY
    if not isinstance(settings or {}, Mapping):
        raise UsageError(f"settings = {shown(settings)}: give them by dotted name, such as {{'g_optim.lr': 2e-4}}")
    config = configure(recipe, tricks, {**own, **(settings or {})}, init_from)
    if config.data.name != IN_MEMORY:
        images = _said(load_data(config.data), progress)
        return _train(create_run(config, images, out), images, hooks, report, progress, log_to)
    images = _said(as_images(data, labels, class_names, config.data, progress), progress)
    with available(images):
        return _train(create_run(config, images, out), images, hooks, report, progress, log_to)


def resume(
    run: Run | str | os.PathLike[str],
    *,
    data: Any = None,
    labels: ArrayLike | None = None,
    class_names: Sequence[str] = (),
    minutes: float | None = None,
    epochs: float | None = None,
    kimg: float | None = None,
    device: str | None = None,
    hooks: Sequence[Hook] = (),
    report: bool = True,
    progress: bool = True,
    log_to: str | Sequence[str] = (),
) -> Run:
    """Continue a run to the end of its budget, or extend the budget by one of `minutes`, `epochs` and `kimg`.

    `data`: the images that it was trained on, where they were given in Python or have moved; the same bytes, by hash.
    `log_to` as in `train`: a log that the run has begun is continued, without repeating a step.
    A finished run is returned as it is. Raises UsageError where the images were given in Python and are not given
    again, GanvasError where they are others.
    """
    log_to = trackers.checked(log_to)
    process.prepare()
    run = run if isinstance(run, Run) else Run.open(run)
    extra = extra_budget(minutes, epochs, kimg)
    if extra is None and is_finished(run):
        return run
    if data is None or isinstance(data, str | os.PathLike):
        return _train(run, images_of(run, data), hooks, report, progress, log_to, extra, device)
    images = as_images(data, labels, class_names, run.config.data, progress)
    with available(images) if run.config.data.name == IN_MEMORY else nullcontext():
        return _train(run, images, hooks, report, progress, log_to, extra, device)


def _said(images: ImageSet, progress: bool) -> ImageSet:
    """The images, after a line on stderr about what was read."""
    if progress:
        show(images.summary(), file=sys.stderr, flush=True)
    return images


def _train(
    run: Run,
    images: ImageSet,
    hooks: Sequence[Hook],
    report: bool,
    progress: bool,
    log_to: Sequence[str],
    extra: BudgetConfig | None = None,
    device: str | None = None,
) -> Run:
    """Train a run, score it and write its report; a signal arrives once the run is saved."""
    from ganvas.training.progress import show_progress

    if progress:
        hooks = [*hooks, show_progress(len(images.images))]
    with trackers.logging(run, log_to, hooks) as listening:
        finished = run_training(run, images, listening, extra, device)
        score = finish(run) if finished else ""
    if not finished:
        signal.raise_signal(signal.Signals[run.rows("events")[-1]["signal"]])
        return run
    if progress and score:
        show(score, file=sys.stderr)
    if report:
        reports.write(run)
    return run


def extra_budget(minutes: float | None, epochs: float | None, kimg: float | None) -> BudgetConfig | None:
    """What a run's budget is to grow by; None for nothing. UsageError unless it is one positive number."""
    given = [value for value in (minutes, epochs, kimg) if value is not None]
    if len(given) > 1 or any(not 0 < value < float("inf") for value in given):
        raise UsageError(f"give one of {option('--minutes')}, {option('--epochs')} and {option('--kimg')}, more than 0")
    return BudgetConfig(epochs, kimg, minutes) if given else None


def is_finished(run: Run) -> bool:
    """Whether a run's last checkpoint has reached its budget, and the run says so.

    A run that was killed between the two, or was copied then, is trained to its end: nothing but that end is left.
    """
    checkpoint, _ = run.latest_checkpoint()
    at_end = checkpoint is not None and checkpoint.nimg >= (run.total_nimg or float("inf"))
    return at_end and run.last_turn() in ("finish", "")  # "": of a version that wrote no events


def images_of(run: Run, data: str | os.PathLike[str] | None = None, progress: bool = True) -> ImageSet:
    """The images of a run, from where they are now; a new place that the user names is written into the run."""
    images = of_run(run, None if data is None else os.fspath(data), progress)
    if data is not None:
        remember(run, os.fspath(data))
    return images


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
    """A run directory, not yet trained (see training.setup), whose evaluation while training is possible as well.

    UsageError while a training runs in this process: another would have to wait for it.
    """
    from ganvas import ranks
    from ganvas.training import setup
    from ganvas.training.alone import check_alone
    from ganvas.training.compatibility import check_ranks

    if not isinstance(out, str | os.PathLike | None):
        raise UsageError(f"out = {shown(out)}: give the path of a folder")
    check_alone()
    if config.evaluate.every:
        from ganvas.evaluation import during

        during.check(config, images.images.shape[1:])
    check_ranks(config, ranks.current().size)
    _check_same_on_ranks({**flat(to_dict(config)), "data (SHA-256)": images.sha256})
    return of_rank_0(lambda: setup.create_run(config, images, out))


def of_rank_0(make: Callable[[], Run]) -> Run:
    """The run that rank 0 makes or opens; on other ranks its follower."""
    from ganvas import ranks

    world, made = ranks.current(), []

    def facts() -> dict[str, Any]:
        made.append(make())
        return facts_of(made[0])

    if world.size == 1:
        return make()
    known = world.first(facts)
    return made[0] if world.leads else Follower.of(known)


def _check_same_on_ranks(facts: Mapping[str, Any]) -> None:
    """GanvasError where ranks were started with different commands, data or versions."""
    import torch

    from ganvas import __version__, ranks

    texts = {name: str(value) for name, value in facts.items()}
    ranks.current().check_equal(
        {"the version of ganvas": __version__, "the version of torch": torch.__version__, **texts},
        lambda rank, name, there, here: (
            f"the processes disagree: {name} is {shown(there)} on rank {rank} and {shown(here)} on rank 0; start all "
            "with the same command and data"
        ),
        patiently=True,  # one may read its data longer than another
    )


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
    from ganvas import ranks
    from ganvas.diagnostics.hook import DoctorHook
    from ganvas.training.loop import train as train_run

    if images is None:
        images = of_run(run)
    images = check_same(run, images)
    _check_same_on_ranks({"data (SHA-256)": images.sha256, "the budget": extra, "the device": device})
    engine = _moved(run.config.engine, device) if device else None
    if not ranks.current().leads:
        return train_run(run, images, (), extra, engine)
    if run.config.evaluate.every:
        from ganvas.evaluation.during import EvaluationHook

        hooks = [*hooks, EvaluationHook(run)]
    hooks = [*hooks, DoctorHook(run, tuple(hooks))]
    return train_run(run, images, hooks, extra, engine)


def _moved(engine: EngineConfig, device: str) -> EngineConfig:
    """The engine for another device: its form is chosen again, its switches stay."""
    form = {name: getattr(EngineConfig(), name) for name in ("dtype", "layout", "conv", "threads", "probe")}
    return replace(engine, device=device, **form)
