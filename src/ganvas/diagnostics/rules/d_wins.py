"""D classifies nearly every image correctly, and the samples no longer improve."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import MIN_G_UPDATES, Rule, register_rule
from ganvas.diagnostics.series import rolling

HIGH_ACCURACY = 0.93
"""Accuracy of D, on real and on fake images, from which on its loss has little gradient left."""
SMOOTHED_OVER = 3
"""Measurements of whose accuracies the median is taken: without regularisation D's accuracy drops now and then."""
LOGIT_GAP = 10.0
"""Mean logit of real images minus that of fakes, above which D is certain of its answers (healthy runs: below 8)."""
NO_PROGRESS = 0.93
"""`distance` relative to that at 60 % of the images; above it the samples no longer come closer."""
UNSCALED = ("wasserstein",)
"""Losses whose logits have no fixed scale, so that their gap says nothing."""


def find(history: RunHistory) -> Finding | None:
    """High accuracies while the samples are far from real; and no progress, or logits far apart."""
    distance = history.curve("distance")
    accuracy = np.minimum(history.real_accuracy, history.curve("acc/fake"))
    stuck = distance > NO_PROGRESS * history.earlier(distance)
    if history.config.loss.name not in UNSCALED:
        stuck |= history.curve("logit/real") - history.curve("logit/fake") > LOGIT_GAP
    return RULE.finding(
        history,
        (rolling(accuracy, SMOOTHED_OVER) >= HIGH_ACCURACY) & history.far_from_real & stuck,
        ("acc/fake", "distance", "eval_logit/fake", "loss/g"),
        [history.lr_flags(d=0.1), *history.smoothing_tricks(), *history.averaging_trick()],
    )


SENTENCES = {
    "en": {
        "title": "The discriminator is too strong",
        "cause": "D classifies nearly every image correctly while the samples are far from the real images. Its "
        "gradient no longer shows G a useful direction. D learns too fast for G, or nothing keeps D smooth.",
    },
    "ko": {
        "title": "판별자가 너무 강합니다",
        "cause": "샘플이 진짜와 거리가 먼데 D가 거의 모든 이미지를 맞힙니다. D의 그래디언트가 더는 G에게 쓸모 있는 "
        "방향을 주지 못합니다. D가 G보다 너무 빨리 학습하거나 D를 매끄럽게 하는 규제가 없습니다.",
    },
}

RULE = register_rule(
    Rule("d-wins", 70, find, SENTENCES, min_measurements=2, min_g_updates=MIN_G_UPDATES, explains_accuracy=True)
)
