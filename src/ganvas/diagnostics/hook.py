"""The doctor during training: one line, and one event in the run, when a fault begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ganvas.diagnostics import RunHistory, diagnose
from ganvas.diagnostics.text import title
from ganvas.i18n import load
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.training.loop import Event

    Hook = Callable[[Event], None]


class DoctorHook:
    """A training hook: applies the rules at every sample grid and passes each new finding on to other hooks."""

    def __init__(self, run: Run, hooks: Sequence[Hook]) -> None:
        self.run, self.hooks, self.working = run, hooks, True
        self.config, self.data = run.config, run.data
        self.rows: list[dict[str, Any]] = []
        self.monitor: list[dict[str, Any]] = []
        self.reported: set[str] = set()

    def __call__(self, event: Event) -> None:
        if event.kind in ("start", "resume"):  # the run continues from what is on disk now
            self.config, self.data = self.run.config, self.run.data
            self.rows, self.monitor = self.run.rows("metrics"), self.run.rows("monitor")
            self.reported = {str(e.get("finding")) for e in self.run.rows("events") if e.get("event") == "doctor"}
        elif event.kind == "row":
            self.rows.append(event.details["row"])
        elif event.kind == "sample" and self.working:
            self.monitor.append(event.details["monitor"])
            try:
                self.report_new_findings(event)
            except Exception as error:  # a rule that fails must not stop the training
                self.working = False
                self.run.event("warning", event.nimg, what=f"the doctor stopped: {error!r}")

    def report_new_findings(self, event: Event) -> None:
        """Apply the rules. Each finding is reported once."""
        from ganvas.training.loop import Event

        history = RunHistory(self.config, self.data, event.total, self.rows, self.monitor)
        for finding in diagnose(history).findings:
            if finding.rule not in self.reported:
                self.reported.add(finding.rule)
                details = {"finding": finding.rule, "since": finding.since, "confidence": finding.confidence}
                self.run.event("doctor", event.nimg, **details)
                line = f"{title(finding, load('en'))} (since image {finding.since:,}): ganvas doctor {self.run.path}"
                for hook in self.hooks:
                    hook(Event("doctor", event.nimg, event.total, event.sec, {**details, "what": line}))
