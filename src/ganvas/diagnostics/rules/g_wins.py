"""The samples are far from real, and D cannot recognise them."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import MIN_G_UPDATES, Rule, register_rule

LOW_AUC = 0.6
"""P(D(real) > D(fake)) below which D can hardly separate them (chance: 0.5)."""


def find(history: RunHistory) -> Finding | None:
    """D separates real from fake badly although the difference is large."""
    separation = history.curve("auc/fake")
    if np.isnan(separation).all():  # old runs did not record it: use the accuracies
        separation = (history.real_accuracy + history.curve("acc/fake")) / 2
    return RULE.finding(
        history,
        (separation < LOW_AUC) & history.far_from_real,
        ("auc/fake", "distance", "acc/fake", "loss/d"),
        [history.lr_flags(d=10), "--with ttur", history.lr_flags(g=0.1)],
    )


SENTENCES = {
    "en": {
        "title": "The discriminator is too weak",
        "cause": "The samples are far from the real images, but D can hardly tell them apart, or rates them higher. D "
        "is too weak or learns too slowly, so G gets no useful gradient.",
    },
    "ko": {
        "title": "판별자가 너무 약합니다",
        "cause": "샘플이 진짜와 거리가 먼데도 D가 거의 구별하지 못하거나 가짜에 더 높은 점수를 줍니다. D가 너무 "
        "약하거나 느리게 학습하여 G가 쓸모 있는 그래디언트를 받지 못합니다.",
    },
}

RULE = register_rule(Rule("g-wins", 80, find, SENTENCES, min_g_updates=MIN_G_UPDATES, explains_accuracy=True))
