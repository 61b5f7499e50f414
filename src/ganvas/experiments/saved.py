"""An experiment as its folder tells it: what is trained, how far it is, whether it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.config import from_dict
from ganvas.errors import GanvasError, first_line, option
from ganvas.experiments.plan import MOST_SEEDS, Cell
from ganvas.experiments.trials import Trial
from ganvas.files import is_locked, read_object
from ganvas.runs.migrate import migrate_config

PLAN_FILE = "experiment.json"


@dataclass(frozen=True)
class Experiment:
    """One folder with an experiment.json."""

    path: Path
    title: str
    cells: tuple[Cell, ...]
    seeds: int
    minutes: float | None
    """Training time of each run; None where the budget is a number of images."""
    trials: list[Trial]
    """Every cell with every seed."""

    @property
    def running(self) -> bool:
        """Whether a process runs it."""
        return is_locked(self.path / ".lock")


def read(folder: Path) -> Experiment:
    """The experiment in a folder; GanvasError where its plan is missing or damaged."""
    values = read_plan(folder / PLAN_FILE)
    try:
        cells = tuple(Cell(str(name), config) for name, config in values["cells"])
        minutes = values["budget"].get("minutes")
        features, n = tuple(map(str, values["features"])), int(values["n"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder / PLAN_FILE, error) from error
    seeds = min(values["seeds"], MOST_SEEDS)
    trials = [
        Trial(cell, seed, cell.config, folder / f"{cell.slug}-s{seed}", features, n)
        for cell in cells
        for seed in range(seeds)
    ]
    title = str(values.get("title") or folder.name)
    return Experiment(folder, title, cells, seeds, float(minutes) if minutes else None, trials)


def read_plan(path: Path) -> dict[str, Any]:
    """The values of experiment.json, its cells as (name, config); GanvasError where it is damaged."""
    values = read_object(path)
    try:
        cells = [(cell["name"], from_dict(migrate_config(cell["config"]))) for cell in values["cells"]]
        return {**values, "cells": cells, "seeds": max(int(values.get("seeds", 0)), 0)}
    except (KeyError, TypeError, ValueError, OverflowError, GanvasError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> GanvasError:
    return GanvasError(
        f"{path} is not the plan of an experiment ({first_line(error)}): restore it, "
        f"or choose another {option('--out')}"
    )
