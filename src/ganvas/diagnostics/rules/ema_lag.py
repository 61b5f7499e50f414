"""Samples come from a moving average of G that still contains its first steps."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule

LAG = 1.5
"""`distance` of the averaged generator's samples relative to that of the current generator's."""
MIN_DIFFERENCE = 0.1
"""The same as a difference: close to the real images a ratio alone is noise."""


def find(history: RunHistory) -> Finding | None:
    """The average is much farther from the real images than the current weights."""
    current, averaged = history.curve("distance/raw"), history.curve("distance")
    return RULE.finding(
        history,
        (averaged > LAG * current) & (averaged > current + MIN_DIFFERENCE),
        ("distance", "distance/raw"),
        ["--step.ema-warmup 0.1", "--step.ema-kimg 5"],
    )


SENTENCES = {
    "en": {
        "title": "The moving average lags behind",
        "cause": "Samples come from a moving average of G’s weights. Its half-life is so long that it still contains "
        "the first, untrained steps; the current generator is better.",
    },
    "ko": {
        "title": "이동평균이 뒤처져 있습니다",
        "cause": "샘플은 G 가중치의 이동평균으로 생성합니다. 반감기가 너무 길어 학습 초기의 가중치가 아직 섞여 "
        "있습니다. 현재의 생성자가 더 낫습니다.",
    },
}

RULE = register_rule(Rule("ema-lag", 170, find, SENTENCES))
