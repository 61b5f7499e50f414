"""Findings in the words of a language, with commands that fit the run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ganvas.config import Config, diff, override, tricks
from ganvas.config.tricks import TRICKS
from ganvas.diagnostics import LOOKS, RULES, Diagnosis
from ganvas.diagnostics.finding import Evidence, Finding
from ganvas.errors import GanvasError
from ganvas.i18n import Translator, figure
from ganvas.runs.run import stem

PAGE = "docs/why-gans-fail.md"
OURS = ("data.", "generator.", "discriminator.", "augment.", "loss.", "penalty.", "g_optim.", "d_optim.", "step.")
"""Settings that a command must repeat to train the same thing again."""
HIGH, LOW = 0.9, 0.35
"""D's accuracy on fakes above and below which the answer about it is another one."""


@dataclass(frozen=True)
class Told:
    """A finding as a person reads it."""

    name: str
    title: str
    since: str
    sure: str
    cause: str
    evidence: tuple[str, ...]
    pictures: tuple[str, ...]
    """Sample grids at its beginning and its end, within the run."""
    commands: tuple[str, ...]
    page: str


def told(diagnosis: Diagnosis, say: Translator) -> list[Told]:
    """Every finding in words."""
    return [_told(finding, diagnosis, say) for finding in diagnosis.findings]


def _told(finding: Finding, diagnosis: Diagnosis, say: Translator) -> Told:
    key = f"doctor.{finding.name}"
    return Told(
        finding.name,
        title(finding, say),
        say("doctor.since", since=f"{finding.since:,}"),
        say(f"doctor.sure.{finding.sure}"),
        say(f"{key}.cause", **finding.blanks),
        tuple(_shown(e, say) for e in finding.evidence),
        tuple(_pictures(finding, diagnosis)),
        tuple(commands(finding, diagnosis, say)),
        f"{PAGE}#{finding.name}",
    )


def title(finding: Finding, say: Translator) -> str:
    """What it is, in a few words."""
    return say(f"doctor.{finding.name}.title", **finding.blanks)


def _shown(e: Evidence, say: Translator) -> str:
    return say(
        "doctor.curve", name=say(f"doctor.curve.{e.series}"), begin=f"{e.begin:,}", end=f"{e.end:,}",
        first=figure(e.first), last=figure(e.last),
    )  # fmt: skip


def _pictures(finding: Finding, diagnosis: Diagnosis) -> Iterable[str]:
    """The grids next to where it set in and where the run stands: there is one at every look."""
    there = [int(at) for at in diagnosis.case.nimg]
    if there:
        nearest = min(there, key=lambda at: abs(at - finding.since))
        for at in dict.fromkeys((nearest, there[-1])):
            yield f"samples/{stem(at)}.png"


def commands(finding: Finding, diagnosis: Diagnosis, say: Translator) -> Iterable[str]:
    """What to type: each try that this run's config admits and does not have yet, put over its own settings."""
    case = diagnosis.case
    if finding.name == "too-little":
        yield say("doctor.resume", run=shlex.quote(str(case.path)), minutes=f"{_minutes(diagnosis):g}")
    for words in finding.tries:
        if words.startswith("ganvas "):
            yield words
        elif (changed := put_on(case.config, words)) is not None:
            parts = shlex.split(words)
            rest = [flag for flag in _flags(case.recipe or Config(), changed) if flag[0] not in parts]
            kept = [("--with", name) for name in case.config.tricks if name in TRICKS]
            yield shlex.join(["ganvas", "train", changed.recipe, *parts, *(w for flag in (*kept, *rest) for w in flag)])


def put_on(config: Config, words: str) -> Config | None:
    """The config that flags of `ganvas train` make of this one; None where that is refused, or changes nothing."""
    parts = shlex.split(words)
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    settings = {flag.removeprefix("--").replace("-", "_"): value for flag, value in pairs if flag != "--with"}
    try:
        changed = tricks.apply(config, [value for flag, value in pairs if flag == "--with"])
        changed = override(changed, {name: _value(changed, name, value) for name, value in settings.items()})
    except GanvasError:
        return None
    return changed if any(name != "tricks" for name in diff(config, changed)) else None


