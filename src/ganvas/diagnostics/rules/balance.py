"""Rules on the contest: one player wins, nobody does, or it goes round in circles."""

from __future__ import annotations

import numpy as np

from ganvas.diagnostics.case import Case, column, recent
from ganvas.diagnostics.finding import Finding

PERFECT = 0.93
"""Accuracy of D, on real and on fake images, from which it has little left to learn from them."""
CERTAIN = 10.0
"""Mean logit of real images over that of fakes from which on D's answers are beyond doubt (healthy runs: below 8)."""
STEADY = 3
"""Looks over whose median that is judged: a D without restraint has lapses."""
STALLED = 0.93
"""`distance` over what it was at 60 % of the images: above it the pictures no longer come nearer."""
FAR = 0.5
"""`distance` above which pictures are far from the real ones: colours or layout are wrong."""
BLIND = 0.6
"""P(D(learnt) > D(made)) below which D can hardly tell them apart."""
SWING = (0.3, 0.7)
"""Accuracies between which D and G take turns in losing everything."""
TURNS = 3
"""Swings within the last third of a run that are no accident."""
RESTLESS = 0.25
"""`moved` above which the same latents give another picture at every look."""
CALMING = 0.75
"""`moved` over what it was at 60 % of the images: below it they come to rest (`quick` early on: 0.4 to 0.8)."""


def discriminator_wins(case: Case) -> Finding | None:
    """D is right about nearly every image, and certain of it, or the pictures do not get better."""
    distance = case.look("distance")
    perfect = recent(np.minimum(_sure_of_real(case), case.look("acc/fake")), STEADY) >= PERFECT
    stuck = distance > STALLED * case.earlier(distance)
    if case.config.loss.name != "wasserstein":  # whose logits have no scale
        stuck |= case.look("logit/real") - case.look("logit/fake") > CERTAIN
    good = perfect & (distance > FAR) & stuck
    tries = [case.rates(d=0.1), *_smoother(case), "--with ema"]
    shown = ("acc/fake", "distance", "eval_logit/fake", "loss/g")
    return case.finding("d-wins", good, shown, tries, least=2, among=case.grown)


def discriminator_blind(case: Case) -> Finding | None:
    """Pictures are far from real ones, and D cannot tell."""
    told = case.look("auc/fake")
    if np.isnan(told).all():  # a run without vital signs: the accuracies have to do
        told = (_sure_of_real(case) + case.look("acc/fake")) / 2
    good = (told < BLIND) & (case.look("distance") > FAR)
    tries = [case.rates(d=10), "--with ttur", case.rates(g=0.1)]
    return case.finding("g-wins", good, ("auc/fake", "distance", "acc/fake", "loss/d"), tries, among=case.grown)


def swings(case: Case) -> Finding | None:
    """D's accuracy on fakes runs from nearly none to nearly all and back, and the pictures with it."""
    nimg, accuracy = column(case.rows, "acc/fake")
    turned = turns(accuracy)
    late = nimg[turned][nimg[turned] > case.seen - case.length / 3] if len(turned) else nimg[:0]
    moved = case.look("sample_change")
    restless = (moved > RESTLESS) & (moved > CALMING * case.earlier(moved))
    if len(late) < TURNS or not len(restless) or not restless[-2:].all():
        return None
    since = int(nimg[turned][0])
    good = case.nimg >= since
    tries = [case.rates(g=0.2, d=0.2), "--with ema", *_smoother(case)]
    return case.finding("swings", good, ("acc/fake", "sample_change", "loss/g"), tries, least=2, turns=len(turned))


def turns(accuracy: np.ndarray) -> np.ndarray:
    """Places at which the curve reaches one end of SWING after it was at the other."""
    low, high = SWING
    places = np.flatnonzero((accuracy < low) | (accuracy > high))
    above = accuracy[places] > high
    turned: np.ndarray = places[1:][above[1:] != above[:-1]]
    return turned


def _sure_of_real(case: Case) -> np.ndarray:
    """The accuracy on real images; where D only compares, that of its pairs."""
    pairs = case.look("acc/pair")
    return np.where(np.isnan(pairs), case.look("acc/real"), pairs)


def _smoother(case: Case) -> list[str]:
    """Tricks that keep D smooth and that this run does without."""
    penalty, batch_norm = case.config.penalty, any(case.config.discriminator.norms)
    if penalty.r1 or penalty.gp or case.config.discriminator.spectral:
        return []
    return ["--with spectral-norm"] if batch_norm else ["--with r1-r2", "--with spectral-norm"]
