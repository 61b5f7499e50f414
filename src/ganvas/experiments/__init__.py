"""Experiments: recipes x tricks x settings x seeds at an equal budget, then the comparison.

plan.py      what is to run, from TOML, a recipe's parts or a line      ablate.py     what a recipe can do without
tasks.py     one training each, and how far it is                       workers.py    who trains what on which cores
live.py      what a person sees meanwhile                               *.toml        the experiments that ship
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ganvas import comparison
from ganvas.comparison import Comparison
from ganvas.config import to_dict
from ganvas.errors import GanvasError, UsageError
from ganvas.experiments import live, workers
from ganvas.experiments.plan import Plan
from ganvas.experiments.tasks import Task, tasks
from ganvas.files import try_lock, writing_to

PLAN = "experiment.json"


@dataclass(frozen=True)
class Result:
    """How an experiment ended."""

    tasks: list[Task]
    comparison: Comparison | None
    """None where it was stopped, or where fewer than two cells have a finished run."""
    page: Path | None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do but what failed."""
        return all(task.state in ("done", "failed") for task in self.tasks)


def run(
    plan: Plan, folder: str | os.PathLike[str], jobs: int | None = None, retry: bool = False, lang: str = "en"
) -> Result:
    """Run what is left of an experiment, then compare its cells; everything lands in `folder`.

    The same call goes on where an earlier one was stopped. `jobs` trainings run at a time (one a core), each pinned to
    its share of the cores, so that equal minutes are equal CPU time. A training that fails is named and does not stop
    the rest; `retry` takes it up again.

    Raises UsageError where the folder holds another experiment, GanvasError where it cannot be written.
    """
    base = Path(folder)
    _settle(plan, base)
    with _alone(base):
        return _run(plan, base, jobs, retry, lang)


def _run(plan: Plan, base: Path, jobs: int | None, retry: bool, lang: str) -> Result:
    jobs, threads = workers.share(jobs, len(plan.cells) * plan.seeds)
    todo = tasks(plan, base, threads)
    for task in todo:
        if retry and task.state == "failed":
            task.forget_failure()
    with live.shown(plan, todo) as tell:
        stopped = workers.work(todo, jobs, threads, tell)
    if stopped:
        return Result(todo, None, None)
    return _compared(plan, base, todo, lang)


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    """GanvasError where another process runs the same experiment."""
    handle = os.open(base / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not try_lock(handle):
            raise GanvasError(f"{base} is being run by another process: wait for it, or stop it")
        yield
    finally:
        os.close(handle)


def _settle(plan: Plan, base: Path) -> None:
    """Write down what the folder holds, once; more seeds may be added to it later, nothing else."""
    told = {
        "name": plan.name, "title": plan.title, "seeds": plan.seeds, "budget": asdict(plan.budget), "n": plan.n,
        "features": list(plan.features),
        "cells": [{"name": c.name, "about": c.about, "config": to_dict(c.config)} for c in plan.cells],
    }  # fmt: skip
    path = base / PLAN
    if path.is_file():
        there: dict[str, Any] = json.loads(path.read_text("utf-8"))
        same = ("cells", "budget", "features", "n")
        differ = [key for key in same if there.get(key) != json.loads(json.dumps(told[key]))]
        if differ:
            raise UsageError(f"{base} holds another experiment (its {', '.join(differ)} differ): choose another --out")
        told["seeds"] = max(plan.seeds, int(there.get("seeds", 0)))
    elif base.exists() and any(base.iterdir()):
        raise UsageError(f"{base} exists and is not empty: choose another --out")
    with writing_to(base):
        base.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _compared(plan: Plan, base: Path, todo: list[Task], lang: str) -> Result:
    """The comparison of all cells that have a finished run, the first one first, and every run's report with it."""
    done = [task for task in todo if task.state == "done"]
    runs = {cell.name: [task.path for task in done if task.cell == cell] for cell in plan.cells}
    there = {name: paths for name, paths in runs.items() if paths}
    if len(there) < 2:
        return Result(todo, None, None)
    found = comparison.compare(there, features=plan.features, metrics=plan.metrics, n=plan.n, sets=1, progress=False)
    page = comparison.write(found, base, lang)
    from ganvas import report

    for task in done:
        task.belongs(plan.name, found)
        try:
            report.write(task.run, lang)
        except GanvasError as error:
            live.say(f"{task.path}: {error}")
    return Result(todo, found, page)
