"""Each class has become a single image, although the classes differ."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule
from ganvas.diagnostics.rules.collapse import LOW_SPREAD

LOW_WITHIN = 0.55
"""`within`, absolute (real images: 1) and relative to `spread`, below which each class has become one image."""


def find(history: RunHistory) -> Finding | None:
    """Little variety within classes, more between them."""
    within, spread = history.curve("within"), history.curve("spread")
    g_weight, d_weight = history.config.loss.g_classify, history.config.discriminator.classify
    suggestions = [f"--loss.g-classify {0.1 * g_weight:.2g}"] if g_weight else []
    if d_weight and not g_weight:  # with a weight for G, D must classify
        suggestions.append("--discriminator.classify 0")
    suggestions += ["--with minibatch-std", *history.averaging_trick()]
    return RULE.finding(
        history,
        (within < LOW_WITHIN * spread) & (within < LOW_WITHIN) & (spread >= LOW_SPREAD),
        ("within", "spread"),
        suggestions,
    )


SENTENCES = {
    "en": {
        "title": "Each class has collapsed to one image",
        "cause": "The classes differ, but within a class z changes almost nothing: G is rewarded more for samples "
        "that are easy to classify than for variety.",
    },
    "ko": {
        "title": "클래스마다 이미지가 하나뿐입니다",
        "cause": "클래스끼리는 다르지만 한 클래스 안에서는 z가 바뀌어도 거의 달라지지 않습니다. G가 다양성보다 "
        "분류하기 쉬운 샘플에 더 큰 보상을 받고 있습니다.",
    },
}

RULE = register_rule(Rule("class-collapse", 110, find, SENTENCES))
