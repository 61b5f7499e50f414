"""Run an experiment: train and score what is left of it, then compare its cells."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ganvas import comparison, datasets
from ganvas.comparison import Comparison
from ganvas.comparison.metric_names import check_metric_names
from ganvas.config import BudgetConfig, Config, to_dict
from ganvas.errors import GanvasError, UsageError, option
from ganvas.experiments import progress, saved, workers
from ganvas.experiments.cluster import link, packing
from ganvas.experiments.cluster import status as cluster_status
from ganvas.experiments.plan import Plan
from ganvas.experiments.saved import PLAN_FILE, read_plan
from ganvas.experiments.trials import Trial, list_trials
from ganvas.experiments.workers import OnUpdate
from ganvas.files import replace_file, try_lock, utf8, writing_to


@dataclass(frozen=True)
class Result:
    """How an experiment ended."""

    trials: list[Trial]
    comparison: Comparison | None
    """None if it was interrupted, or if fewer than two cells have a finished run."""
    page: Path | None

    @property
    def finished(self) -> bool:
        """Whether every trial is done or has failed."""
        return all(trial.state in ("done", "failed") for trial in self.trials)


def run(
    plan: Plan,
    folder: str | os.PathLike[str],
    jobs: int | None = None,
    retry: bool = False,
    lang: str = "en",
    on: str | None = None,
    threads: int | None = None,
    fetch_seconds: float | None = None,
) -> Result:
    """Run what is left of an experiment, then compare its cells; all files are written to `folder`.

    The same call resumes an interrupted experiment. `jobs` trainings run at a time (default: one per core), each on
    its own cores, so that equal minutes are equal CPU time. A training that fails does not stop the others; with
    `retry` it is started again.

    `on`: run on the workers of a Dask scheduler instead (tcp://HOST:PORT, tls://HOST:PORT, or local:N for N workers
    here), each training with `threads` threads (default: 1). A newer checkpoint of each comes back every
    `fetch_seconds` (default: 180).

    Raises UsageError if the folder holds another experiment or a metric is unknown, GanvasError if it cannot be
    written, or if the cluster cannot be used.
    """
    base = Path(folder)
    check_where(jobs, on, threads, fetch_seconds)
    check_metric_names(plan.metrics)
    if on is not None:
        link.check_address(on)
    _save_plan(plan, base)
    with _locked(base):
        if on is None:
            jobs, threads = workers.split_cores(jobs, len(plan.cells) * plan.seeds)
        trials = list_trials(plan, base, threads or 1, elsewhere=on is not None)
        packing.recover(base)
        for trial in trials:
            if retry and trial.state == "failed":
                trial.clear_failure()
        with progress.show(plan, trials) as on_update:
            if on is None:
                interrupted = workers.run_trials(trials, jobs or 1, threads or 1, on_update)
            else:
                interrupted = _run_on(on, trials, threads or 1, on_update, fetch_seconds)
        return Result(trials, None, None) if interrupted else _compare_cells(plan, base, trials, lang)


def check_where(jobs: int | None, on: str | None, threads: int | None, fetch_seconds: float | None) -> None:
    """Raise UsageError for arguments that need `on`, or do not go with it."""
    if on is not None and jobs is not None:
        raise UsageError(
            f"{option('--jobs')} and {option('--on')} are incompatible: the workers say how many trainings they run"
        )
    for name, value in (("--threads", threads), ("--fetch-seconds", fetch_seconds)):
        if value is not None and on is None:
            raise UsageError(f"{option(name)} needs {option('--on')}")
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{option(name)} must be more than 0")


def _run_on(on: str, trials: list[Trial], threads: int, on_update: OnUpdate, fetch_seconds: float | None) -> bool:
    """Run the trials on a cluster, where any are left. True if a signal interrupted it."""
    if all(trial.state in ("done", "failed") for trial in trials):
        return False
    from ganvas.experiments.cluster import dispatch

    with link.connected(on) as cluster:
        return dispatch.run_trials(trials, cluster, threads, on_update, fetch_seconds)


def status(folder: str | os.PathLike[str]) -> str:
    """How far the experiment in a folder is, whoever runs it and wherever, as text; UsageError where there is none."""
    base = Path(folder)
    if not (base / PLAN_FILE).is_file():
        raise UsageError(f"no experiment was begun in {base}: name its folder with {option('--out')}")
    found = saved.read(base)
    where = cluster_status.read(base, found.trials)
    runs = f"it runs on {where}" if where else "it runs"
    line = runs if found.running else "nobody runs it: the same command resumes it"
    here = {trial.name for trial in found.trials if trial.state == "training" and trial.run.is_locked()}
    active = here | {trial.name for trial in found.trials if trial.elsewhere and found.running}
    plan = Plan(base.name, found.title, found.cells, found.seeds, BudgetConfig(minutes=found.minutes))
    return progress.as_text(plan, found.trials, active, line)


@contextmanager
def _locked(base: Path) -> Iterator[None]:
    """Hold the experiment's lock; GanvasError if another process has it."""
    handle = os.open(base / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not try_lock(handle):
            raise GanvasError(f"{base} is being run by another process: wait for it, or stop it")
        yield
    finally:
        os.close(handle)


def _save_plan(plan: Plan, base: Path) -> None:
    """Write experiment.json. Of an experiment that exists already, only the number of seeds may grow."""
    path = base / PLAN_FILE
    values: dict[str, Any] = {
        "name": plan.name, "title": plan.title, "seeds": plan.seeds, "budget": asdict(plan.budget), "n": plan.n,
        "features": list(plan.features),
        "cells": [{"name": c.name, "about": c.about, "config": to_dict(c.config)} for c in plan.cells],
    }  # fmt: skip
    if path.is_file():
        old = read_plan(path)
        changed = [key for key in ("budget", "features", "n") if old.get(key) != values[key]]
        before = [(name, _movable(config)) for name, config in old["cells"]]
        if before != [(cell.name, _movable(cell.config)) for cell in plan.cells]:
            changed.insert(0, "cells")
        if changed:
            raise UsageError(
                f"{base} holds another experiment (different: {', '.join(changed)}): choose another {option('--out')}"
            )
        values["seeds"] = max(plan.seeds, old["seeds"])
    elif base.exists() and any(base.iterdir()):
        raise UsageError(f"{base} exists and is not empty: choose another {option('--out')}")
    with writing_to(base):
        base.mkdir(parents=True, exist_ok=True)
        replace_file(path, utf8(json.dumps(values, indent=1, ensure_ascii=False) + "\n"))


def _movable(config: Config) -> Config:
    """The config without the path of its images: they may have moved, and each run knows them by their hash."""
    known = config.data.name in datasets.SOURCES
    return config if known else replace(config, data=replace(config.data, name=""))


def _compare_cells(plan: Plan, base: Path, trials: list[Trial], lang: str) -> Result:
    """Compare all cells that have a finished run with the first one; then write the report of every run."""
    done = [trial for trial in trials if trial.state == "done"]
    runs = {cell.name: [trial.path for trial in done if trial.cell == cell] for cell in plan.cells}
    runs = {name: paths for name, paths in runs.items() if paths}
    if len(runs) < 2:
        return Result(trials, None, None)
    found = comparison.compare(runs, features=plan.features, metrics=plan.metrics, n=plan.n, sets=1, progress=False)
    page = comparison.write(found, base, lang, force=True)
    from ganvas import reports

    for trial in done:
        trial.save_summary(plan.name, found)
        try:
            reports.write(trial.run, lang)
        except GanvasError as error:
            progress.print_line(f"{trial.path}: {error}")
    return Result(trials, found, page)