def _value(config: Config, name: str, text: str) -> Any:
    part, _, field = name.partition(".")
    now = getattr(getattr(config, part), field)
    return type(now)(text) if isinstance(now, (int, float)) and not isinstance(now, bool) else text


def _flags(recipe: Config, config: Config) -> Iterable[tuple[str, ...]]:
    """The settings, as a flag with its values each, in which a config differs from its recipe with its tricks on."""
    known = [name for name in config.tricks if name in TRICKS]
    for name, (_, new) in diff(tricks.apply(recipe, known), config).items():
        flag = f"--{name.replace('_', '-')}"
        if name == "data.labels" and new == "use":
            continue  # what the recipe makes of data that have classes
        if name == "data.name":
            yield "--data", str(new)
        elif name.startswith(OURS) and isinstance(new, bool):
            yield (flag if new else flag.replace(".", ".no-"),)
        elif name.startswith(OURS) and new is not None:
            values = new if isinstance(new, (list, tuple)) else (new,)
            yield flag, *(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _minutes(diagnosis: Diagnosis) -> float:
    """As long again as it has been trained, in whole minutes."""
    seconds = max((row.get("sec") or 0.0 for row in diagnosis.case.rows[-3:]), default=0.0)
    return max(round(seconds / 60), 1)


def head(diagnosis: Diagnosis, say: Translator) -> str:
    """How it stands, in a sentence."""
    blanks = {"rules": len(RULES), "looks": len(diagnosis.case.nimg), "count": len(diagnosis.findings), "least": LOOKS}
    if diagnosis.findings:
        return say("doctor.count", **blanks)
    return say("doctor.well" if diagnosis.judged else "doctor.young", **blanks)


def accuracy(diagnosis: Diagnosis, say: Translator) -> tuple[str, str] | None:
    """(question, answer) about D's accuracy on fakes in this run; None where there is too little to see."""
    found = diagnosis.accuracy
    if found is None or not diagnosis.judged:
        return None
    blame = next((f for f in diagnosis.findings if f.name in ("d-wins", "g-wins", "swings")), None)
    grad = diagnosis.case.told("grad/g", found.begin)
    if blame is not None:
        answer = say("doctor.accuracy.bad", finding=title(blame, say))
    elif found.last >= HIGH:
        alive = say("doctor.accuracy.alive", grad=figure(grad.last)) if grad else ""
        answer = say("doctor.accuracy.high", alive=alive)
    else:
        answer = say("doctor.accuracy.middle" if found.last > LOW else "doctor.accuracy.low")
    if diagnosis.case.config.loss.name in ("wasserstein", "relativistic"):
        answer = say("doctor.accuracy.balanced", rest=answer)
    return say("doctor.accuracy.title", value=f"{found.last:.2f}"), answer


def text(diagnosis: Diagnosis, say: Translator) -> str:
    """The whole diagnosis for a terminal."""
    lines = [f"{diagnosis.case.path}: {head(diagnosis, say)}"]
    for i, item in enumerate(told(diagnosis, say), 1):
        lines += ["", f"{i}. {item.title} ({item.since}; {item.sure})", f"   {item.cause}"]
        for heading, parts in (("evidence", item.evidence), ("picture", item.pictures), ("try", item.commands)):
            if parts:
                lines += [f"   {say(f'doctor.{heading}')}:", *(f"     {part}" for part in parts)]
        lines.append(f"   {say('doctor.more')}: {item.page}")
    if answered := accuracy(diagnosis, say):
        lines += ["", *answered]
    return "\n".join(lines)


def rows(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The findings as JSON values."""
    return [
        {"finding": f.name, "since": f.since, "sure": f.sure, "evidence": [vars(e) for e in f.evidence],
         "tries": list(f.tries), **f.blanks}
        for f in diagnosis.findings
    ]  # fmt: skip
