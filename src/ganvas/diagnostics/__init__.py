"""The doctor: reads a run directory and reports what is wrong, since when, why, and what to try.

It shows its evidence, and reports nothing when it is not certain. Each rule is a file in rules/. How often the rules
are right is measured by tools/doctor_suite.py; the results are in records/.
"""

from ganvas.diagnostics import rules
from ganvas.diagnostics.diagnosis import Diagnosis, diagnose, diagnose_run
from ganvas.diagnostics.finding import Evidence, Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.read_run import read_history
from ganvas.diagnostics.rule import MIN_G_UPDATES, RULES, Rule, register_rule
from ganvas.plugins import discover

discover(rules)

__all__ = [
    "MIN_G_UPDATES", "RULES", "Diagnosis", "Evidence", "Finding", "Rule", "RunHistory", "diagnose", "diagnose_run",
    "read_history", "register_rule",
]  # fmt: skip
