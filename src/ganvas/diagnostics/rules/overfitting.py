"""D scores held-out real images more like fakes than like training images."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule
from ganvas.diagnostics.series import rolling

MEMORISED = 0.5
"""How far D's logits of held-out images lie from those of training images, on the way to the fakes (ADA's r_v; Karras
et al. 2020, arXiv 2006.06676, eq. 1; the recipe `small-data` adapts to 0.5). Above it D has memorised its images."""
SEPARATED = 0.6
"""P(D(train) > D(held out)) above which the two differ by more than chance (0.5)."""
SMOOTHED_OVER = 3
"""Measurements of which the median is taken: each is of few images."""


def find(history: RunHistory) -> Finding | None:
    """Held-out images score low. Before every image was seen once, nothing can be memorised."""
    seen_again = history.nimg > history.data["n"]
    memorised = rolling(history.curve("overfit"), SMOOTHED_OVER) > MEMORISED
    separated = rolling(history.curve("auc/held_out"), SMOOTHED_OVER) > SEPARATED
    return RULE.finding(
        history,
        seen_again & memorised & separated,
        ("eval_logit/train", "eval_logit/held_out", "eval_logit/fake"),
        ["--with ada", "--with translation --with colour", "--with flip"],
    )


SENTENCES = {
    "en": {
        "title": "The discriminator has memorised the training images",
        "cause": "D gives held-out real images lower logits than training images, part of the way down to the fakes. "
        "There are too few images for a D this strong: from now on samples get worse, not better.",
    },
    "ko": {
        "title": "판별자가 학습 이미지를 외웠습니다",
        "cause": "D가 학습에 쓰지 않은 진짜 이미지에 학습 이미지보다 낮은, 가짜 쪽에 가까운 로짓을 줍니다. 이렇게 "
        "강한 D에 비해 이미지가 너무 적습니다. 이제부터 샘플은 좋아지지 않고 나빠집니다.",
    },
}

RULE = register_rule(Rule("overfitting", 150, find, SENTENCES))
