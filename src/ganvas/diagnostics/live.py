"""The doctor beside a training: a line, and an event in the run, when something sets in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ganvas.diagnostics import diagnose
from ganvas.diagnostics.case import Case
from ganvas.diagnostics.text import title
from ganvas.i18n import load
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.training.loop import Event

    Hook = Callable[[Event], None]


class Watch:
    """A hook that looks at the run whenever a sample grid is drawn, and tells other hooks of what is new."""

    def __init__(self, run: Run, hooks: Sequence[Hook]) -> None:
        self.run, self.hooks, self.well = run, hooks, True
        self.config, self.data = run.config, run.data
        self.rows: list[dict[str, Any]] = []
        self.vitals: list[dict[str, Any]] = []
        self.told: set[str] = set()

    def __call__(self, event: Event) -> None:
        if event.kind in ("start", "resume"):  # what is on disk now is what the run goes on from
            self.config, self.data = self.run.config, self.run.data
            self.rows, self.vitals = self.run.rows("metrics"), self.run.rows("monitor")
            self.told = {e["finding"] for e in self.run.rows("events") if e.get("event") == "doctor"}
        elif event.kind == "row":
            self.rows.append(event.details["row"])
        elif event.kind == "sample" and self.well:
            self.vitals.append(event.details["monitor"])
            try:
                self.look(event)
            except Exception as error:  # the training matters more than a rule of ours
                self.well = False
                self.run.event("warning", event.nimg, what=f"the doctor stopped watching: {error!r}")

    def look(self, event: Event) -> None:
        """Apply the rules; each finding is told once."""
        from ganvas.training.loop import Event

        case = Case(self.config, self.data, event.total, self.rows, self.vitals)
        for finding in diagnose(case).findings:
            if finding.name not in self.told:
                self.told.add(finding.name)
                known = {"finding": finding.name, "since": finding.since, "sure": finding.sure}
                self.run.event("doctor", event.nimg, **known)
                line = f"{title(finding, load('en'))} (since image {finding.since:,}): ganvas doctor {self.run.path}"
                for hook in self.hooks:
                    hook(Event("doctor", event.nimg, event.total, event.sec, {**known, "what": line}))
