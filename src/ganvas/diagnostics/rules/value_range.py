"""The real images use a small part of 0 to 255: scaled twice, or saved as 0 to 1."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule
from ganvas.diagnostics.series import last

LOW_CONTRAST = 20.0
"""Standard deviation of the real images' values (of 255) below which they use only a small part of the range."""


def find(history: RunHistory) -> Finding | None:
    """The real images have almost no contrast."""
    contrast, brightness = history.curve("contrast/real"), history.curve("brightness/real")
    return RULE.finding(
        history, contrast < LOW_CONTRAST, ("contrast/real", "brightness/real"), (), confidence="high",
        brightness=f"{last(brightness):.0f}", contrast=f"{last(contrast):.0f}",
    )  # fmt: skip


SENTENCES = {
    "en": {
        "title": "The real images use only a small part of the value range",
        "cause": "Their values have a mean of {brightness} and a standard deviation of {contrast} (of 255): nearly "
        "one flat colour. They were probably saved as 0 to 1, or scaled twice. Save them as 0 to 255, and check them "
        "with ganvas data show.",
    },
    "ko": {
        "title": "진짜 이미지가 값의 범위 중 일부만 사용합니다",
        "cause": "값의 평균이 {brightness}, 표준편차가 {contrast}(255 기준)로 거의 한 가지 색입니다. 0~1로 저장했거나 "
        "두 번 정규화했을 가능성이 큽니다. 0~255로 저장하고 ganvas data show로 확인해 주세요.",
    },
}

RULE = register_rule(Rule("range", 20, find, SENTENCES, min_measurements=1))
