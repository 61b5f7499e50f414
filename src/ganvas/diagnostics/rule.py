"""What a doctor rule is. Each one is a file in rules/, which registers it; a user's own file can do the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ganvas import i18n
from ganvas.diagnostics.finding import Confidence, Finding
from ganvas.diagnostics.history import RunHistory

HIGH_CONFIDENCE = 0.25
"""Share of the run for which a condition must have held for a finding of high confidence."""
MIN_G_UPDATES = 150
"""G updates before which nobody has won or lost yet: D of `cifar-dcgan-recap` (batch 256) cannot separate real from
fake until then."""


@dataclass(frozen=True)
class Rule:
    """One thing that can go wrong with a run, and everything that the rest of the package needs to know of it."""

    id: str
    """Short name, such as "d-wins"."""
    order: int
    """Findings are listed from low to high: what causes other findings comes first."""
    find: Callable[[RunHistory], Finding | None]
    """The finding in a run; None if there is none or if the curves it needs were not recorded."""
    sentences: Mapping[str, Mapping[str, str]]
    """language -> "title" (what it is, in a few words) and "cause" (why it happens); with named blanks. English is
    used for a language that is missing."""
    severity: Literal["fault", "advice"] = "fault"
    min_measurements: int = 3
    """The condition must hold at this many last measurements without exception."""
    min_g_updates: int = 0
    """Measurements before this many updates of G are ignored."""
    explains_accuracy: bool = False
    """Whether this finding is the reason when D's accuracy on fakes is near 0 or 1."""
    silences: tuple[str, ...] = ()
    """Ids of rules whose findings follow from this one, or say nothing new next to it; they are left out."""
    page: str = "docs/why-gans-fail.md#{id}"
    """Where to read more; empty if nowhere."""

    def finding(
        self, history: RunHistory, holds: np.ndarray, evidence: Sequence[str], suggestions: Sequence[str],
        counted: np.ndarray | None = None, confidence: Confidence | None = None, **blanks: object,
    ) -> Finding | None:  # fmt: skip
        """The finding for a condition `holds` [k] at the measurements; None if it does not hold at the end.

        `evidence` names the curves that show it. Measurements that are not `counted` [k] are ignored. A comparison with
        NaN is false, so a curve that was not recorded never leads to a finding.
        """
        old_enough = history.g_updates >= self.min_g_updates
        counted = old_enough if counted is None else old_enough & counted
        since = history.onset(np.asarray(holds, bool), self.min_measurements, counted)
        if since is None:
            return None
        long = history.seen - since >= HIGH_CONFIDENCE * history.length
        shown = tuple(e for name in evidence if (e := history.evidence(name, since)) is not None)
        return Finding(self.id, since, confidence or ("high" if long else "medium"), shown, tuple(suggestions), blanks)


RULES: dict[str, Rule] = {}


def register_rule(rule: Rule) -> Rule:
    """Add a rule, with its sentences, to the doctor. An id that is taken raises ValueError."""
    if rule.id in RULES:
        raise ValueError(f"rule id {rule.id!r} is taken")
    for lang in i18n.languages():
        sentences = rule.sentences.get(lang, rule.sentences["en"])
        i18n.add(lang, {f"doctor.{rule.id}.{key}": sentences[key] for key in ("title", "cause")})
    RULES[rule.id] = rule
    return rule


def rules_in_order() -> list[Rule]:
    """All rules, in the order in which findings are listed."""
    return sorted(RULES.values(), key=lambda rule: rule.order)
