"""A loss or gradient became NaN or infinite."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule


def find(history: RunHistory) -> Finding | None:
    """The event that stopped the training."""
    for event in history.events:
        if event.get("event") == "nan":
            what = ", ".join(map(str, event.get("what") or ())) or "?"
            since = int(event.get("nimg") or history.seen)
            shown = tuple(e for name in ("grad/d", "grad/g") if (e := history.evidence(name, since)) is not None)
            suggestions = (history.lr_flags(g=0.1, d=0.1), "--with gradient-clipping")
            return Finding(RULE.id, since, "high", shown, suggestions, {"what": what})
    return None


SENTENCES = {
    "en": {
        "title": "NaN or infinite values: {what}",
        "cause": "A loss or gradient became NaN or infinite. Training stopped; the last good checkpoint is kept. "
        "Usually the learning rate is too high for this loss, or nothing keeps D smooth.",
    },
    "ko": {
        "title": "NaN 또는 무한대 값이 나왔습니다: {what}",
        "cause": "손실이나 그래디언트가 NaN이나 무한대가 되어 학습을 멈추었습니다. 마지막 정상 체크포인트는 남아 "
        "있습니다. 대개 이 손실에 비해 학습률이 너무 높거나 D를 매끄럽게 하는 규제가 없기 때문입니다.",
    },
}

RULE = register_rule(Rule("nan", 10, find, SENTENCES))
