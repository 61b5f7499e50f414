"""What the rules read: a run's curves side by side, its config and its data; the same from disk and while training."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ganvas import media
from ganvas.config import Config
from ganvas.diagnostics.finding import Evidence, Finding, Sure
from ganvas.runs.run import Run, is_number

if TYPE_CHECKING:
    from ganvas.metrics.image_statistics import Pictures

HELD = 0.85
"""Share of the looks of a stretch at which a condition must hold."""
LEAST = 3
"""Looks, the last ones, at which it must hold without exception."""
LONG = 0.25
"""Share of the run from which on a stretch is a long one."""
YOUNG = 150
"""Updates of G before which nobody has won or lost yet: D of `cifar-dcgan-recap` cannot tell until then (batch 256)."""


@dataclass
class Case:
    """A run at one moment. A `look` is a place where a sample grid was drawn and the vital signs were read."""

    config: Config
    data: Mapping[str, Any]
    total: int | None = None
    rows: Sequence[dict[str, Any]] = ()
    """metrics.jsonl."""
    vitals: Sequence[dict[str, Any]] = ()
    events: Sequence[dict[str, Any]] = ()
    recipe: Config | None = None
    """The recipe's config as it was on the day the run began."""
    path: Path = Path()
    curves: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def nimg(self) -> np.ndarray:
        """Images seen at each look, int64 [k]; the untrained look is none."""
        return np.array([row["nimg"] for row in self.vitals if row["nimg"] > 0], np.int64)

    @cached_property
    def seen(self) -> int:
        """Images seen in all."""
        return int(max([*self.nimg[-1:], *(row.get("nimg") or 0 for row in self.rows[-1:])], default=0))

    @cached_property
    def length(self) -> int:
        """Images of the whole run, as far as that is known."""
        return max(self.total or 0, self.seen)

    @cached_property
    def grown(self) -> np.ndarray:
        """Looks at which G had been updated often enough for the contest to be judged, bool [k]."""
        grown: np.ndarray = self.nimg >= YOUNG * self.config.step.batch * self.config.step.d_steps
        return grown

    @cached_property
    def state(self) -> str:
        """The last of start, resume, stop, finish, nan."""
        kinds = [e.get("event") for e in self.events]
        return next((str(k) for k in reversed(kinds) if k in ("start", "resume", "stop", "finish", "nan")), "start")

    @property
    def conditional(self) -> bool:
        """Whether G and D are told classes."""
        return self.config.data.labels == "use"

    def look(self, name: str) -> np.ndarray:
        """A curve at the looks, float64 [k], NaN where there is nothing.

        A vital sign as it was read; a column of metrics.jsonl averaged over the rows since the look before.
        """
        if name not in self.curves:
            rows = [row for row in self.vitals if row["nimg"] > 0]
            if any(name in row for row in rows):
                self.curves[name] = np.array([v if is_number(v := row.get(name)) else math.nan for row in rows])
            else:
                nimg, values = column(self.rows, name)
                cuts = [0, *np.searchsorted(nimg, self.nimg, side="right")]
                parts = [values[a:b] for a, b in pairwise(cuts)]
                self.curves[name] = np.array([part.mean() if len(part) else math.nan for part in parts])
        return self.curves[name]

    def earlier(self, values: np.ndarray, share: float = 0.6) -> np.ndarray:
        """For each look the value that stood at `share` of its images, NaN before there was any."""
        at = np.searchsorted(self.nimg, share * self.nimg, side="right") - 1
        return np.where(at >= 0, values[np.maximum(at, 0)], math.nan)

    def rates(self, **factors: float) -> str:
        """Flags that put learning rates at their values times `factors`: rates(g=0.1) for a tenth of G's."""
        now = {"g": self.config.g_optim.lr, "d": self.config.d_optim.lr}
        return " ".join(f"--{player}-optim.lr {factor * now[player]:.2g}" for player, factor in factors.items())

    def stretch(self, good: np.ndarray, least: int = LEAST, among: np.ndarray | None = None) -> int | None:
        """Images seen where the last stretch begins that reaches the end and in which `good` [k] mostly holds.

        Looks that are not `among` [k] do not count, one way or the other.
        """
        nimg = self.nimg
        if among is not None:
            good, nimg = good[among], nimg[among]
        if len(good) < least or not good[-least:].all():
            return None
        back = good[::-1]
        share = np.cumsum(back) / np.arange(1, len(good) + 1)
        return int(nimg[::-1][np.flatnonzero(back & (share >= HELD))[-1]])

    def finding(
        self, name: str, good: np.ndarray, evidence: Sequence[str], tries: Sequence[str], least: int = LEAST,
        sure: Sure | None = None, among: np.ndarray | None = None, **blanks: object,
    ) -> Finding | None:  # fmt: skip
        """The finding that a condition at the looks gives, with the curves that show it; None where it does not hold.

        A comparison with NaN is false: what was not read is never found.
        """
        since = self.stretch(np.asarray(good, bool), least, among)
        if since is None:
            return None
        long = self.seen - since >= LONG * self.length
        shown = tuple(e for name in evidence if (e := self.told(name, since)) is not None)
        return Finding(name, since, sure or ("high" if long else "medium"), shown, tuple(tries), blanks)

    def told(self, name: str, since: int) -> Evidence | None:
        """A curve from the look at `since` to the last; None where it was not recorded."""
        values = self.look(name)
        there = np.isfinite(values)
        before, after = np.flatnonzero(there & (self.nimg <= since)), np.flatnonzero(there & (self.nimg >= since))
        if not len(after):
            return None
        first, last = int(before[-1] if len(before) else after[0]), int(after[-1])
        return Evidence(name, int(self.nimg[first]), float(values[first]), int(self.nimg[last]), float(values[last]))


