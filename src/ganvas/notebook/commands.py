"""The commands of `ganvas` as functions of the same names, which return values that show themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas import api, evaluation
from ganvas.errors import UsageError
from ganvas.generator import Generator as Sampler
from ganvas.notebook.arguments import as_run, is_path, named, only_known
from ganvas.notebook.run import Run
from ganvas.notebook.views import Checks, DoctorView, Evaluation, Table, Text, Written
from ganvas.runs.run import Run as RunFolder

if TYPE_CHECKING:
    from ganvas.notebook.experiment import Experiment
    from ganvas.notebook.pictures import Images


@only_known()
@wraps(api.train)
def train(*args: Any, **settings: Any) -> Run:
    """See `ganvas.api.train`, whose signature and docstring it has; the run shows itself."""
    return Run(api.train(*args, **settings).path)


@only_known()
@wraps(api.resume)
def resume(run: Any, **settings: Any) -> Run:
    """See `ganvas.api.resume`; the run shows itself."""
    return Run(api.resume(as_run(run, "resume"), **settings).path)


@only_known()
@wraps(evaluation.evaluate)
def evaluate(target: Any, **settings: Any) -> Evaluation:
    """See `ganvas.evaluation.evaluate`; also takes a Run, a Generator, and Data. The scores show themselves."""
    from ganvas.notebook.data import Data

    if isinstance(target, RunFolder | Sampler):
        target = target.path
    elif isinstance(target, Data):
        target = target.images.images
    return Evaluation(evaluation.evaluate(target, **settings))


@only_known()
def report(run: Any, *, lang: str = "en") -> Written:
    """Write report.html, progress.gif, progress.webp and curves.png of a run, or of a folder with one.

    Returns where the report is. Raises UsageError where there is no run, GanvasError where that fails.
    """
    return as_run(run, "report").report(lang)


@only_known()
def doctor(
    run: Any = None, *, data: Any = None, env: bool = False, recipe: str = "quick", lang: str = "en"
) -> DoctorView | Checks:
    """What is wrong with a run, since when, why, and what to try.

    `doctor(data=...)` checks images (whatever `ganvas.data` takes) before `recipe` is trained on them;
    `doctor(env=True)` checks the installation and this machine. Raises UsageError unless it is one of the three.
    """
    from ganvas import i18n
    from ganvas.notebook.data import Data

    i18n.load(lang)
    if run is not None and isinstance(run, Data):
        run, data = None, run if data is None else data
    if (run is not None) + (data is not None) + bool(env) != 1:
        raise UsageError("doctor() takes one of: a run, data= (images), env=True")
    if run is not None:
        return as_run(run, "doctor").doctor(lang)
    from ganvas.diagnostics.checks import check_data, check_environment

    if env:
        return Checks(check_environment(), "env", lang)
    if isinstance(data, Data):
        return Checks(check_data(data.images, recipe, data.config.name), "data", lang)
    return Checks(check_data(os.fspath(data) if is_path(data) else data, recipe), "data", lang)


@only_known()
def experiment(
    name: str | os.PathLike[str] | None = None,
    recipe: str | None = None,
    *,
    vary: Mapping[str, Sequence[Any]] | None = None,
    seeds: int | None = None,
    jobs: int | None = None,
    minutes: float | None = None,
    kimg: float | None = None,
    data: str | os.PathLike[str] | None = None,
    tricks: Sequence[str] = (),
    features: Sequence[str] = (),
    metrics: Sequence[str] = (),
    n: int | None = None,
    out: str | os.PathLike[str] | None = None,
    retry: bool = False,
    lang: str = "en",
    on: str | None = None,
    threads: int | None = None,
    fetch_seconds: float | None = None,
) -> Experiment | Table:
    """Train every cell of an experiment with every seed at an equal budget, score the runs and compare the cells.

    `name` is "course", "ladder", "ablate" with a `recipe`, a TOML file, or a recipe with `vary`, such as
    {"g_optim.lr": [1e-4, 5e-4]}; without it, the experiments that ship are listed. The same call goes on with an
    experiment that was stopped. Each training is a process of its own; `jobs` of them run at a time (default: one a
    core). Its files are written to `out` (default: experiments/NAME).

    `on`: the workers of a Dask scheduler instead ("tcp://HOST:PORT", "tls://HOST:PORT", or "local:N" for N workers
    here), each training with `threads` threads (default: 1). A newer checkpoint of each comes back every
    `fetch_seconds` (default: 180).

    Raises UsageError for what cannot be right, GanvasError for what goes wrong.
    """
    from ganvas.notebook.experiment import list_experiments, run_experiment

    if name is None:
        return list_experiments()
    changes = {
        "seeds": seeds, "minutes": minutes, "kimg": kimg, "data": None if data is None else named(data, "data"),
        "n": n, "features": list(features) or None, "metrics": list(metrics) or None,
    }  # fmt: skip
    return run_experiment(
        named(name, "experiment"),
        recipe,
        vary,
        list(tricks),
        changes,
        out,
        jobs,
        retry,
        lang,
        on,
        threads,
        fetch_seconds,
    )


@only_known()
def recipes(
    name: str | None = None,
    *,
    cost: bool = False,
    data: str | os.PathLike[str] | None = None,
    tricks: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    tflops: float | None = None,
    measure: bool = False,
) -> Table | Text:
    """The recipes as a table; or one with its source, its training and both networks layer by layer.

    `cost`: what a training costs in arithmetic, memory and time, a row for each quantity, with how it was got; without
    a name, of all recipes at 3 x 32 x 32. `data`, `tricks` and `settings` as in `ganvas.train`; `tflops`: the time at
    that rate; `measure`: the time here, from a few real updates. Raises UsageError as `ganvas.train` does.
    """
    if cost:
        return _cost(name, data, tricks, settings, tflops, measure)
    if data is not None or tricks or settings or tflops is not None or measure:
        raise UsageError("data, tricks, settings, tflops and measure belong to cost=True")
    from ganvas.config.recipes import RECIPES

    if name is not None:
        from ganvas.training.recipe_text import recipe_text

        return Text(recipe_text(named(name, "recipes")))
    rows = [
        {"recipe": key, "title": recipe.title, "source": recipe.source, "year": recipe.year,
         "reported": recipe.reported, "measured": recipe.measured}
        for key, recipe in RECIPES.items()
    ]  # fmt: skip
    text = "\n".join(f"{row['recipe']:20} {row['title']}" for row in rows)
    return Table(rows, text, ("recipe", "title", "source", "year", "reported"))


def _cost(name: str | None, data: Any, on: Sequence[str], settings: Any, tflops: float | None, here: bool) -> Table:
    from ganvas.cost import table
    from ganvas.training.setup import configure

    if name is None:
        if data is not None or on or settings or tflops is not None or here:
            raise UsageError("name a recipe for data, tricks, settings, tflops and measure")
        found = table.overview()
        return Table(found, "\n".join(table.overview_lines(found)), table.COLUMNS)
    if tflops is not None and not tflops > 0:
        raise UsageError(f"tflops = {tflops:g}: it must be above 0")
    name = named(name, "recipes")
    own = {} if data is None else {"data.name": named(data, "recipes", "data=")}
    subject, found = table.of_config(configure(name, on, {**(settings or {}), **own}), tflops, here)
    return Table(found, table.text(name, subject, found), ("quantity", "value", "unit", "how"))


@only_known()
def tricks(name: str | None = None, *, recipe: str | None = None) -> Table | Text:
    """The tricks that `tricks=[...]` switches on, as a table; or one with what it changes, helps and hurts.

    `recipe`: what it changes in this recipe, and whether the recipe has it on already.
    """
    from ganvas.config import Config
    from ganvas.config.recipes import get
    from ganvas.config.tricks import TRICKS, active
    from ganvas.config.tricks.text import list_text, trick_row, trick_text

    config = None if recipe is None else get(named(recipe, "tricks", "recipe=")).config
    if name is not None:
        return Text(trick_text(named(name, "tricks"), config))
    on = active(config) if config is not None else []
    rows = [{**trick_row(key, config or Config()), "on": key in on} for key in TRICKS]
    columns = ("name", "title", "helps", "hurts", "source", *(("on",) if config is not None else ()))
    return Table(rows, list_text(config), columns)


@only_known()
def runs(root: str | os.PathLike[str] = "runs", *, prune: bool = False) -> Table:
    """The runs below a folder, as a table: recipe, data, seed, images seen, state, size.

    `prune` first deletes all but the last and the selected checkpoint of those that are finished.
    """
    from ganvas.runs import listing

    folder = Path(named(root, "runs"))
    notes = listing.prune(folder).notes if prune else []
    rows = listing.rows(folder)
    text = listing.table(rows) if rows else f"no runs below {folder}: ganvas.train('quick', minutes=5)"
    return Table(rows, "\n".join([*notes, text]), ("run", "recipe", "data", "seed", "nimg", "total", "state", "bytes"))


@only_known()
def sample(
    model: Any,
    n: int | None = None,
    *,
    seed: int = 0,
    label: str | None = None,
    columns: int = 8,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    best_of: int = 1,
    refine: int = 0,
    rejection: bool = False,
) -> Images:
    """Images of a run's generator, a snapshot or a shipped model by name; `out` also writes the grid as PNG.

    Image i is a function of (seed, i, class) alone. `label` names one class; without, each row is a class where the
    generator has classes, 8 columns of each. D guides the sampling where it is kept with the generator: `best_of` K
    candidates an image, `rejection`, `refine` by N Langevin steps. Raises UsageError for an unknown model or class, and
    for guidance without a D.
    """
    from ganvas.notebook.generator import load, shown
    from ganvas.sampling import Guidance

    if isinstance(model, Sampler):
        generator = model
    else:
        target = model.path if isinstance(model, RunFolder) else named(model, "sample", "a run or a model")
        generator = load(target, device)
    if not isinstance(columns, int) or columns < 1:
        raise UsageError(f"columns = {columns}: it must be 1 or more")
    kinds = len(generator.class_names) if label is None else 0
    count = (columns * (kinds or 8)) if n is None else n
    generator._check_number(count, 1, "n")
    chosen: Any = [i // columns % kinds for i in range(count)] if kinds else label
    images = shown(generator, Guidance(best_of, refine, rejection), count, seed, chosen, columns)
    if out is not None:
        images.save(out)
    return images
