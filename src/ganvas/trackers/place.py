"""How far a run is logged to a tracker, and the name of its log there: log_to.json in the run directory."""

from __future__ import annotations

import re
import secrets
from typing import Any

from ganvas.errors import GanvasError
from ganvas.runs.run import Run
from ganvas.trackers.recorded import LOGS, Point, Tracker

FILE = "log_to.json"
NAME = re.compile(r"[\w.-]{1,128}")


class Place:
    """Nothing is logged twice, also after a resume, which repeats the steps since the last checkpoint.

    The file holds {tracker: {"name": ..., "nimg": ...}}; nimg is how far it is logged, null while a training logs. If
    it is still null, that training was killed, and the rows on disk are those that were logged.
    """

    def __init__(self, run: Run, kind: str) -> None:
        self.run, self.kind = run, kind
        known = self._read().get(kind)
        known = known if isinstance(known, dict) else {}
        name, nimg = known.get("name"), known.get("nimg")
        self.known = isinstance(name, str) and NAME.fullmatch(name) is not None
        self.name = str(name) if self.known else _new_name(run)
        self.after = dict.fromkeys(LOGS, -1)
        if self.known and isinstance(nimg, int):
            self.after = dict.fromkeys(LOGS, nimg)
        elif self.known:
            self.after = {log: _last(run, log) for log in LOGS}
        self.logged: set[tuple[int, tuple[str, ...]]] = set()

    def log(self, tracker: Tracker, point: Point) -> None:
        """Log a point, unless it is there already."""
        key = (point.nimg, tuple(point.values) or ("picture",))
        if point.nimg > self.after[point.log] and key not in self.logged:
            self.logged.add(key)
            tracker.log(point.nimg, point.values, point.picture)

    def begin(self) -> None:
        """A training logs from here on."""
        self._write(None)

    def end(self) -> None:
        """Everything is logged."""
        rows = self.run.rows("metrics")
        self._write(rows[-1]["nimg"] if rows else -1)

    def _read(self) -> dict[str, Any]:
        try:
            return self.run.read_json(FILE)
        except GanvasError:
            return {}

    def _write(self, nimg: int | None) -> None:
        self.run.write_json(FILE, {**self._read(), self.kind: {"name": self.name, "nimg": nimg}})


def _new_name(run: Run) -> str:
    """The run's own name, and what tells it from an earlier run of that name."""
    return f"{re.sub(r'[^A-Za-z0-9_.-]', '-', run.path.absolute().name)[:80]}-{secrets.token_hex(2)}"


def _last(run: Run, log: str) -> int:
    """The last nimg of a log on disk."""
    found = [at for at, _ in run.sample_grids()] if log == "samples" else [row["nimg"] for row in run.rows(log)]
    return max(found, default=-1)
