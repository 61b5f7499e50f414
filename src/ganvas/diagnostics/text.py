"""Findings as sentences in the user's language, and as JSON rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ganvas.diagnostics.commands import commands
from ganvas.diagnostics.diagnosis import MIN_MEASUREMENTS, Diagnosis
from ganvas.diagnostics.finding import Evidence, Finding
from ganvas.diagnostics.rule import RULES
from ganvas.i18n import Translator, figure
from ganvas.runs.run import stem
from ganvas.terminal import printable

HIGH_ACCURACY, LOW_ACCURACY = 0.9, 0.35
"""D's accuracy on fakes from which, and up to which, the answer to "is that bad?" is another one."""


@dataclass(frozen=True)
class FindingText:
    """A finding in sentences."""

    rule: str
    title: str
    since: str
    confidence: str
    cause: str
    evidence: tuple[str, ...]
    pictures: tuple[str, ...]
    """Sample grids when it began and at the end, relative to the run."""
    commands: tuple[str, ...]
    page: str
    """Where to read more; may be empty."""


def finding_texts(diagnosis: Diagnosis, say: Translator) -> list[FindingText]:
    """Every finding in sentences."""
    return [
        FindingText(
            rule=finding.rule,
            title=title(finding, say),
            since=say("doctor.since", since=f"{finding.since:,}"),
            confidence=say(f"doctor.confidence.{finding.confidence}"),
            cause=say(f"doctor.{finding.rule}.cause", **finding.blanks),
            evidence=tuple(_evidence_text(e, say) for e in finding.evidence),
            pictures=tuple(_sample_grids(finding, diagnosis)),
            commands=tuple(commands(finding, diagnosis.history)),
            page=RULES[finding.rule].page.format(id=finding.rule),
        )
        for finding in diagnosis.findings
    ]


def title(finding: Finding, say: Translator) -> str:
    """What it is, in a few words."""
    return say(f"doctor.{finding.rule}.title", **finding.blanks)


def _evidence_text(e: Evidence, say: Translator) -> str:
    key = f"doctor.curve.{e.curve}"
    return say(
        "doctor.curve", name=say(key) if key in say else e.curve, begin=f"{e.start_nimg:,}", end=f"{e.end_nimg:,}",
        first=figure(e.start_value), last=figure(e.end_value),
    )  # fmt: skip


def _sample_grids(finding: Finding, diagnosis: Diagnosis) -> Iterator[str]:
    """The grid nearest to where the finding began, and the last one: there is one at every measurement."""
    measured = [int(at) for at in diagnosis.history.nimg]
    if measured:
        nearest = min(measured, key=lambda at: abs(at - finding.since))
        for at in dict.fromkeys((nearest, measured[-1])):
            yield f"samples/{stem(at)}.png"


def summary(diagnosis: Diagnosis, say: Translator) -> str:
    """The result in one sentence."""
    counts = {"rules": len(RULES), "measurements": len(diagnosis.history.nimg)}
    if diagnosis.findings:
        return say("doctor.count", count=len(diagnosis.findings), **counts)
    if diagnosis.enough_data:
        return say("doctor.well", **counts)
    return say("doctor.young", measurements=counts["measurements"], least=MIN_MEASUREMENTS)


def fake_accuracy_answer(diagnosis: Diagnosis, say: Translator) -> tuple[str, str] | None:
    """(question, answer) about D's accuracy on fakes in this run; None if there is too little to judge."""
    accuracy = diagnosis.fake_accuracy
    if accuracy is None or not diagnosis.enough_data:
        return None
    reason = next((f for f in diagnosis.findings if RULES[f.rule].explains_accuracy), None)
    grad = diagnosis.history.evidence("grad/g", accuracy.start_nimg)
    if reason is not None:
        answer = say("doctor.accuracy.bad", finding=title(reason, say))
    elif accuracy.end_value >= HIGH_ACCURACY:
        alive = say("doctor.accuracy.alive", grad=figure(grad.end_value)) if grad else ""
        answer = say("doctor.accuracy.high", alive=alive)
    else:
        answer = say("doctor.accuracy.middle" if accuracy.end_value > LOW_ACCURACY else "doctor.accuracy.low")
    if diagnosis.history.only_compares:
        answer = say("doctor.accuracy.balanced", rest=answer)
    return say("doctor.accuracy.title", value=f"{accuracy.end_value:.2f}"), answer


def diagnosis_text(diagnosis: Diagnosis, say: Translator) -> str:
    """The whole diagnosis for a terminal."""
    lines = [f"{diagnosis.history.path}: {summary(diagnosis, say)}"]
    for i, item in enumerate(finding_texts(diagnosis, say), 1):
        lines += ["", f"{i}. {item.title} ({item.since}; {item.confidence})", f"   {item.cause}"]
        for heading, parts in (("evidence", item.evidence), ("picture", item.pictures), ("try", item.commands)):
            if parts:
                lines += [f"   {say(f'doctor.{heading}')}:", *(f"     {part}" for part in parts)]
        if item.page:
            lines.append(f"   {say('doctor.more')}: {item.page}")
    if answer := fake_accuracy_answer(diagnosis, say):
        lines += ["", *answer]
    return "\n".join(map(printable, lines))


def json_rows(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The findings as JSON values."""
    return [
        {"finding": f.rule, "since": f.since, "confidence": f.confidence, "evidence": [vars(e) for e in f.evidence],
         "suggestions": list(f.suggestions), **f.blanks}
        for f in diagnosis.findings
    ]  # fmt: skip
