"""Rules on variety: images that are all alike, classes that G or D knows nothing of."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.case import Case, recent, so_far
from ganvas.diagnostics.finding import Finding

ALIKE = 0.35
"""`spread` and `nearest` below which samples are variations of one picture (real images: 1)."""
RISING = 1.15
"""`spread` over what it was at 60 % of the images from which on variety is still growing: no collapse, but youth."""
STEADY = 3
"""Looks over whose median that is judged: samples that jump from one picture to the next are not on their way."""
ONE_A_CLASS = 0.55
"""`within` over `spread` below which each class has become one picture."""
CHANCE = 2.0
"""Standard errors above chance from which on D knows something of the classes."""
ENOUGH = 0.65
"""P(D(learnt) > D(made)) from which on D has learnt enough for its ignorance of classes to mean something."""
NAMED = 4
"""Looks over which the names that D gives are put together."""
PREFERRED = 8
"""Looks from which on what D preferred at all of them is put together. It says less than a name, and fades as G learns
the classes: a projection learns log p(y | x) / q(y | x) (Miyato & Koyama 2018, arXiv 1802.05637, section 3)."""


def collapse(case: Case) -> Finding | None:
    """Whatever z is, the picture is nearly the same."""
    spread = recent(case.look("spread"), STEADY)
    settled = spread <= RISING * case.earlier(spread)
    good = (case.look("spread") < ALIKE) & (case.look("nearest") < ALIKE) & settled
    tries = [case.rates(g=0.2), "--with minibatch-std", "--with relativistic --with r1-r2"]
    return case.finding("collapse", good, ("spread", "nearest", "auc/fake"), tries, among=case.grown)


def class_collapse(case: Case) -> Finding | None:
    """Each class has become a single picture, though the classes differ."""
    within, spread = case.look("within"), case.look("spread")
    good = (within < ONE_A_CLASS * spread) & (within < ONE_A_CLASS) & (spread >= ALIKE)
    weight, naming = case.config.loss.g_classify, case.config.discriminator.classify
    tries = [f"--loss.g-classify {0.1 * weight:.2g}"] if weight else []
    tries += ["--discriminator.classify 0"] if naming and not weight else []  # G would ask for what D does not name
    tries += ["--with minibatch-std", *([] if case.config.step.ema_kimg else ["--with ema"])]
    return case.finding("class-collapse", good, ("within", "spread"), tries)


def wrong_labels(case: Case) -> Finding | None:
    """D learns real from fake but, on images that it never saw, nothing of the classes it is told."""
    if not case.conditional:
        return None
    k = max(len(case.data.get("class_names") or ()), 2)
    names_them = bool(np.isfinite(case.look("label/accuracy")).any())
    shown, chance = (("label/accuracy", "label/auc"), 1 / k) if names_them else (("label/auc",), 0.5)
    least = NAMED if names_them else PREFERRED
    together = recent if names_them else so_far
    right = together(case.look(shown[0]), least, np.mean)
    asked, judged = case.look("label/n"), case.look("n_rated")  # runs of old asked as many as they judged
    answers = together(np.where(np.isfinite(asked), asked, judged), least, np.sum)
    error = np.sqrt(chance * (1 - chance) / answers)
    good = (right <= chance + CHANCE * error) & (recent(case.look("auc/fake"), least, np.mean) > ENOUGH)
    return case.finding(
        "labels", good, shown, ["--data.labels ignore"], least=2, among=case.grown, chance=f"{chance:.0%}"
    )
