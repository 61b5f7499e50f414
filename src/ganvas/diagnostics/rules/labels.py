"""D separates real from fake but, on held-out images, knows nothing of the classes."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.diagnostics.rule import MIN_G_UPDATES, Rule, register_rule
from ganvas.diagnostics.series import expanding, rolling

STANDARD_ERRORS = 2.0
"""Standard errors above chance from which on D knows something of the classes."""
MIN_AUC = 0.65
"""P(D(real) > D(fake)) above which D has learned enough for its not knowing the classes to mean something."""
POOLED = 4
"""Measurements whose predictions are pooled, if D predicts a class."""
DRAFTED, DRAFTED_POOLED = 20_000, 8
"""Images from which on, and measurements over which, a D is asked whose G starts from eigenimages: it is told from real
by its grain before D needs to know a class (CIFAR-10: D's predictions left chance between 8,000 and 18,000 images)."""
POOLED_PREFERENCE = 8
"""Measurements from which on all preferences so far are pooled, if D only scores image and class together. A preference
says less than a prediction, and fades as G learns the classes: a projection learns log p(y | x) / q(y | x) (Miyato &
Koyama 2018, arXiv 1802.05637, section 3)."""


def find(history: RunHistory) -> Finding | None:
    """Accuracy on held-out classes at chance, while D is good at real against fake."""
    if history.config.data.labels != "use":
        return None
    classes = max(len(history.data.get("class_names") or ()), 2)
    predicts = bool(np.isfinite(history.curve("label/accuracy")).any())
    shown = ("label/accuracy", "label/auc") if predicts else ("label/auc",)
    chance, pooled = (1 / classes, POOLED) if predicts else (0.5, POOLED_PREFERENCE)
    drafted = history.config.generator.eigenimages > 0
    pooled = max(pooled, DRAFTED_POOLED) if drafted else pooled
    pool = rolling if predicts else expanding
    correct = pool(history.curve(shown[0]), pooled, np.mean)
    n_asked, n_rated = history.curve("label/n"), history.curve("n_rated")  # old runs recorded only the latter
    answers = pool(np.where(np.isfinite(n_asked), n_asked, n_rated), pooled, np.sum)
    error = np.sqrt(chance * (1 - chance) / answers)
    separates = rolling(history.curve("auc/fake"), pooled, np.mean) > MIN_AUC
    return RULE.finding(
        history,
        (correct <= chance + STANDARD_ERRORS * error) & separates & (history.nimg >= (DRAFTED if drafted else 0)),
        shown,
        ["--data.labels ignore"],
        chance=f"{chance:.0%}",
    )


SENTENCES = {
    "en": {
        "title": "The labels do not seem to match the images",
        "cause": "D separates real from fake well, but on held-out real images it recognises the class no better than "
        "chance ({chance}). The labels may be in a different order than the images, shuffled, or about something that "
        "cannot be seen. Check them with ganvas data show.",
    },
    "ko": {
        "title": "레이블이 이미지와 맞지 않는 것 같습니다",
        "cause": "D는 진짜와 가짜를 잘 구별하지만, 학습에 쓰지 않은 진짜 이미지의 클래스는 우연({chance})보다 잘 "
        "알아보지 못합니다. 레이블의 순서가 이미지와 다르거나, 섞였거나, 눈에 보이지 않는 것을 가리킬 수 있습니다. "
        "ganvas data show로 확인해 주세요.",
    },
}

RULE = register_rule(Rule("labels", 120, find, SENTENCES, min_measurements=2, min_g_updates=MIN_G_UPDATES))
