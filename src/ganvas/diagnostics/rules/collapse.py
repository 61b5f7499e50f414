"""Mode collapse: the image is nearly the same for every z."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import MIN_G_UPDATES, Rule, register_rule
from ganvas.diagnostics.series import rolling

LOW_SPREAD = 0.35
"""`spread` and `nearest` below which samples are variations of one image (real images: 1)."""
GROWING = 1.15
"""`spread` relative to that at 60 % of the images; above it variety still grows, as it does early in training."""
SMOOTHED_OVER = 3
"""Measurements of whose spread the median is taken: samples that jump from one image to another are not growing."""


def find(history: RunHistory) -> Finding | None:
    """Samples close to each other, with a variety that does not grow."""
    spread = rolling(history.curve("spread"), SMOOTHED_OVER)
    not_growing = spread <= GROWING * history.earlier(spread)
    alike = (history.curve("spread") < LOW_SPREAD) & (history.curve("nearest") < LOW_SPREAD)
    return RULE.finding(
        history,
        alike & not_growing,
        ("spread", "nearest", "auc/fake"),
        [history.lr_flags(g=0.2), "--with minibatch-std", "--with relativistic --with r1-r2"],
    )


SENTENCES = {
    "en": {
        "title": "Mode collapse: all samples look alike",
        "cause": "The image is nearly the same for every z. G has found an image that D accepts and makes only that; "
        "once D learns to reject it, G moves to the next one.",
    },
    "ko": {
        "title": "모드 붕괴: 샘플이 모두 비슷합니다",
        "cause": "z가 무엇이든 이미지가 거의 같습니다. G가 D를 통과하는 이미지 하나를 찾아 그것만 생성합니다. D가 "
        "그것을 거부하게 되면 G는 다음 이미지로 옮겨 갑니다.",
    },
}

RULE = register_rule(Rule("collapse", 100, find, SENTENCES, min_g_updates=MIN_G_UPDATES))
