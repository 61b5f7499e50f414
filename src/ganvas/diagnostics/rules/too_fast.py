"""Each update moves G so far that it undoes what earlier ones learned."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import FAR_FROM_REAL, RunHistory
from ganvas.diagnostics.rule import Rule, register_rule

LARGE_UPDATE = 0.03
"""`update_ratio` of G (norm of an update / norm of the weights) above which each update undoes the last ones."""
NO_PROGRESS = 0.8
"""`distance` relative to that at 60 % of the images; above it the samples have hardly come closer."""


def find(history: RunHistory) -> Finding | None:
    """G's updates are large while its samples stay far from the real images."""
    distance = history.curve("distance")
    stays_far = (distance > FAR_FROM_REAL) & (distance > NO_PROGRESS * history.earlier(distance))
    return RULE.finding(
        history,
        (history.curve("update_ratio/g") > LARGE_UPDATE * history.lr_share("g")) & stays_far,
        ("update_ratio/g", "sample_change", "distance"),
        [history.lr_flags(g=0.1, d=0.1), "--with gradient-clipping"],
        counted=history.full_rate("g"),
    )


SENTENCES = {
    "en": {
        "title": "The learning rate is too high",
        "cause": "Each update changes G’s weights so much that it undoes what earlier updates learned, and the "
        "samples do not get closer to the real images.",
    },
    "ko": {
        "title": "학습률이 너무 높습니다",
        "cause": "업데이트마다 G의 가중치가 너무 크게 바뀌어 앞서 배운 것을 잃고, 샘플이 진짜에 가까워지지 않습니다.",
    },
}

RULE = register_rule(Rule("too-fast", 50, find, SENTENCES))
