"""G and D oscillate: D's accuracy on fakes runs from one end to the other and back, and the samples with it."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule
from ganvas.diagnostics.series import column

LOW_ACCURACY, HIGH_ACCURACY = 0.3, 0.7
"""Accuracies on fakes below which G fools D, and above which D recognises the fakes."""
MIN_SWINGS = 3
"""Swings within the last third of a run that are no coincidence."""
LARGE_CHANGE = 0.25
"""`sample_change` above which the same latents give another image at every measurement."""
SETTLING = 0.75
"""`sample_change` relative to that at 60 % of the images; below it samples settle (`quick` early on: 0.4 to 0.8)."""


def find(history: RunHistory) -> Finding | None:
    """Several swings late in the run, and samples that keep changing."""
    nimg, accuracy = column(history.rows, "acc/fake")
    swung = nimg[swings(accuracy)]
    late = swung[swung > history.seen - history.length / 3]
    change = history.curve("sample_change")
    restless = (change > LARGE_CHANGE) & (change > SETTLING * history.earlier(change))
    if len(late) < MIN_SWINGS or not len(restless) or not restless[-2:].all():
        return None
    return RULE.finding(
        history,
        history.nimg >= int(swung[0]),
        ("acc/fake", "sample_change", "loss/g"),
        [history.lr_flags(g=0.2, d=0.2), *history.averaging_trick(), *history.smoothing_tricks()],
        turns=len(swung),
    )


def swings(accuracy: np.ndarray) -> np.ndarray:
    """Indices at which the accuracy reaches one end after it was at the other."""
    ends = np.flatnonzero((accuracy < LOW_ACCURACY) | (accuracy > HIGH_ACCURACY))
    high = accuracy[ends] > HIGH_ACCURACY
    swung: np.ndarray = ends[1:][high[1:] != high[:-1]]
    return swung


SENTENCES = {
    "en": {
        "title": "G and D oscillate",
        "cause": "D’s accuracy on fakes swung from one end to the other {turns} times: G switches to images that D "
        "does not recognise yet, D catches up, and G switches again. The learning rates or the momentum are too high, "
        "or nothing keeps D smooth.",
    },
    "ko": {
        "title": "G와 D가 진동하며 나아지지 않습니다",
        "cause": "가짜에 대한 D의 정확도가 한쪽 끝에서 다른 쪽 끝까지 {turns}번 오갔습니다. G는 D가 아직 구별하지 "
        "못하는 이미지로 옮겨 가고, D가 따라오면 다시 옮겨 갑니다. 학습률이나 모멘텀이 너무 크거나, D를 매끄럽게 하는 "
        "규제가 없습니다.",
    },
}

RULE = register_rule(Rule("swings", 60, find, SENTENCES, min_measurements=2, explains_accuracy=True))
