"""Batch normalisation over very few images."""

from __future__ import annotations

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import Rule, register_rule

MIN_IMAGES = 8
"""Images over which batch normalisation averages; with fewer its averages are mostly noise."""


def find(history: RunHistory) -> Finding | None:
    """The config says so: no curve is needed."""
    config = history.config
    images = config.step.batch // config.step.accumulate
    batch_norm = config.generator.norm == "batch" or any(config.discriminator.norms)
    if not batch_norm or images >= MIN_IMAGES or config.generator.family == "r3":
        return None
    suggestions = (f"--step.batch {max(32, config.step.batch)} --step.accumulate 1", "--generator.norm none")
    return Finding(RULE.id, 0, "high", (), suggestions, {"images": images})


SENTENCES = {
    "en": {
        "title": "Batch normalisation over only {images} images",
        "cause": "Batch normalisation averages over the images of a batch. With so few images the averages are mostly "
        "noise, and they differ from the running averages used for sampling: colours jump, and samples look different "
        "from the images D was trained on.",
    },
    "ko": {
        "title": "배치 정규화가 이미지 {images}장만으로 계산됩니다",
        "cause": "배치 정규화는 배치에 든 이미지로 평균을 구합니다. 이미지가 이렇게 적으면 그 값이 대부분 잡음이고, "
        "샘플을 생성할 때 쓰는 이동평균과도 다릅니다. 그래서 색이 튀고, 샘플이 학습 중에 D가 본 이미지와 달라집니다.",
    },
}

RULE = register_rule(Rule("tiny-batch", 30, find, SENTENCES))
