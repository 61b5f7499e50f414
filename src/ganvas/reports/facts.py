"""A run directory, read once, so that every section of the report describes the same moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ganvas import diagnostics
from ganvas.blind_test import answers
from ganvas.blind_test.answers import Answers
from ganvas.config import Config, diff
from ganvas.config.tricks import TRICKS
from ganvas.diagnostics.series import column
from ganvas.reports import losses
from ganvas.reports.losses import LossFacts
from ganvas.runs.run import Layer, Run
from ganvas.stats.trend import Trend, trend

COURSE_EPOCHS = 50
"""Minimum number of epochs that the course asks for."""
NOTES = 1_000_000
"""Bytes of notes.md that are read."""
IDEAS = (
    "data.flip", "data.labels", "data.held_out", "generator.", "discriminator.", "augment.", "loss.", "penalty.",
    "g_optim.", "d_optim.", "step.",
)  # fmt: skip
"""Settings that change structure or training, rather than length, place or logging."""

State = Literal["finished", "stopped", "nan", "open", "empty"]
STATES: dict[str, State] = {
    "start": "open", "resume": "open", "stop": "stopped", "nan": "nan", "finish": "finished",
}  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """A run at one moment. `nimg` counts real images that D has consumed."""

    name: str
    config: Config
    recipe: Config
    data: dict[str, Any]
    total: int | None
    rows: list[dict[str, Any]]
    events: list[dict[str, Any]]
    env: list[dict[str, Any]]
    grids: list[tuple[int, Image.Image]]
    real: Image.Image | None
    notes: str
    evals: list[dict[str, Any]]
    selected: dict[str, Any] | None
    networks: dict[str, list[Layer]]
    """Layers of "generator" and "discriminator"; empty if networks.json is missing."""
    diagnosis: diagnostics.Diagnosis | None = None
    quiz: tuple[Answers, ...] = ()
    """Blind tests that people took of this run."""
    experiment: dict[str, Any] | None = None
    """Experiment and cell of this run, the comparison's page, and the cell's verdicts against the first cell."""

    @cached_property
    def nimg(self) -> int:
        """Images seen so far."""
        rows = [*self.rows, *self.events, *self.evals]
        seen = [row["nimg"] for row in rows if isinstance(row.get("nimg"), int)]
        return max([*seen, *(at for at, _ in self.grids)], default=0)

    @property
    def n(self) -> int:
        """Images in the data set, at least 1."""
        return max(int(self.data.get("n") or 1), 1)

    @property
    def epochs(self) -> float:
        """Passes over the data so far."""
        return self.nimg / self.n

    @property
    def seconds(self) -> float:
        """Seconds of training so far."""
        return float(max((row.get("sec") or 0 for row in [*self.rows, *self.events]), default=0))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of an image."""
        c, h, w = self.data["shape"]
        return int(c), int(h), int(w)

    @cached_property
    def loss(self) -> LossFacts:
        """The run's loss, without torch."""
        return losses.of_run(self.config.loss.name, self.events, self.rows)

    @property
    def judged(self) -> Literal["fake", "pair"]:
        """The accuracy that should fall to 0.5. If D only compares: `pair`, the share of D(real) > D(fake)."""
        return "pair" if self.loss.threshold is None else "fake"

    @cached_property
    def trend(self) -> Trend | None:
        """The trend of that accuracy over epochs; None if there are too few rows."""
        nimg, values = self.column(f"acc/{self.judged}")
        return trend(nimg / self.n, values)

    @property
    def conditional(self) -> bool:
        """Whether G and D get class labels."""
        return self.config.data.labels == "use"

    @property
    def class_rows(self) -> list[str]:
        """The class of each row of the last sample grid; empty if the run is unconditional."""
        names = self.data.get("class_names") or []
        rows = self.grids[-1][1].height // self.shape[1] if self.grids and names and self.conditional else 0
        return [names[row % len(names)] for row in range(rows)]

    @cached_property
    def state(self) -> State:
        """`open`: in training, or interrupted without a last event; `empty`: nothing trained yet."""
        if not self.rows and self.nimg == 0:
            return "empty"
        return next((STATES[e["event"]] for e in reversed(self.events) if e.get("event") in STATES), "open")

    @cached_property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Settings that differ from the recipe, without those that it left to the machine or to the data."""
        every = diff(self.recipe, self.config)
        return {k: v for k, v in every.items() if not self._left_open(k, *v)}

    @cached_property
    def settled(self) -> dict[str, Any]:
        """Settings that the recipe left open, and what they became when the run began."""
        every = diff(self.recipe, self.config)
        return {k: new for k, (_, new) in every.items() if k not in self.changes}

    def _left_open(self, name: str, old: Any, new: Any) -> bool:
        if name == "data.labels":  # ignoring classes that the data have is a choice
            return old == "auto" and (new == "use" or not self.data.get("class_names"))
        return name.startswith("engine.") and old in ("auto", 0)

    @property
    def ideas(self) -> list[str]:
        """Names of changed settings that concern structure or training."""
        return [name for name in self.changes if name.startswith(IDEAS)]

    @property
    def named_ideas(self) -> list[str]:
        """Tricks by their names, and the other changed settings that concern structure or training."""
        tricks = [name for name in self.config.tricks if name in TRICKS]
        theirs = {key for name in tricks for key in TRICKS[name].settings(self.config)}
        return [*tricks, *(name for name in self.ideas if name not in theirs)]

    def column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(nimg [k] int64, values [k] float64) of the rows in which `name` is a finite number."""
        return column(self.rows, name)

    def happened(self, kind: str) -> list[dict[str, Any]]:
        """Events of one kind, in order."""
        return [event for event in self.events if event.get("event") == kind]


def gather(run: Run, last: int | None = None) -> Facts:
    """Read a run, finished or still being written; of its sample grids only the `last` ones, or all.

    GanvasError if config.json or data.json is unreadable.
    """
    paths = run.sample_grids() if last is None else run.sample_grids()[-last:]
    grids = [(at, picture) for at, path in paths if (picture := run.picture(path)) is not None]
    notes = run.path / "notes.md"
    history = diagnostics.read_history(run)
    return Facts(
        name=run.path.resolve().name,
        config=history.config,
        recipe=run.recipe,
        data=run.data,
        total=history.total,
        rows=list(history.rows),
        events=list(history.events),
        env=run.rows("env"),
        grids=grids,
        real=run.picture(run.path / "samples" / "real.png"),
        evals=run.rows("evals"),
        selected=run.selected,
        networks=run.networks,
        diagnosis=diagnostics.diagnose(history),
        quiz=tuple(answers.of_run(run)),
        experiment=run.experiment,
        notes=read_notes(notes),
    )


def read_notes(path: Path) -> str:
    """The first NOTES bytes of notes.md; empty if it is missing."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(NOTES).decode("utf-8", "replace")
