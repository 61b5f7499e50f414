"""The rubric's three items and the reviewers' five questions, each with its evidence or with what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ganvas.comparison.comparison import EQUAL_BUDGET
from ganvas.comparison.tables import verdict_sentences
from ganvas.i18n import Translator
from ganvas.reports import retrospective
from ganvas.reports.retrospective import SECTIONS
from ganvas.reports.sections import rubric
from ganvas.reports.sections.rubric import Item, Status
from ganvas.runs.run import OWN
from ganvas.stats.welch import LEAST_SEEDS
from ganvas.submission import code
from ganvas.submission.material import Material

LISTED = 6
"""Names in a sentence."""


@dataclass(frozen=True)
class Question:
    """One of the reviewers' questions: what speaks for a yes, and why it is not one yet."""

    number: int
    title: str
    status: Status
    evidence: list[str]
    reasons: list[str]


def items(material: Material, say: Translator) -> list[Item]:
    """The rubric: items 1 and 2 by the run that is handed in, item 3 by the comparison."""
    images, progress, _ = rubric.items(material.main.facts, say)
    if not material.main.facts.quiz:
        images = replace(images, evidence=[*images.evidence, say("submit.take_quiz", run=material.main.folder)])
    return [images, progress, _improvements(material, say)]


def _improvements(material: Material, say: Translator) -> Item:
    """Item 3: shown by a table of before and after in which something was changed."""
    found, name = material.comparison, say("rubric.3.name")
    if found is None:
        only = material.main.facts.named_ideas
        evidence = [say("rubric.3.applied", count=len(only), names=", ".join(only))] if only else []
        reasons = [_uncompared(material, say)]
        return Item(3, name, *rubric.RUBRIC[2], "part" if only else "not", evidence, reasons)
    if not found.changes:
        return Item(3, name, *rubric.RUBRIC[2], "not", [], [say("submit.because.no_changes")])
    first, last = found.groups[0].name, found.groups[-1].name
    evidence = [
        say("submit.3.table", first=first, last=last, settings=_some(list(found.changes))),
        *verdict_sentences(found, say),
    ]
    if (fewest := min(len(group.members) for group in found.groups)) < LEAST_SEEDS:
        evidence.append(say("submit.3.few", n=fewest, least=LEAST_SEEDS))
    warnings = [say("compare.unequal", share=f"{EQUAL_BUDGET:.0%}")] if found.unequal_budgets else []
    return Item(3, name, *rubric.RUBRIC[2], "shown", [*evidence, *warnings], [])


def _uncompared(material: Material, say: Translator) -> str:
    if material.problem:
        return say("submit.because.problem", problem=material.problem)
    return say("submit.because.one_group")


def questions(material: Material, say: Translator) -> list[Question]:
    """The five questions that reviewers are asked."""
    return [
        _solved(material, say), _explained(material, say), _debugged(material, say), _retrospective(material, say),
        _style(material, say),
    ]  # fmt: skip


def _solved(material: Material, say: Translator) -> Question:
    found = items(material, say)
    by = {status: [str(item.number) for item in found if item.status == status] for status in ("shown", "eye")}
    missing = [str(item.number) for item in found if item.status in ("not", "part")]
    evidence = [say(f"submit.q1.{status}", items=", ".join(numbers)) for status, numbers in by.items() if numbers]
    reasons = [say("submit.q1.missing", items=", ".join(missing))] if missing else []
    status: Status = "eye" if not missing and by["eye"] else _judged(reasons, bool(evidence))
    return Question(1, say("point.1"), status, evidence, reasons)


def _explained(material: Material, say: Translator) -> Question:
    facts = code.look(material.code)
    if facts is None:
        return _no_code(2, material, say)
    evidence = [say("submit.q2.explained", count=len(facts.explained), of=len(facts.names))]
    reasons = [say("submit.q2.silent", names=_some(facts.silent))] if facts.silent else []
    return Question(2, say("point.2"), "eye" if not reasons else "part" if facts.explained else "not",
                    [*evidence, say("submit.person")], reasons)  # fmt: skip


def _style(material: Material, say: Translator) -> Question:
    facts = code.look(material.code)
    if facts is None:
        return _no_code(5, material, say)
    reasons = []
    if facts.long_lines:
        reasons.append(say("submit.q5.long", count=facts.long_lines, most=code.LONGEST_LINE))
    if facts.misnamed:
        reasons.append(say("submit.q5.names", names=_some(facts.misnamed)))
    if facts.repeated:
        reasons.append(say("submit.q5.repeated", names=_some(facts.repeated)))
    evidence = [say("submit.q5.looked", count=len(facts.names)), say("submit.person")]
    return Question(5, say("point.5"), "part" if reasons else "eye", evidence, reasons)


def _no_code(number: int, material: Material, say: Translator) -> Question:
    """No own code was kept: a person has to look at the notebook."""
    recipe = material.main.facts.config.recipe
    key = "submit.no_code.own" if recipe.startswith(OWN) else "submit.no_code.recipe"
    return Question(number, say(f"point.{number}"), "eye", [say(key, recipe=recipe), say("submit.person")], [])


def _debugged(material: Material, say: Translator) -> Question:
    every = [shown.facts for shown in material.shown]
    troubles = sum(len(facts.happened(kind)) for facts in every for kind in ("warning", "nan"))
    faults = sum(len(facts.diagnosis.faults) for facts in every if facts.diagnosis)
    problems = sum(bool(retrospective.written(facts.notes)["problem"]) for facts in every)
    tried = list(material.comparison.changes) if material.comparison else material.main.facts.named_ideas
    evidence = []
    if troubles or faults:
        evidence.append(say("submit.q3.recorded", events=troubles, faults=faults))
    if problems:
        evidence.append(say("submit.q3.problems"))
    if tried:
        evidence.append(say("submit.q3.tried", names=_some(tried)))
    reasons = [] if problems or tried else [say("submit.q3.missing")]
    return Question(3, say("point.3"), "not" if reasons else "shown", evidence, reasons)


def _retrospective(material: Material, say: Translator) -> Question:
    written = {
        section: any(retrospective.written(shown.facts.notes)[section] for shown in material.shown)
        for section in SECTIONS
    }
    there = [say(f"notes.{section}") for section in SECTIONS if written[section]]
    empty = [say(f"notes.{section}") for section in SECTIONS if not written[section]]
    diagram = bool(material.main.facts.networks)
    evidence = [say("submit.q4.written", names=", ".join(there))] if there else []
    evidence += [say("submit.q4.diagram")] if diagram else []
    reasons = [say("submit.q4.empty", names=", ".join(empty), run=material.main.folder)] if empty else []
    reasons += [] if diagram else [say("submit.q4.no_diagram")]
    return Question(4, say("point.4"), _judged(reasons, bool(there)), evidence, reasons)


def _judged(reasons: list[str], anything: bool) -> Status:
    return "shown" if not reasons else "part" if anything else "not"


def _some(names: list[str] | tuple[str, ...]) -> str:
    """The first few names, and that there are more."""
    return ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
