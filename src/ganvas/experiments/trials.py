"""A trial: one training of an experiment. Its state is what its files say, so that a later call can resume."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ganvas.config import Config
from ganvas.errors import GanvasError
from ganvas.experiments.plan import Cell, Plan
from ganvas.runs.images import check_same, place
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.comparison import Comparison
    from ganvas.datasets import ImageSet

State = Literal["waiting", "training", "scoring", "done", "failed"]
SUMMARY = "part_of.json"  # in a run: its experiment and cell, with the verdicts on the cell


class Progress(NamedTuple):
    """How far a training is."""

    nimg: int
    total_nimg: int | None
    """None until the budget in minutes is converted."""
    img_s: float
    """Images per second, lately."""


class Elsewhere(NamedTuple):
    """A trial on its worker, newer than its files here."""

    worker: str
    progress: Progress
    scoring: bool = False


@dataclass
class Trial:
    """A cell with a seed."""

    cell: Cell
    seed: int
    config: Config
    path: Path
    features: tuple[str, ...]
    n: int
    elsewhere: Elsewhere | None = None
    """What the worker that has it said last, where that is another machine."""
    moves: int = 0
    """Workers that it was on and left before it was done."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def run(self) -> Run:
        return Run.open(self.path)

    @property
    def data_flag(self) -> tuple[str, ...]:
        """Where the images are, for a command that reads the run, if they moved since it began."""
        where = place(self.config.data.name)
        return ("--data", where["path"]) if where and self.run.data.get("path") != where["path"] else ()

    @property
    def log(self) -> Path:
        """The output of its processes."""
        return self.path.parent / "logs" / f"{self.name}.log"

    @property
    def failure_file(self) -> Path:
        """Exists if it failed, and holds the reason."""
        return self.path.parent / "logs" / f"{self.name}.failed"

    @property
    def state(self) -> State:
        """The step that it is at; `training` and `scoring` are running or were interrupted."""
        try:
            return self.read_state()
        except GanvasError as error:  # a file of the run is broken; the other trials continue
            self.mark_failed(str(error))
            return "failed"

    def read_state(self) -> State:
        """As `state`, without a note of what is broken: GanvasError instead."""
        if self.failure_file.is_file():
            return "failed"
        if not (self.path / "config.json").is_file():
            return "waiting"
        if not self.trained:
            return "training"
        return "done" if self.scored else "scoring"

    @property
    def trained(self) -> bool:
        run = self.run
        return bool(run.snapshots()) and any(row.get("event") == "finish" for row in run.rows("events"))

    @property
    def scored(self) -> bool:
        """Whether its final generator has a score on `n` images by every extractor."""
        run = self.run
        final = run.snapshots()[-1][0]
        rows = [row for row in run.rows("evals") if row.get("nimg") == final and row.get("n") == self.n]
        extractors = {row.get("extractor") for row in rows if not row.get("during") and not row.get("sampling")}
        return extractors >= set(self.features) and bool(extractors)

    @property
    def progress(self) -> Progress:
        if self.elsewhere is not None:
            return self.elsewhere.progress
        rows = self.run.rows("metrics")[-5:] if (self.path / "metrics.jsonl").is_file() else []
        speeds = [row["img_s"] for row in rows if row.get("img_s")]
        total = self.run.total_nimg if (self.path / "config.json").is_file() else None
        return Progress(rows[-1]["nimg"] if rows else 0, total, sum(speeds) / len(speeds) if speeds else 0.0)

    def next_step(self) -> list[str] | None:
        """Arguments of the `ganvas` that it needs next; None where it needs none, or has no run directory yet."""
        state = self.state
        if state == "training":
            return ["resume", str(self.path), *self.data_flag]
        if state != "scoring":
            return None
        argv = ["evaluate", str(self.path), "--n", str(self.n), "--sets", "1", *self.data_flag]
        return [*argv, "--features", ",".join(self.features)] if self.features else argv

    def finish_step(self, argv: Sequence[str], code: int) -> bool:
        """Whether it goes on. It has failed if its process did, or had no effect: no step must start for ever."""
        if code != 0:
            self.mark_failed(last_log_line(self.log))
            return False
        if self.state == "training" and "resume" in argv:
            self.mark_failed("ganvas resume ended without the end of the training")
            return False
        if self.state == "scoring" and "evaluate" in argv and not self.scored:
            self.mark_failed("ganvas evaluate ended without the scores that were asked for")
            return False
        return True

    def create_run(self, images: ImageSet) -> None:
        """Create its run directory."""
        from ganvas import api

        api.create_run(self.config, images, self.path)

    def mark_failed(self, reason: str) -> None:
        self.failure_file.parent.mkdir(parents=True, exist_ok=True)
        self.failure_file.write_text(reason + "\n", "utf-8")

    @property
    def failure_reason(self) -> str:
        return self.failure_file.read_text("utf-8").strip() if self.failure_file.is_file() else ""

    def clear_failure(self) -> None:
        """Let it be started again."""
        self.failure_file.unlink(missing_ok=True)

    def save_summary(self, experiment: str, found: Comparison) -> None:
        """Write into the run which experiment it is part of, and the verdicts on its cell; its report shows them."""
        from ganvas.comparison.formats import group_summary

        place = {"experiment": experiment, "cell": self.cell.name, "page": "../compare.html"}
        self.run.write_json(SUMMARY, {**place, **group_summary(found, self.cell.name)})


def list_trials(plan: Plan, base: Path, threads: int, elsewhere: bool = False) -> list[Trial]:
    """Every cell with every seed; all cells with one seed come before the next seed. See `Plan.trial_config`."""

    def trial(cell: Cell, seed: int) -> Trial:
        config = plan.trial_config(cell, seed, threads, elsewhere)
        return Trial(cell, seed, config, base / f"{cell.slug}-s{seed}", plan.features, plan.n)

    return [trial(cell, seed) for seed in range(plan.seeds) for cell in plan.cells]


def last_log_line(path: Path) -> str:
    """The last line of a log that is not empty."""
    try:
        lines = [line.strip() for line in path.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return lines[-1].removeprefix("ganvas: ") if lines else "the process ended without a message"


def load_images(cache: dict[str, ImageSet], trial: Trial) -> ImageSet:
    """The images of a trial; those in `cache` are not loaded again."""
    from ganvas import datasets

    key = json.dumps(vars(trial.config.data), default=str, sort_keys=True)
    if key not in cache:
        try:
            cache[key] = datasets.load(trial.config.data)
            for other in trial.path.parent.glob(f"{trial.cell.slug}-s*/config.json"):  # they began earlier
                check_same(Run.open(other.parent), cache[key])
        except GanvasError as error:
            raise GanvasError(f"{trial.name}: {error}") from error
    return cache[key]
