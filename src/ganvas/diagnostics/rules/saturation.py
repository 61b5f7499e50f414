"""Much of each sample is pure black, white or full colour, unlike the real images."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule

SATURATED = 0.2
"""Share of saturated values, beyond that of the real images, that is more than a matter of style."""
BETWEEN = 0.5
"""Share of unsaturated values relative to that of the real images, for real images that are mostly saturated."""


def find(history: RunHistory) -> Finding | None:
    """Many more saturated values than in the real images."""
    fake, real = history.curve("saturated/fake"), history.curve("saturated/real")
    return RULE.finding(
        history,
        (fake > real + SATURATED) | (1 - fake < BETWEEN * (1 - real)),
        ("saturated/fake", "saturated/real", "contrast/fake"),
        [history.lr_flags(g=0.2), history.lr_flags(d=4), *history.averaging_trick()],
    )


SENTENCES = {
    "en": {
        "title": "Saturated samples",
        "cause": "Much of each sample is pure black, white or full colour, unlike the real images. There tanh is flat "
        "and passes almost no gradient, so G hardly recovers. Updates were too large, or D kept rewarding more "
        "contrast.",
    },
    "ko": {
        "title": "샘플이 포화되었습니다",
        "cause": "진짜와 달리 샘플의 많은 부분이 완전한 검정, 흰색, 원색입니다. 그곳에서는 tanh가 평평하여 "
        "그래디언트가 거의 흐르지 않으므로 G가 회복하기 어렵습니다. 업데이트가 너무 컸거나 D가 더 강한 대비에 계속 "
        "높은 점수를 준 결과입니다.",
    },
}

RULE = register_rule(Rule("saturation", 130, find, SENTENCES))
