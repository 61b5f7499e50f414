"""Gradients or D's logits are many times larger than before, and stay so."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule

GRADIENT_GROWTH = 50.0
"""Gradient norm relative to its median over the first half of the measurements; above it the gradients explode."""
LARGE_LOGIT = 500.0
"""Absolute mean logit of D above which it is out of control, whatever the loss."""


def find(history: RunHistory) -> Finding | None:
    """Huge logits, or a gradient norm far above that of the first half of the run."""
    logit = np.maximum(np.abs(history.curve("logit/real")), np.abs(history.curve("logit/fake")))
    suggestions = ["--with r1-r2", history.lr_flags(g=0.1, d=0.1)]
    if found := RULE.finding(history, logit > LARGE_LOGIT, ("grad/d", "grad/g"), suggestions):
        return found
    for network in "dg":
        norm = history.curve(f"grad/{network}")
        early = norm[: len(norm) // 2]
        if not np.isfinite(early).any():
            continue
        explodes = norm > GRADIENT_GROWTH * np.median(early[np.isfinite(early)])
        suggestions = ["--with gradient-clipping", history.lr_flags(**{network: 0.2}), "--with r1-r2"]
        if found := RULE.finding(history, explodes, (f"grad/{network}", f"loss/{network}"), suggestions):
            return found
    return None


SENTENCES = {
    "en": {
        "title": "Exploding gradients",
        "cause": "Gradients or D’s logits are many times larger than before. D has become so steep that a small "
        "change of an image changes its output a lot: nothing limits it, or the learning rate is too high.",
    },
    "ko": {
        "title": "그래디언트 폭발",
        "cause": "그래디언트나 D의 로짓이 이전보다 몇십 배 커졌습니다. D가 너무 가팔라져 이미지가 조금만 바뀌어도 "
        "출력이 크게 달라집니다. D를 제한하는 규제가 없거나 학습률이 너무 높습니다.",
    },
}

RULE = register_rule(
    # after an explosion losses are flat and gradients 0: the weights then stand still at any learning rate
    Rule("exploding", 40, find, SENTENCES, min_measurements=2, silences=("too-slow",))
)
