"""The hook that passes on what a training records. A tracker that fails costs a warning, not the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ganvas.errors import first_line
from ganvas.runs.run import Run
from ganvas.trackers import recorded
from ganvas.trackers.place import Place

if TYPE_CHECKING:
    from ganvas.training.loop import Event

    Hook = Callable[[Event], None]


class TrackerHook:
    """Logs rows, sample grids and scores of a run to one tracker; `hooks` show the warning where that fails."""

    def __init__(self, run: Run, kind: str, hooks: Sequence[Hook]) -> None:
        self.run, self.kind, self.hooks = run, kind, hooks
        self.place = Place(run, kind)  # before the run forgets what came after its checkpoint
        self.tracker: recorded.Tracker | None = None
        self.event: Event | None = None
        """The last one."""

    def __call__(self, event: Event) -> None:
        begins, self.event = self.event is None, event
        try:
            if begins:
                self.tracker = recorded.tracker(self.kind)(self.run, self.place.name)
                self.place.begin()
                self.pass_on(recorded.LOGS)  # also what an earlier training left
            elif event.kind == "row" and self.tracker:
                self.place.log(self.tracker, recorded.of_row("metrics", event.details["row"]))
            elif event.kind in ("untrained", "sample", "checkpoint"):
                self.pass_on(("monitor", "samples", "evals"))
        except Exception as error:  # of a package, a server or a disk, which raise what they like
            self.give_up(error, event)

    def pass_on(self, logs: Sequence[str]) -> None:
        """Log what is on disk and not there yet."""
        if self.tracker:
            for point in recorded.points(self.run, logs):
                self.place.log(self.tracker, point)

    def close(self) -> None:
        """The last scores, then the end of the log."""
        if self.tracker is None or self.event is None:
            return
        try:
            self.pass_on(recorded.LOGS)
            self.tracker.close()
            self.place.end()
        except Exception as error:
            self.give_up(error, self.event)

    def give_up(self, error: Exception, event: Event) -> None:
        """One warning, and nothing more is logged."""
        self.tracker = None
        what = f"{self.kind} stopped, the training goes on: {type(error).__name__}: {first_line(error)}"
        self.run.event("warning", event.nimg, what=what)
        for hook in self.hooks:
            hook(type(event)("warning", event.nimg, event.total, event.sec, {"what": what}))
