"""Samples are closer to training images than to held-out ones."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule
from ganvas.diagnostics.series import rolling

COPIED = 0.7
"""Share of samples closer to the training images than to as many held-out ones, above which G copies (chance: 0.5)."""
SMOOTHED_OVER = 3
"""Measurements of which the median is taken: each is of few samples."""


def find(history: RunHistory) -> Finding | None:
    """Too many samples have their nearest neighbour among the training images."""
    return RULE.finding(
        history,
        rolling(history.curve("nearest_train"), SMOOTHED_OVER) > COPIED,
        ("nearest_train", "nearest"),
        ["--with ada", "--with translation --with colour"],
    )


SENTENCES = {
    "en": {
        "title": "The generator copies training images",
        "cause": "The samples are closer to the training images than to as many held-out images. This happens when "
        "there are few images and D has memorised them.",
    },
    "ko": {
        "title": "생성자가 학습 이미지를 베끼고 있습니다",
        "cause": "샘플이 학습에 쓰지 않은 같은 수의 이미지보다 학습 이미지에 더 가깝습니다. 이미지가 적어 D가 그것을 "
        "외웠을 때 이렇게 됩니다.",
    },
}

RULE = register_rule(Rule("copying", 160, find, SENTENCES))
