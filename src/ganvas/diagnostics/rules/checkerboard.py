"""A pattern with the period of G's strides lies over every sample, and stays."""

from __future__ import annotations

import shlex

import numpy as np

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import MIN_G_UPDATES, Rule, register_rule
from ganvas.diagnostics.series import rolling

STRONG_GRID = 5.0
"""Power at the stride frequencies over that around them, relative to the real images (among 1,024 real images: 1.0 to
1.3; among 64: up to 2.4)."""
VISIBLE_DEPTH = 0.06
"""Depth of the pattern relative to the samples' standard deviation, from which on it is seen without looking for it."""
SMOOTHED_OVER = 4
"""Measurements of which the median is taken: samples have such a pattern early in training and lose it."""


def find(history: RunHistory) -> Finding | None:
    """The stride frequencies stand out, and the pattern is deep enough to be seen."""
    real = history.curve("grid/real")
    ratio = history.curve("grid/fake") / np.where(real > 0, real, np.nan)  # images of one colour have no grid
    strong = rolling(ratio, SMOOTHED_OVER) > STRONG_GRID
    visible = rolling(history.curve("grid/depth"), SMOOTHED_OVER) > VISIBLE_DEPTH
    config = history.config
    other = [] if config.recipe == "quick" else [f"ganvas train quick --data {shlex.quote(config.data.name)}"]
    return RULE.finding(
        history, strong & visible, ("grid/depth", "grid/fake", "grid/real"), [*other, "--with r1-r2"]
    )  # fmt: skip


SENTENCES = {
    "en": {
        "title": "Checkerboard pattern in the samples",
        "cause": "The samples have a pattern with the period of G’s strides. Transposed convolutions whose kernel "
        "size is not a multiple of the stride write to some pixels more often than to others; a D that pays little "
        "attention to fine detail does not correct it.",
    },
    "ko": {
        "title": "샘플에 격자무늬가 있습니다",
        "cause": "샘플에 G의 stride와 같은 주기의 무늬가 있습니다. 커널 크기가 stride의 배수가 아닌 전치 합성곱은 "
        "어떤 픽셀을 다른 픽셀보다 더 자주 칠합니다. D가 미세한 부분을 잘 보지 않으면 이 무늬가 남습니다.",
    },
}

RULE = register_rule(Rule("checkerboard", 140, find, SENTENCES, min_g_updates=MIN_G_UPDATES))
