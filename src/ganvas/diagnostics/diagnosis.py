"""All rules applied to one run."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.diagnostics.advice import consistent
from ganvas.diagnostics.finding import Evidence, Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.read_run import read_history
from ganvas.diagnostics.rule import RULES, rules_in_order
from ganvas.runs.run import Run

MIN_MEASUREMENTS = 3
"""Measurements of a run from which on "no problems found" means something: what most rules need."""


@dataclass(frozen=True)
class Diagnosis:
    """What the rules found in a run."""

    history: RunHistory
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """Findings that something is wrong; not those that are advice only."""
        return tuple(f for f in self.findings if RULES[f.rule].severity == "fault")

    @property
    def enough_data(self) -> bool:
        """Whether there are enough measurements to judge the run."""
        return len(self.history.nimg) >= MIN_MEASUREMENTS

    @property
    def fake_accuracy(self) -> Evidence | None:
        """D's accuracy on fakes over the last quarter of the run."""
        return self.history.evidence("acc/fake", int(self.history.seen - self.history.length / 4))


def diagnose(history: RunHistory) -> Diagnosis:
    """Apply every rule to a run's history; what follows from another finding, or advises against it, is left out."""
    findings = [found for rule in rules_in_order() if (found := rule.find(history)) is not None]
    silenced = {name for found in findings for name in RULES[found.rule].silences}
    told = [found for found in findings if found.rule not in silenced]
    return Diagnosis(history, consistent(told, history.config))


def diagnose_run(run: Run) -> Diagnosis:
    """The diagnosis of a run on disk, finished or not. Raises GanvasError if the run cannot be read."""
    return diagnose(read_history(run))
