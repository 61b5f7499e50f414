"""The experiments of the folder: their cells, what runs, what is left."""

from __future__ import annotations

import os
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas.errors import GanvasError
from ganvas.experiments import saved
from ganvas.experiments.trials import Trial
from ganvas.terminal import printable
from ganvas.training.progress import clock
from ganvas.ui.house import OF, House, check_inside
from ganvas.ui.pages import answer, house_of, link, page

MOST_TRIALS = 600
"""Of an experiment, that are shown."""


async def show(request: Request) -> Response:
    """The page; its script draws the tables."""
    found = await run_in_threadpool(listed, house_of(request))
    return page(request, "experiments.html", room="experiments", found=found, words=("ui.experiments.",))


async def state(request: Request) -> Response:
    """GET /api/experiments: every experiment."""
    return answer({"experiments": await run_in_threadpool(listed, house_of(request))})


def listed(house: House) -> list[dict[str, Any]]:
    """Every experiment of the folder, the one that was written to last first; a broken one is a line that says why."""
    try:
        names = [entry.name for entry in os.scandir(house.experiments) if entry.is_dir()]
    except OSError:
        return []
    found = []
    for name in names:
        try:
            path = house.experiment(name)
        except GanvasError:
            continue
        changed = os.stat(path).st_mtime
        row = {"name": name, "title": printable(name), "changed": changed}
        try:
            found.append(row | told(house, name))
        except GanvasError as error:
            found.append(row | {"error": printable(error)})
    return sorted(found, key=lambda row: (-row["changed"], row["name"]))


def told(house: House, name: str) -> dict[str, Any]:
    """An experiment's cells x seeds; how many are done, and what is left where it trains by the clock."""
    experiment = saved.read(house.experiment(name))
    running = experiment.running
    cells, left, active, done = [], 0.0, 0, 0
    for trial in experiment.trials[:MOST_TRIALS]:
        row = _trial(house, trial, name, running)
        cells.append(row)
        done += row["state"] in ("done", "failed")
        active += row["state"] == "training"
        left += 60 * (experiment.minutes or 0) * (1 - row["share"]) if row["state"] not in ("done", "failed") else 0
    return {
        "title": printable(experiment.title), "running": running, "seeds": experiment.seeds, "done": done,
        "total": len(cells), "cells": [printable(cell.name) for cell in experiment.cells], "trials": cells,
        "minutes": experiment.minutes, "left": clock(left / max(active, 1)) if left and running else "",
        "compare": f"{link('compare')}?experiment={link(name)[1:]}"
        if len({row["cell"] for row in cells if row["state"] == "done"}) > 1 else "",
    }  # fmt: skip


def _trial(house: House, trial: Trial, experiment: str, running: bool) -> dict[str, Any]:
    """One training: its state, the share that is behind it, a line where it failed."""
    row: dict[str, Any] = {"cell": printable(trial.cell.name), "seed": trial.seed, "share": 0.0, "line": "", "at": ""}
    try:
        if trial.path.exists():
            check_inside(trial.path, house.experiments)
            row["at"] = link("runs", f"{experiment}{OF}{trial.name}")
        state: str = trial.read_state()
        if state == "failed":
            row["line"] = printable(trial.failure_reason)[:300]
        elif state in ("training", "scoring"):
            nimg, total, _ = trial.progress
            row["share"] = min(1.0, nimg / total) if total else 0.0
            state = state if running else "interrupted"
    except (GanvasError, OSError, ValueError, IndexError) as error:
        state, row["line"] = "failed", printable(error)[:300]
    return row | {"state": state}


ROUTES: list[BaseRoute] = [Route("/experiments", show), Route("/api/experiments", state)]
