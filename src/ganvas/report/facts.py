"""What a run directory says, read once, so that every part of the report speaks of the same moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeGuard

import numpy as np
from PIL import Image

from ganvas.config import Config, diff
from ganvas.run import Layer, Run

COURSE_EPOCHS = 50
"""The least number of epochs that the course asks for."""
IDEAS = ("data.flip", "generator.", "discriminator.", "loss.", "g_optim.", "d_optim.", "step.")
"""Settings whose change is an idea about structure or training, rather than about length, place or logging."""

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
    """Layers of "generator" and "discriminator"; empty where the run does not hold them."""

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
    def state(self) -> State:
        """How the run stands; `open` is being trained, or was interrupted without a word."""
        if not self.rows and self.nimg == 0:
            return "empty"
        return next((STATES[e["event"]] for e in reversed(self.events) if e.get("event") in STATES), "open")

    @cached_property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Settings that differ from the recipe, without those that a probe settled on this machine."""
        every = diff(self.recipe, self.config)
        return {k: v for k, v in every.items() if not (k.startswith("engine.") and v[0] in ("auto", 0))}

    @cached_property
    def settled(self) -> dict[str, Any]:
        """Engine settings that the recipe left open and this machine settled."""
        every = diff(self.recipe, self.config)
        return {k: new for k, (_, new) in every.items() if k not in self.changes}

    @property
    def ideas(self) -> list[str]:
        """Names of changed settings that concern structure or training."""
        return [name for name in self.changes if name.startswith(IDEAS)]

    def column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(nimg [k] int64, values [k] float64) of the rows in which `name` is a finite number."""
        pairs = [
            (row["nimg"], row[name]) for row in self.rows if is_number(row.get("nimg")) and is_number(row.get(name))
        ]
        return np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.float64)

    def happened(self, kind: str) -> list[dict[str, Any]]:
        """Events of one kind, in order."""
        return [event for event in self.events if event.get("event") == kind]


def gather(run: Run) -> Facts:
    """Read a run, whole or still being written. GanvasError where config.json or data.json is unreadable."""
    grids = [(at, picture) for at, path in run.samples() if (picture := _picture(path)) is not None]
    notes = run.path / "notes.md"
    return Facts(
        name=run.path.resolve().name,
        config=run.config,
        recipe=run.recipe,
        data=run.data,
        total=run.total_nimg,
        rows=run.rows("metrics"),
        events=run.rows("events"),
        env=run.rows("env"),
        grids=grids,
        real=_picture(run.path / "samples" / "real.png"),
        evals=run.rows("evals"),
        selected=run.selected,
        networks=run.networks,
        notes=notes.read_text("utf-8", errors="replace") if notes.is_file() else "",
    )


def _picture(path: Path) -> Image.Image | None:
    """The picture in mode L or RGB; None where it is absent or cut short."""
    try:
        with Image.open(path) as picture:
            return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    except (OSError, SyntaxError, ValueError):
        return None


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a JSON value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
