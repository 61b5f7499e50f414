"""The doctor: reads a run directory and says what is wrong with it, with evidence; silent where it does not know.

case.py      a run's curves side by side             finding.py    what is said
balance.py   who wins                                variety.py    collapse, classes
pictures.py  saturation, range, checkerboard         learning.py   numbers, rates, memory, averages
words.py     findings as sentences, in two languages live.py       the same while training
environment.py, dataset.py   the installation, and a data set, before there is a run

A rule is a function Case -> Finding | None, listed in RULES; where its thresholds come from stands beside them, and
how often they are right in records/ (tools/doctor_suite.py measures it).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ganvas.diagnostics.case import Case, of_run
from ganvas.diagnostics.finding import Evidence, Finding
from ganvas.diagnostics.rules import balance, learning, pictures, variety
from ganvas.runs.run import Run

Rule = Callable[[Case], Finding | None]
RULES: tuple[Rule, ...] = (
    learning.not_a_number, pictures.wrong_range, learning.tiny_batches, learning.exploding, learning.too_fast,
    balance.swings, balance.discriminator_wins, balance.discriminator_blind, learning.too_slow, variety.collapse,
    variety.class_collapse, variety.wrong_labels, pictures.saturation, pictures.checkerboard, learning.overfitting,
    learning.copying, learning.lagging_average, learning.too_little,
)  # fmt: skip
"""In the order in which findings are told: what makes others first."""
LOOKS = 3
"""Looks at a run from which on it is judged."""
ADVICE = ("too-little",)
"""Findings that are no faults."""


@dataclass(frozen=True)
class Diagnosis:
    """What the rules found in a case."""

    case: Case
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Finding, ...]:
        """Findings that something is wrong."""
        return tuple(f for f in self.findings if f.name not in ADVICE)

    @property
    def judged(self) -> bool:
        """Whether there was enough to see."""
        return len(self.case.nimg) >= LOOKS

    @property
    def accuracy(self) -> Evidence | None:
        """D's accuracy on fakes of late, about which every learner asks."""
        return learning.fake_accuracy(self.case)


def diagnose(case: Case) -> Diagnosis:
    """Every rule applied to a case."""
    return Diagnosis(case, tuple(found for rule in RULES if (found := rule(case)) is not None))


def examine(run: Run) -> Diagnosis:
    """The diagnosis of a run on disk, finished or not. Raises GanvasError where the run cannot be read."""
    return diagnose(of_run(run))
