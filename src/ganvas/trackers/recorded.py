"""What a run has recorded, as points that a tracker can log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from PIL import Image

from ganvas.runs.run import Run
from ganvas.stats.finite import is_number

LOGS = ("metrics", "monitor", "samples", "evals")
ASIDE = ("nimg", "sec", "cpu_sec")
"""Columns of metrics.jsonl that are no measurements."""


@dataclass(frozen=True)
class Point:
    """Numbers by name, or a sample grid, after `nimg` real images."""

    log: str
    nimg: int
    values: Mapping[str, float] = field(default_factory=dict)
    picture: Image.Image | None = None
    sec: float | None = None
    """Seconds of training, where the row says."""


class Tracker(Protocol):
    """A log of one run."""

    def log(self, nimg: int, values: Mapping[str, float], picture: Image.Image | None) -> None:
        """Add numbers, or a sample grid."""

    def close(self) -> None:
        """Write what is left."""


def tracker(kind: str) -> Any:
    """The class of a tracker: (run, name of the log) -> Tracker."""
    return import_module(f"ganvas.trackers.{kind}").Tracker


def of_row(log: str, row: Mapping[str, Any]) -> Point:
    """The numbers of a row: metrics under their own names, others below "monitor/" and "eval/"."""
    if log == "evals":
        values = {f"eval/{row['metric']}": row.get("value")}
    else:
        prefix = "" if log == "metrics" else "monitor/"
        values = {f"{prefix}{name}": value for name, value in row.items() if name not in ASIDE}
    numbers = {name: float(value) for name, value in values.items() if value is not None and is_number(value)}
    sec = row.get("sec") if log == "metrics" else None
    return Point(log, row["nimg"], numbers, sec=float(sec) if is_number(sec) else None)


def points(run: Run, logs: Sequence[str] = LOGS) -> Iterator[Point]:
    """Everything of these logs on disk. Scores: of the newest generator at the time, against the test split of the
    run's own data; those of the checkpoint that was selected by its score, and those of samples that D guided, are
    left out."""
    for log in ("metrics", "monitor"):
        if log in logs:
            yield from (of_row(log, row) for row in run.rows(log))
    for nimg, path in run.sample_grids() if "samples" in logs else ():
        if (picture := run.picture(path)) is not None:
            yield Point("samples", nimg, picture=picture)
    own = run.data["name"]
    for row in run.rows("evals") if "evals" in logs else ():
        plain = not row.get("selected") and not row.get("sampling")
        if plain and row.get("split") in (None, "test") and row.get("reference") in (None, own):
            yield of_row("evals", row)
