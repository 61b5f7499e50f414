"""The run ended while its samples were still improving."""

from __future__ import annotations

import shlex

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule

STILL_IMPROVING = 0.9
"""`distance` relative to that at 60 % of the images; below it the samples were still coming closer at the end."""
LARGE_ENOUGH = 0.05
"""`distance` below which the samples are as close as it can tell."""
MIN_MEASUREMENTS = 5
"""With fewer the run has hardly begun."""


def find(history: RunHistory) -> Finding | None:
    """The distance was still falling when the run stopped."""
    distance = history.curve("distance")
    if history.state not in ("finish", "stop") or len(distance) < MIN_MEASUREMENTS:
        return None
    improving = (distance < STILL_IMPROVING * history.earlier(distance)) & (distance > LARGE_ENOUGH)
    return RULE.finding(history, improving, ("distance", "texture"), [resume(history)])


def resume(history: RunHistory) -> str:
    """The command that trains as long again, in whole minutes."""
    seconds = max((row.get("sec") or 0.0 for row in history.rows[-3:]), default=0.0)
    return f"ganvas resume {shlex.quote(str(history.path))} --minutes {max(round(seconds / 60), 1):g}"


SENTENCES = {
    "en": {
        "title": "Still improving: train longer",
        "cause": "Not a fault: when the run ended, its samples were still getting closer to the real images.",
    },
    "ko": {
        "title": "아직 좋아지고 있습니다: 더 학습해 보세요",
        "cause": "이상은 아닙니다. 학습이 끝날 때 샘플이 아직 진짜에 가까워지고 있었습니다.",
    },
}

RULE = register_rule(Rule("too-little", 180, find, SENTENCES, severity="advice", min_measurements=2))