def of_run(run: Run) -> Case:
    """The case of a run on disk, whole or being written.

    Where training wrote no vital signs (before there were any), or not yet all that there are now, those of the
    pictures are taken from the grids.
    """
    vitals = run.rows("monitor")
    if not vitals or "grid/depth" not in vitals[-1]:
        seen = {row["nimg"]: row for row in _from_grids(run)}
        vitals = [{**seen.get(row["nimg"], {}), **row} for row in vitals or seen.values()]
    return Case(
        run.config, run.data, run.total_nimg, run.rows("metrics"), vitals, run.rows("events"), run.recipe, run.path
    )


def _from_grids(run: Run) -> Iterator[dict[str, Any]]:
    from ganvas.metrics.image_statistics import beside

    real, before = _tiles(run, run.path / "samples" / "real.png"), None
    for nimg, path in run.samples():
        fake = _tiles(run, path)
        if real is None or fake is None:
            continue
        row = {"nimg": nimg, **beside(fake, real)}
        if before is not None and before.shape == fake.images.shape:
            row["sample_change"] = float(
                np.abs(fake.images.astype(np.float32) - before).mean() / max(real.contrast, 1e-6)
            )
        before = fake.images
        yield row


def _tiles(run: Run, path: Path) -> Pictures | None:
    """The images of a grid; None where it is absent, cut short, or no grid of this run's images."""
    from PIL import Image

    from ganvas.metrics.image_statistics import Pictures

    c, h, w = run.data["shape"]
    try:
        with Image.open(path) as picture:
            if picture.width % w or picture.height % h or picture.mode != ("L" if c == 1 else "RGB"):
                return None
            return Pictures(media.tiles(picture, (c, h, w))[: run.config.log.samples])
    except (OSError, SyntaxError, ValueError, struct.error):
        return None


def column(rows: Sequence[dict[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """(nimg [k] int64, values [k] float64) of the rows in which `name` is a finite number."""
    pairs = [(row["nimg"], row[name]) for row in rows if is_number(row.get("nimg")) and is_number(row.get(name))]
    return np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.float64)


def recent(values: np.ndarray, k: int, of: Callable[..., np.ndarray] = np.median) -> np.ndarray:
    """The median (or what `of` takes) of the last k values at each place; NaN before there are as many."""
    if len(values) < k:
        return np.full(len(values), np.nan)
    return np.concatenate([np.full(k - 1, np.nan), of(sliding_window_view(values, k), axis=1)])


def so_far(values: np.ndarray, k: int, of: Callable[..., np.floating]) -> np.ndarray:
    """What `of` takes of all values up to each place; NaN before there are k."""
    return np.array([of(values[:end]) if end >= k else np.nan for end in range(1, len(values) + 1)])
