"""The weights hardly change, although no schedule has lowered the learning rate."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule

SMALL_UPDATE = 1e-4
"""`update_ratio` (norm of an update / norm of the weights) below which a network hardly changes."""
NOT_DONE = 0.3
"""`distance` above which there is still something to learn."""


def find(history: RunHistory) -> Finding | None:
    """The updates of G or D are tiny while the samples could still improve."""
    for network in "gd":
        small = history.curve(f"update_ratio/{network}") < SMALL_UPDATE * history.lr_share(network)
        found = RULE.finding(
            history,
            small & (history.curve("distance") > NOT_DONE),
            (f"update_ratio/{network}", "distance"),
            [history.lr_flags(**{network: 30}), history.lr_flags(g=30, d=30)],
            counted=history.full_rate(network),
            player=network.upper(),
        )
        if found is not None:
            return found
    return None


SENTENCES = {
    "en": {
        "title": "{player} hardly changes: its learning rate is too low",
        "cause": "An update changes the weights by less than 0.01 % of their norm. At this rate nothing will be "
        "learned within the run.",
    },
    "ko": {
        "title": "{player}가 거의 변하지 않습니다: 학습률이 너무 낮습니다",
        "cause": "업데이트 한 번에 가중치가 그 크기의 0.01%도 바뀌지 않습니다. 이대로는 끝까지 학습해도 배우는 것이 "
        "없습니다.",
    },
}

RULE = register_rule(Rule("too-slow", 90, find, SENTENCES))
