"""What the doctor's own rules say of a toy, in sentences; and which controls they would turn."""

from __future__ import annotations

from typing import Any

from ganvas.config import diff
from ganvas.diagnostics.commands import apply_flags
from ganvas.diagnostics.finding import Evidence, Finding
from ganvas.diagnostics.rule import RULES
from ganvas.diagnostics.text import title
from ganvas.i18n import Translator, figure
from ganvas.ui.rooms.learn.settings import as_controls
from ganvas.ui.rooms.learn.toy import Toy


def findings(toy: Toy, say: Translator) -> dict[str, Any]:
    """measurements: how many there are; findings: title, cause, condition, evidence, since (updates), cures."""
    diagnosis = toy.diagnose()
    found = [_described(toy, finding, say) for finding in diagnosis.findings]
    return {"measurements": len(toy.monitor), "enough": diagnosis.enough_data, "findings": found}


def _described(toy: Toy, finding: Finding, say: Translator) -> dict[str, Any]:
    condition = f"ui.learn.condition.{finding.rule}"
    return {
        "rule": finding.rule,
        "title": title(finding, say),
        "cause": say(f"doctor.{finding.rule}.cause", **finding.blanks),
        "condition": say(condition) if condition in say else "",
        "since": _update(toy, finding.since),
        "evidence": [_evidence(toy, each, say) for each in finding.evidence],
        "page": RULES[finding.rule].page.format(id=finding.rule),
        "cures": cures(toy, finding),
    }


def _evidence(toy: Toy, found: Evidence, say: Translator) -> str:
    names = (f"ui.learn.curve.{found.curve}", f"doctor.curve.{found.curve}")
    name = next((say(key) for key in names if key in say), found.curve)
    first, last = figure(found.start_value), figure(found.end_value)
    begin, end = (f"{_update(toy, nimg):,}" for nimg in (found.start_nimg, found.end_nimg))
    if begin == end:
        return say("ui.learn.evidence.one", name=name, value=last, update=end)
    return say("ui.learn.evidence", name=name, begin=begin, end=end, first=first, last=last)


def _update(toy: Toy, nimg: int) -> int:
    """The number of the update at which D had seen so many points since the last change of a control."""
    step = toy.config.step
    return (toy.first_nimg + nimg) // (step.batch * step.d_steps)


def cures(toy: Toy, finding: Finding) -> list[dict[str, Any]]:
    """The suggestions that turn nothing but controls of the toy, each as control -> value."""
    found: list[dict[str, Any]] = []
    for suggestion in finding.suggestions:
        changed = None if suggestion.startswith("ganvas ") else apply_flags(toy.config, suggestion)
        if changed is None:
            continue
        moved = {name: new for name, (_, new) in diff(toy.config, changed).items() if name != "tricks"}
        controls = as_controls(moved)
        if controls and controls not in found:
            found.append(controls)
    return found
