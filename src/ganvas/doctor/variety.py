"""Rules on variety: images that are all alike, classes that G or D knows nothing of."""

from __future__ import annotations

import numpy as np

from ganvas.doctor.case import Case
from ganvas.doctor.finding import Finding

ALIKE = 0.35
"""`spread` and `nearest` below which samples are variations of one picture (real images: 1)."""
RISING = 1.15
"""`spread` over what it was at 60 % of the images from which on variety is still growing: no collapse, but youth."""
GAINING = 0.93
"""`distance` over what it was at 60 % of the images, below which the pictures are still coming nearer: youth, too."""
ONE_A_CLASS = 0.55
"""`within` over `spread` below which each class has become one picture."""
CHANCE = 2.0
"""Standard errors above chance from which on D knows something of the classes."""
ENOUGH = 0.9
"""P(D(learnt) > D(made)) from which on D has learnt enough for its ignorance of classes to mean something."""
LOOKS = 4
"""Looks over which the answers about classes are put together."""


def collapse(case: Case) -> Finding | None:
    """Whatever z is, the picture is nearly the same."""
    spread, distance = case.look("spread"), case.look("distance")
    young = (spread > RISING * case.earlier(spread)) | (distance < GAINING * case.earlier(distance))
    good = (spread < ALIKE) & (case.look("nearest") < ALIKE) & ~young
    tries = [case.rates(g=0.2), "--with minibatch-std", "--with relativistic --with r1-r2"]
    return case.finding("collapse", good, ("spread", "nearest", "above/made"), tries)


def class_collapse(case: Case) -> Finding | None:
    """Each class has become a single picture, though the classes differ."""
    within, spread = case.look("within"), case.look("spread")
    good = (within < ONE_A_CLASS * spread) & (within < ONE_A_CLASS) & (spread >= ALIKE)
    weight = case.config.loss.g_classify
    tries = [f"--loss.g-classify {0.1 * weight:.2g}"] if weight else []
    return case.finding("class-collapse", good, ("within", "spread"), [*tries, "--with minibatch-std", "--with ema"])


def wrong_labels(case: Case) -> Finding | None:
    """D learns real from fake but, on images that it never saw, nothing of the classes it is told."""
    if not case.conditional:
        return None
    k = max(len(case.data.get("class_names") or ()), 2)
    count = min(64, case.config.step.batch)
    named, right = case.look("label/named"), case.look("label/right")
    told = (right, 0.5) if np.isnan(named).all() else (named, 1 / k)
    known = _mean(told[0], LOOKS) - told[1] > CHANCE * np.sqrt(told[1] * (1 - told[1]) / (LOOKS * count))
    good = ~known & np.isfinite(_mean(told[0], LOOKS)) & (_mean(case.look("above/made"), LOOKS) > ENOUGH)
    shown = ("label/right",) if np.isnan(named).all() else ("label/named", "label/right")
    return case.finding("labels", good, shown, ["--data.labels ignore"], chance=f"{told[1]:.0%}")


def _mean(values: np.ndarray, k: int) -> np.ndarray:
    """The mean of the last k values at each place; NaN before there are as many."""
    if len(values) < k:
        return np.full(len(values), np.nan)
    sums = np.convolve(values, np.ones(k), "valid") / k
    return np.concatenate([np.full(k - 1, np.nan), sums])
