"""One training of an experiment: its run directory, what is left to do with it, how far it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ganvas.config import Config
from ganvas.errors import GanvasError
from ganvas.experiments.plan import Cell, Plan
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.comparison import Comparison
    from ganvas.data import ImageSet

State = Literal["waiting", "training", "scoring", "done", "failed"]
BELONGS = "part_of.json"  # in a run: which experiment it is part of


@dataclass
class Task:
    """A cell with a seed."""

    cell: Cell
    seed: int
    config: Config
    path: Path
    features: tuple[str, ...]
    n: int

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def run(self) -> Run:
        return Run.open(self.path)

    @property
    def log(self) -> Path:
        """Where its processes write what they have to say."""
        return self.path.parent / "logs" / f"{self.name}.log"

    @property
    def failure(self) -> Path:
        """Exists where it failed, and says why."""
        return self.path.parent / "logs" / f"{self.name}.failed"

    @property
    def state(self) -> State:
        """What the disk says of it; `training` and `scoring` are under way or were broken off."""
        if self.failure.is_file():
            return "failed"
        if not (self.path / "config.json").is_file():
            return "waiting"
        try:
            if not self.trained:
                return "training"
            return "done" if self.scored else "scoring"
        except GanvasError as error:  # a file of the run is broken: the others go on
            self.fail(str(error))
            return "failed"

    @property
    def trained(self) -> bool:
        run = self.run
        return bool(run.snapshots()) and any(row.get("event") == "finish" for row in run.rows("events"))

    @property
    def scored(self) -> bool:
        """Whether its final generator has a score of as many images as are asked for, by every extractor."""
        run = self.run
        final = run.snapshots()[-1][0]
        rows = [r for r in run.rows("evals") if r.get("nimg") == final and not r.get("during") and r.get("n") == self.n]
        there = {row.get("extractor") for row in rows}
        return there >= set(self.features) and bool(there)

    @property
    def progress(self) -> tuple[int, int | None, float]:
        """Images seen, images in all where that is known, images a second of late."""
        rows = self.run.rows("metrics")[-5:] if (self.path / "metrics.jsonl").is_file() else []
        speeds = [row["img_s"] for row in rows if row.get("img_s")]
        total = self.run.total_nimg if (self.path / "config.json").is_file() else None
        return (rows[-1]["nimg"] if rows else 0), total, sum(speeds) / len(speeds) if speeds else 0.0

    def begin(self, images: ImageSet) -> None:
        """Make its run directory."""
        from ganvas import api

        api.create_run(self.config, images, self.path)

    def fail(self, why: str) -> None:
        """Remember that it failed, and why."""
        self.failure.parent.mkdir(parents=True, exist_ok=True)
        self.failure.write_text(why + "\n", "utf-8")

    @property
    def reason(self) -> str:
        """Why it failed."""
        return self.failure.read_text("utf-8").strip() if self.failure.is_file() else ""

    def forget_failure(self) -> None:
        """Let it be tried again."""
        self.failure.unlink(missing_ok=True)

    def belongs(self, experiment: str, found: Comparison) -> None:
        """Write into the run which experiment it is part of, and what that says of its cell."""
        from ganvas.comparison.formats import group_summary

        about = {
            "experiment": experiment,
            "cell": self.cell.name,
            "page": "../compare.html",
            **group_summary(found, self.cell.name),
        }
        self.run.write_json(BELONGS, about)


def tasks(plan: Plan, base: Path, threads: int) -> list[Task]:
    """Every cell with every seed, seed by seed, so that all cells have one run before any has two."""
    return [
        Task(cell, seed, plan.config(cell, seed, threads), base / f"{cell.slug}-s{seed}", plan.features, plan.n)
        for seed in range(plan.seeds)
        for cell in plan.cells
    ]


def last_words(path: Path) -> str:
    """The last line of a log that says something, for a person to read."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return lines[-1].removeprefix("ganvas: ") if lines else "it said nothing"


def images_of(kept: dict[str, ImageSet], task: Task) -> ImageSet:
    """The images of a task, loaded once for all tasks of the same data."""
    from ganvas import data

    key = json.dumps(vars(task.config.data), default=str, sort_keys=True)
    if key not in kept:
        try:
            kept[key] = data.load(task.config.data)
        except GanvasError as error:
            raise GanvasError(f"{task.name}: {error}") from error
    return kept[key]
